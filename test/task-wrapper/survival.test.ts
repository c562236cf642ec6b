/** What may die, and what must not: supervisors, tmux servers, streams, steps, children that do not listen. */
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { preempt } from '../../task-wrapper/step.ts';
import { Client, isAlive, newToken, plainOrder, TestNode, until, WRAPPER } from './client.ts';
import { Project, treeOrder } from './project.ts';

let node: TestNode;
beforeEach(() => {
  node = new TestNode();
});
afterEach(() => node.clean());

/** A command that runs until the file `go` appears beside its directory, and tells its process id. */
const WAITS = 'echo $$ > ../pid; until [ -e ../go ]; do sleep 0.05; done; echo went on';

async function pidOf(token: string, file = 'pid'): Promise<number> {
  const path = `${node.root}/attempts/${token}/${file}`;
  await until(() => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n'));
  return Number(readFileSync(path, 'utf8'));
}

/** Waits until no shell is about to wake a supervisor, and would start another one if it found it killed. */
async function stepsGone(except = 'none'): Promise<void> {
  await until(() => node.sessions().every((name) => !name.startsWith('d_') || name.includes(except)));
}

/** What a power cut does to a step: its shell first, so that it records nothing, then its command. */
async function killStep(token: string, pid: number): Promise<void> {
  const leader = Number(readFileSync(`${node.root}/attempts/${token}/1a.run`, 'utf8').split('\n')[0]);
  for (const one of [leader, pid]) process.kill(one, 'SIGKILL');
  await until(() => !isAlive(leader) && !isAlive(pid));
}

test('a stream that a cut left behind goes when its controller follows by another one; nobody else is sent away', async () => {
  await node.clean();
  node = new TestNode({ DISPATCH_QUIET_MS: '300' });
  const cut = await node.join();
  const looker = node.connect();
  await looker.hello(0);
  const next = await node.join();
  await cut.closed;
  expect(await Promise.all([looker, next].map((client) => client.call({ op: 'ping' })))).toEqual([{}, {}]);
});

test('a supervisor killed in the middle of a step is replaced, and the step ends once', async () => {
  const first = await node.join();
  const order = plainOrder(WAITS);
  await first.call({ op: 'start', order });
  const pid = await pidOf(order.token);
  await node.killSupervisor();
  await first.closed;

  const second = await node.join();
  expect(isAlive(pid)).toBe(true);
  expect((await second.call({ op: 'inventory' })).entries).toMatchObject([
    { token: order.token, state: 'running' },
  ]);
  writeFileSync(`${node.root}/attempts/${order.token}/go`, '');
  expect(await second.ended(order.token)).toMatchObject({ kind: 'done' });
  expect(second.events.filter(({ type }) => type === 'attempt.running')).toHaveLength(1);

  await node.killSupervisor();
  const third = await node.join();
  await third.until(
    () => third.events.some(({ type }) => type === 'attempt.ended'),
    'the end is still in the journal',
  );
  expect(third.ends(order.token)).toHaveLength(1);
  expect(third.events.map(({ seq }) => seq)).toEqual(third.events.map((_, index) => index + 1));
});

test('a step that ends while no supervisor lives starts one', async () => {
  const first = await node.join();
  const order = plainOrder(WAITS);
  await first.call({ op: 'start', order });
  await pidOf(order.token);
  await node.killSupervisor();
  const dead = node.supervisorPid();
  writeFileSync(`${node.root}/attempts/${order.token}/go`, '');
  await until(() => node.supervisorPid() !== dead && existsSync(`${node.root}/run/rpc.sock`));
  const second = await node.join();
  expect(await second.ended(order.token)).toMatchObject({ kind: 'done' });
  expect(second.ends(order.token)).toHaveLength(1);
  // The environment of a step says nothing of what the dead one was told.
  const command = readFileSync(`/proc/${node.supervisorPid()}/cmdline`, 'utf8').split('\0');
  expect(command).toEqual(expect.arrayContaining(['--idle', '60000', '--reserve', '1000000']));
});

test('a step that ends starts one also when the dead one’s number is another process’s by now', async () => {
  const first = await node.join();
  const order = plainOrder(WAITS);
  await first.call({ op: 'start', order });
  await pidOf(order.token);
  const record = `${node.root}/run/supervisor`;
  const facts = readFileSync(record, 'utf8');
  await node.killSupervisor();
  // This process lives, and started earlier than the supervisor.
  writeFileSync(record, facts.replace(/^\d+/u, String(process.pid)));
  writeFileSync(`${node.root}/attempts/${order.token}/go`, '');
  await until(() => node.supervisorPid() !== process.pid);
  const second = await node.join();
  expect(await second.ended(order.token)).toMatchObject({ kind: 'done' });
});

test('a step that has made its record and not yet written its number is waited for, not taken for none', async () => {
  const step = `${node.root}/1a`;
  writeFileSync(`${step}.run`, '');
  const asked = preempt(step);
  // Longer than a shell needs between the two on a machine that is not busy.
  const told = await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 400, 'waits'))]);
  expect(told).toBe('waits');
  writeFileSync(`${step}.run`, '4711\n');
  expect(await asked).toBe(4711);
});

test('a step that ended before the next supervisor came is adopted with its end', async () => {
  const first = await node.join();
  const order = plainOrder(WAITS);
  await first.call({ op: 'start', order });
  const pid = await pidOf(order.token);
  // Nobody can be started: launch.sh finds no program to run.
  const facts = readFileSync(`${node.root}/run/supervisor`, 'utf8');
  await node.killSupervisor();
  writeFileSync(`${node.root}/run/supervisor`, facts.replace(/\n.*\n/, '\n/bin/true\n'));
  writeFileSync(`${node.root}/attempts/${order.token}/go`, '');
  await until(() => !isAlive(pid));
  const second = await node.join();
  expect(await second.ended(order.token)).toMatchObject({ kind: 'done' });
});

test('a tmux server killed under its steps: they are lost, nothing of them stays', async () => {
  const client = await node.join();
  const order = plainOrder(
    'setsid sh -c "echo \\$\\$ > ../orphan; trap \\"\\" TERM HUP; sleep 300" & echo $$ > ../pid; sleep 300',
  );
  await client.call({ op: 'start', order });
  const pid = await pidOf(order.token);
  const orphan = await pidOf(order.token, 'orphan');
  process.kill(Number(node.tmux('display-message', '-p', '#{pid}')), 'SIGKILL');
  expect(await client.ended(order.token)).toEqual({ kind: 'lost', why: 'killed' });
  expect([pid, orphan].filter(isAlive)).toEqual([]);

  // The supervisor has outlived its server, and gives its place to one inside a new server.
  await client.closed;
  const again = await node.join();
  expect(again.ends(order.token)).toHaveLength(1);
  expect(node.sessions()).toContain('supervisor');
  const next = plainOrder('echo again');
  await again.call({ op: 'start', order: next });
  expect(await again.ended(next.token)).toMatchObject({ kind: 'done' });
});

test('a session that a person kills is lost', async () => {
  const client = await node.join();
  const order = plainOrder(WAITS);
  await client.call({ op: 'start', order });
  await pidOf(order.token);
  node.tmux('kill-session', '-t', `=d_${order.token}_1a`);
  expect(await client.ended(order.token)).toEqual({ kind: 'lost', why: 'killed' });
});

test('a deadline ends a command and all its children, however they hold on', async () => {
  const first = await node.join();
  const order = plainOrder(
    'trap "" TERM; (setsid sleep 300 & echo $! > ../child); echo $$ > ../pid; while :; do sleep 300; done',
  );
  await first.call({ op: 'start', order });
  const pids = [await pidOf(order.token), await pidOf(order.token, 'child')];
  // Its time is over once everything runs, however long that took to begin.
  await node.killSupervisor();
  node.endTime(order.token);
  const second = await node.join();
  expect(await second.ended(order.token)).toEqual({ kind: 'timeout', rounds: 1, head: null, usage: null });
  expect(pids.filter(isAlive)).toEqual([]);
});

test('a cancel asks first: a command that cleans up after itself has the time for it', async () => {
  const client = await node.join();
  const order = plainOrder(
    'trap "echo cleaned; exit 0" TERM; echo $$ > ../pid; while :; do sleep 0.05; done',
  );
  await client.call({ op: 'start', order });
  await pidOf(order.token);
  expect(await client.call({ op: 'cancel', token: order.token, reason: 'not needed', epoch: 1 })).toEqual({
    state: 'cancelling',
  });
  expect(await client.ended(order.token)).toEqual({ kind: 'cancelled', reason: 'not needed' });
  expect(node.file(order.token, 'agent.log')).toContain('cleaned');
  expect(await client.call({ op: 'cancel', token: order.token, reason: 'again', epoch: 1 })).toEqual({
    state: 'ended',
  });
  expect(await client.call({ op: 'cancel', token: newToken(), reason: 'who', epoch: 1 })).toEqual({
    state: 'unknown',
  });
});

test('a cancel that was ordered before the supervisor died is carried out by the next one', async () => {
  const first = await node.join();
  const order = plainOrder('trap "" TERM; echo $$ > ../pid; while :; do sleep 300; done');
  await first.call({ op: 'start', order });
  const pid = await pidOf(order.token);
  await first.call({ op: 'cancel', token: order.token, reason: 'stop it', epoch: 1 });
  await node.killSupervisor();
  const second = await node.join();
  expect(await second.ended(order.token)).toEqual({ kind: 'cancelled', reason: 'stop it' });
  expect(isAlive(pid)).toBe(false);
});

test('a cancel in the moment of the start leaves nothing running', async () => {
  const client = await node.join();
  const orders = Array.from({ length: 20 }, () => plainOrder('echo $$ > ../pid; sleep 300'));
  await Promise.all(
    orders.flatMap((order) => [
      client.call({ op: 'start', order }),
      client.call({ op: 'cancel', token: order.token, reason: 'no', epoch: 1 }),
    ]),
  );
  for (const { token } of orders)
    expect(await client.ended(token)).toEqual({ kind: 'cancelled', reason: 'no' });
  await until(() => node.sessions().every((name) => !name.startsWith('d_')));
});

test('a background child that a finished command left is ended', async () => {
  const client = await node.join();
  const order = plainOrder('sleep 300 & echo $! > ../pid');
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({ kind: 'done' });
  const pid = await pidOf(order.token);
  await until(() => !isAlive(pid));
});

test('attempts of another boot are lost at once, unless they had ended', async () => {
  const first = await node.join();
  const order = plainOrder(WAITS);
  const ended = plainOrder('true');
  await first.call({ op: 'start', order });
  await first.call({ op: 'start', order: ended });
  await first.ended(ended.token);
  const pid = await pidOf(order.token);
  await stepsGone(order.token);
  await node.killSupervisor();
  await killStep(order.token, pid);
  const path = `${node.root}/attempts/${order.token}`;
  writeFileSync(
    `${path}/attempt.json`,
    readFileSync(`${path}/attempt.json`, 'utf8').replace(/"bootId":"[^"]*"/, '"bootId":"older"'),
  );
  const second = await node.join();
  expect(await second.ended(order.token)).toEqual({ kind: 'lost', why: 'rebooted' });
  expect(second.ends(ended.token)).toHaveLength(1);
});

test('an attempt that the journal knows and the disk has lost is told as wiped', async () => {
  const first = await node.join();
  const order = plainOrder(WAITS);
  await first.call({ op: 'start', order });
  const pid = await pidOf(order.token);
  // The step may run before the disk has the journal's word of it; news come from there.
  await first.until(() => first.events.some(({ type }) => type === 'attempt.running'), 'it is journaled');
  await node.killSupervisor();
  await killStep(order.token, pid);
  writeFileSync(`${node.root}/attempts/${order.token}/attempt.json`, '{"protocol":1,"tok');
  const second = await node.join();
  expect(await second.ended(order.token)).toEqual({ kind: 'lost', why: 'wiped' });
});

test('a torn last line of the journal is dropped and numbers go on from the last whole one', async () => {
  const first = await node.join();
  const order = plainOrder('true');
  await first.call({ op: 'start', order });
  await first.ended(order.token);
  await stepsGone();
  await node.killSupervisor();
  const segment = readdirSync(`${node.root}/journal`).find((name) => name.endsWith('.jsonl')) ?? '';
  appendFileSync(`${node.root}/journal/${segment}`, '{"seq":4,"at":1,"type":"attempt.en');
  const second = await node.join();
  await second.until(() => second.events.length === 4, 'the second start is journaled');
  expect(second.events.map(({ seq, type }) => `${seq} ${type}`)).toEqual([
    '1 supervisor.started',
    '2 attempt.running',
    '3 attempt.ended',
    '4 supervisor.started',
  ]);
});

test('a cursor resumes where it was, and acknowledged entries do not come again', async () => {
  const client = await node.join();
  const orders = Array.from({ length: 5 }, () => plainOrder('true'));
  for (const order of orders) {
    await client.call({ op: 'start', order });
    await client.ended(order.token);
  }
  const { seq } = await client.hello();
  const resumed = await node.join(seq - 3);
  await resumed.until(() => resumed.events.length === 3, 'three entries');
  expect(resumed.events.map((entry) => entry.seq)).toEqual([seq - 2, seq - 1, seq]);
  await client.call({ op: 'ack', seq: seq - 1 });
  const late = await node.join(0);
  await late.until(() => late.events.length > 0, 'the entry that is left');
  expect(late.events.map((entry) => entry.seq)).toEqual([seq]);
  expect((await late.hello()).seq).toBe(seq);
});

test('a supervisor without work and without a stream leaves, and the next call starts another', async () => {
  const short = new TestNode({ DISPATCH_IDLE_MS: '200' });
  try {
    const client = await short.join();
    const order = plainOrder('true');
    await client.call({ op: 'start', order });
    await client.ended(order.token);
    const pid = short.supervisorPid();
    client.close();
    await until(() => !isAlive(pid));
    await until(() => short.sessions().length === 0);
    const again = await short.join();
    expect(again.ends(order.token).length + (await again.call({ op: 'inventory' })).entries.length).toBe(2);
  } finally {
    await short.clean();
  }
});

test('a supervisor stays as long as something runs, without any stream', async () => {
  const short = new TestNode({ DISPATCH_IDLE_MS: '100' });
  try {
    const client = await short.join();
    const order = plainOrder('until [ -e ../go ]; do sleep 0.05; done');
    await client.call({ op: 'start', order });
    const pid = short.supervisorPid();
    client.close();
    await client.closed;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(isAlive(pid)).toBe(true);
    writeFileSync(`${short.root}/attempts/${order.token}/go`, '');
    await until(() => !isAlive(pid));
    const again = await short.join();
    expect(await again.ended(order.token)).toMatchObject({ kind: 'done' });
  } finally {
    await short.clean();
  }
});

/** The same program with another hash, as a newer version is. */
function newerProgram(
  root: string,
  change: (text: string) => string = (text) => `${text}\n// newer\n`,
): string {
  const path = join(root, 'shipped', 'task-wrapper.mjs');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, change(readFileSync(WRAPPER, 'utf8')));
  copyFileSync(join(dirname(WRAPPER), 'launch.sh'), join(root, 'shipped', 'launch.sh'));
  return path;
}

test('a newer program takes over in the middle of a step without a scratch to it', async () => {
  const old = await node.join();
  const order = plainOrder(WAITS);
  await old.call({ op: 'start', order });
  const pid = await pidOf(order.token);
  const before = (await old.hello()).program;
  const supervisor = node.supervisorPid();
  old.close();
  await old.closed;

  const client = await node.join(0, 2, newerProgram(node.root));
  expect((await client.hello(2)).program).not.toBe(before);
  expect(isAlive(supervisor)).toBe(false);
  expect(isAlive(pid)).toBe(true);
  writeFileSync(`${node.root}/attempts/${order.token}/go`, '');
  expect(await client.ended(order.token)).toMatchObject({ kind: 'done' });
  expect(client.ends(order.token)).toHaveLength(1);
});

test('programs of one protocol do not chase each other away while both are in use', async () => {
  const old = await node.join();
  const { program } = await old.hello();
  const client = await node.join(0, 2, newerProgram(node.root));
  expect((await client.hello(2)).program).toBe(program);
  expect(await old.call({ op: 'ping' })).toEqual({});
});

test('an attempt of another protocol is finished by the program that began it', async () => {
  const project = new Project({ 'src/a': 'a\n', 'test.sh': 'true\n' });
  try {
    const old = await node.join();
    await project.put(old);
    const order = treeOrder(
      project,
      `case $DISPATCH_ROUND in 1) ${WAITS}; echo "# TODO" > src/b;; 2) echo done > src/b;; esac`,
    );
    await old.call({ op: 'start', order });
    await pidOf(order.token);
    old.close();
    await old.closed;
    // The next version speaks protocol 2, and so refuses to understand the files of this attempt.
    const wrapper = newerProgram(node.root, (text) =>
      text
        .replaceAll(/\bprotocol!==(\w+)/g, 'protocol!==$1+1')
        .replaceAll(/\.protocol===(\w+)/g, '.protocol===$1+1'),
    );
    const client = node.connect(wrapper);
    await client.call({ op: 'hello', protocol: 2, epoch: 2, controller: 'test' });
    await client.call({ op: 'subscribe', from: 0 });
    writeFileSync(`${node.root}/attempts/${order.token}/go`, '');
    expect(await client.ended(order.token)).toMatchObject({ kind: 'done', rounds: 2 });
    const steps = client.events.flatMap((entry) =>
      entry.type === 'attempt.step' ? [`${entry.round} ${entry.step}`] : [],
    );
    expect(steps).toEqual(['1 agent', '1 gates', '2 agent', '2 gates', '2 verify']);
  } finally {
    project.clean();
  }
});

test('a log is kept to its cap: the head, the tail, and a line that says what is gone', async () => {
  const client = await node.join();
  const order = plainOrder(
    'echo first line; i=0; while [ $i -lt 60 ]; do head -c 20000 /dev/zero | tr "\\0" x; i=$((i+1)); sleep 0.05; done; echo; echo last line; until [ -e ../go ]; do sleep 0.05; done',
    { logCapBytes: 100_000 },
  );
  await client.call({ op: 'start', order });
  const path = `${node.root}/attempts/${order.token}/agent.log`;
  await until(
    () =>
      existsSync(path) && readFileSync(path, 'utf8').includes('last line') && statSync(path).size < 130_000,
  );
  writeFileSync(`${node.root}/attempts/${order.token}/go`, '');
  await client.ended(order.token);
  const log = readFileSync(path, 'utf8');
  const dropped = /\[dispatch: (\d+) bytes of output are left out here\]/.exec(log)?.[1];
  expect(log.startsWith('first line\n')).toBe(true);
  expect(log.endsWith('last line\n')).toBe(true);
  expect(log.match(/left out here/g)).toHaveLength(1);
  expect(Number(dropped) + log.replace(/\n\[dispatch: .*\]\n/, '').length).toBe(
    60 * 20_000 + 'first line\n\nlast line\n'.length,
  );
});

test('a log can be followed while it grows, and read again later from any place', async () => {
  const client = await node.join();
  const order = plainOrder('echo one; until [ -e ../go ]; do sleep 0.05; done; echo two');
  await client.call({ op: 'start', order });
  const { id, reply } = client.begin({ op: 'log', token: order.token, from: 0, follow: true });
  await client.until(() => client.received(id).toString() === 'one\n', 'the first line');
  writeFileSync(`${node.root}/attempts/${order.token}/go`, '');
  expect(await reply).toEqual({ bytes: 8 });
  expect(client.received(id).toString()).toBe('one\ntwo\n');
  await client.ended(order.token);
  const again = client.begin({ op: 'log', token: order.token, from: 4, follow: false });
  await again.reply;
  expect(client.received(again.id).toString()).toBe('two\n');
  await expect(client.call({ op: 'log', token: newToken(), from: 0, follow: true })).rejects.toMatchObject({
    code: 'unknown',
  });
});

test('a follower can be stopped without ending anything', async () => {
  const client = await node.join();
  const order = plainOrder(WAITS);
  await client.call({ op: 'start', order });
  await pidOf(order.token);
  const { id, reply } = client.begin({ op: 'log', token: order.token, from: 0, follow: true });
  await client.call({ op: 'stop', request: id });
  expect(await reply).toEqual({ bytes: 0 });
  writeFileSync(`${node.root}/attempts/${order.token}/go`, '');
  expect(await client.ended(order.token)).toMatchObject({ kind: 'done' });
});

test('attaching shows the log in a window of its own', async () => {
  const client = await node.join();
  const order = plainOrder('echo look at me; sleep 300');
  await client.call({ op: 'start', order });
  const { argv, shows } = await client.call({ op: 'attach', token: order.token });
  expect(shows).toBe('log');
  expect(argv).toEqual([
    'tmux',
    '-S',
    `${node.root}/run/tmux.sock`,
    'attach-session',
    '-r',
    '-t',
    `=v_${order.token}`,
  ]);
  await until(() => node.tmux('capture-pane', '-p', '-t', `=v_${order.token}:`).includes('look at me'));
  expect(await client.call({ op: 'attach', token: order.token })).toMatchObject({ argv });
});

test('a node with too little space takes no new attempt', async () => {
  const full = new TestNode({ DISPATCH_RESERVE_BYTES: String(2 ** 60) });
  try {
    const client = await full.join();
    await expect(client.call({ op: 'start', order: plainOrder('true') })).rejects.toMatchObject({
      code: 'no-space',
    });
    expect(existsSync(`${full.root}/attempts`) && readdirSync(`${full.root}/attempts`)).toEqual([]);
  } finally {
    await full.clean();
  }
});

test('a program that the node lacks is named before anything starts', async () => {
  const client = await node.join();
  const order = plainOrder(
    '',
    {},
    {
      executor: {
        name: 'x',
        kind: 'shell',
        command: ['no-such-agent', '--yes'],
        env: {},
        secrets: {},
        model: null,
      },
    },
  );
  await expect(client.call({ op: 'start', order })).rejects.toMatchObject({
    code: 'missing-program',
    message: expect.stringContaining('no-such-agent'),
  });
});

test('a probe tells what the node is and has', async () => {
  const client = await node.join();
  const facts = await client.call({ op: 'probe', programs: ['sh', 'no-such-program'] });
  expect(facts).toMatchObject({
    platform: process.platform,
    root: node.root,
    programs: { sh: expect.stringMatching(/\/sh$/), 'no-such-program': null },
  });
  expect(facts.tmux).toMatch(/^\d/);
  expect(facts.git).toMatch(/^\d/);
});

test('secrets reach the agent from 0600 files alone, and are in no argument list', async () => {
  const client = await node.join();
  mkdirSync(`${node.root}/secrets`);
  writeFileSync(`${node.root}/secrets/key`, 's3cr3t-value\n', { mode: 0o600 });
  const executor = {
    name: 'x',
    kind: 'shell' as const,
    command: ['sh', '-c', 'printf %s "$KEY" | wc -c; ps -ef | grep -c s3cr3t-[v]alue'],
    env: {},
    secrets: { KEY: { file: 'secrets/key' } },
    model: null,
  };
  const good = plainOrder('', {}, { executor });
  await client.call({ op: 'start', order: good });
  await client.ended(good.token);
  expect(
    node
      .file(good.token, 'agent.log')
      .split('\n')
      .map((line) => line.trim()),
  ).toEqual(['12', '0', '']);
  expect(node.file(good.token, '1a.sh')).toBe('');
  writeFileSync(`${node.root}/secrets/open`, 'x');
  chmodSync(`${node.root}/secrets/open`, 0o644);
  for (const file of ['secrets/open', 'secrets/none']) {
    const bad = plainOrder('', {}, { executor: { ...executor, secrets: { KEY: { file } } } });
    await client.call({ op: 'start', order: bad });
    expect(await client.ended(bad.token)).toMatchObject({
      kind: 'failed',
      cause: 'executor',
      message: expect.stringContaining('KEY'),
    });
  }
});

test('a root whose path is too long for a socket still works', async () => {
  const long = new TestNode();
  const deep = join(long.root, 'a'.repeat(60), 'b'.repeat(60));
  const client = new Client(deep, WRAPPER, long.env);
  try {
    await client.hello();
    const order = plainOrder('true');
    await client.call({ op: 'subscribe', from: 0 });
    await client.call({ op: 'start', order });
    expect(await client.ended(order.token)).toMatchObject({ kind: 'done' });
    process.kill(Number(readFileSync(`${deep}/run/supervisor`, 'utf8').split('\n')[0]), 'SIGTERM');
  } finally {
    client.close();
    await long.clean();
  }
});

test('a root with a character that a shell could read is refused', async () => {
  for (const root of ['/tmp/a b', '/tmp/$(id)', 'relative', '/tmp/#{x}']) {
    const client = new Client(root, WRAPPER, node.env);
    await client.closed;
    expect(client.stderr).toContain('--root');
  }
});
