import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CommitId, commitId, taskId } from '../../src/model/ids.ts';
import { type Client, newToken, TestNode, until } from './client.ts';
import { Project, treeOrder } from './project.ts';
import { DEFAULT_SANDBOX } from '../../src/model/sandbox.ts';

const FILES = {
  'src/add.sh': 'add() { echo $(($1 + $2)); }\n',
  'src/keep.txt': 'keep\n',
  'other.txt': 'not yours\n',
  'test.sh':
    '. ./src/add.sh\n[ ! -e .git ] || exit 9\n[ "$(add 2 3)" = 5 ] || { echo "FAIL: add 2 3 is $(add 2 3)"; exit 1; }\n',
};

let node: TestNode;
let client: Client;
let project: Project;
beforeEach(async () => {
  node = new TestNode();
  project = new Project(FILES);
  client = await node.join();
  await project.put(client);
});
afterEach(async () => {
  project.clean();
  await node.clean();
});

test('what an agent leaves becomes a commit on the base, is verified on a clean checkout, and can be fetched', async () => {
  const order = treeOrder(
    project,
    'echo "sub() { echo less; }" > src/sub.sh; git status --porcelain; git rev-parse --abbrev-ref HEAD; touch .hidden-build; echo .hidden-build >> .git/info/exclude',
  );
  await client.call({ op: 'start', order });
  const outcome = await client.ended(order.token);
  expect(outcome).toMatchObject({ kind: 'refused', findings: [{ gate: 'scope' }] });

  const good = treeOrder(
    project,
    'echo "sub() { echo less; }" > src/sub.sh; git status --porcelain; git rev-parse --abbrev-ref HEAD',
  );
  await client.call({ op: 'start', order: good });
  const done = await client.ended(good.token);
  expect(done).toMatchObject({ kind: 'done', rounds: 1, usage: null });
  expect(node.file(good.token, 'agent.log')).toBe('?? src/sub.sh\ndispatch/T1-1\n');
  const head = await project.fetch(client, good);
  expect(project.git('rev-parse', `${head}^`)).toBe(project.tip());
  expect(project.show(head, 'src/sub.sh')).toContain('sub()');
  const steps = client.events.flatMap((entry) =>
    entry.type === 'attempt.step' && entry.token === good.token ? [`${entry.round} ${entry.step}`] : [],
  );
  expect(steps).toEqual(['1 agent', '1 gates', '1 verify']);
});

test("the gates' words come back to the agent until the work is good", async () => {
  const order = treeOrder(
    project,
    `case $DISPATCH_ROUND in
1) [ -z "$DISPATCH_GATE_OUTPUT" ] && [ ! -s "$DISPATCH_GATE_OUTPUT_FILE" ] || exit 8; echo "# TODO: later" >> src/add.sh ;;
2) echo "$DISPATCH_GATE_OUTPUT" | grep -q TODO || exit 7; sed -i /TODO/d src/add.sh; sed -i 's/+/-/' src/add.sh ;;
3) grep -q 'FAIL: add 2 3 is -1' "$DISPATCH_GATE_OUTPUT_FILE" || exit 6; sed -i 's/\\$1 - /$1 + /' src/add.sh; echo "# adds" >> src/add.sh ;;
esac`,
  );
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({ kind: 'done', rounds: 3 });
  const head = await project.fetch(client, order);
  expect(project.show(head, 'src/add.sh')).toBe('add() { echo $(($1 + $2)); }\n# adds');
});

test('an agent that stays outside of what it may change is refused after its rounds', async () => {
  const order = treeOrder(project, 'echo mine > other.txt', {}, { retries: 1 });
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({
    kind: 'refused',
    rounds: 2,
    findings: [{ gate: 'scope', path: 'other.txt' }],
  });
});

test('what an agent committed and took back is kept, though nothing is changed and the attempt has failed', async () => {
  const commit = (text: string) =>
    `echo ${text} > src/add.sh; git add -A; git -c user.name=a -c user.email=a@b commit -qm ${text}`;
  const order = treeOrder(
    project,
    `cp src/add.sh ../kept; ${commit('tried')}; cp ../kept src/add.sh; rm ../kept; git add -A; git -c user.name=a -c user.email=a@b commit -qm back`,
    {},
    { retries: 0 },
  );
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({ kind: 'failed', cause: 'empty' });
  const head = await project.fetch(client, order);
  expect(project.git('log', '--format=%s', `${project.tip()}..${head}`)).toBe('back\ntried');
  expect(project.show(`${head}^` as CommitId, 'src/add.sh')).toBe('tried');
});

test('an agent that changes nothing has failed, whatever its exit code says', async () => {
  const idle = treeOrder(project, 'echo "all done, tests pass"', {}, { retries: 1 });
  const broken = treeOrder(project, 'echo "cannot log in" >&2; exit 4', {}, {}, { task: taskId('T2') });
  await client.call({ op: 'start', order: idle });
  await client.call({ op: 'start', order: broken });
  expect(await client.ended(idle.token)).toMatchObject({ kind: 'failed', cause: 'empty', rounds: 2 });
  expect(await client.ended(broken.token)).toMatchObject({
    kind: 'failed',
    cause: 'executor',
    exitCode: 4,
    message: expect.stringContaining('cannot log in'),
  });
});

test('an exit code other than 0 is judged by the work behind it', async () => {
  const order = treeOrder(project, 'echo "# better" >> src/add.sh; exit 1');
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({ kind: 'done', rounds: 1 });
});

test('commits of the agent are kept, and what it left uncommitted comes on top', async () => {
  const order = treeOrder(
    project,
    'echo a > src/a; git add src/a; git commit -qm "mine: a"; git gc -q; echo b > src/b',
  );
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({ kind: 'done' });
  const head = await project.fetch(client, order);
  expect(project.git('log', '--format=%s', `${project.tip()}..${head}`).split('\n')).toEqual([
    'T1: attempt 1',
    'mine: a',
  ]);

  const all = treeOrder(
    project,
    'git checkout -q -b elsewhere; echo a > src/a; git add src/a; git commit -qm "all of it"',
    {},
    {},
    { n: 2 },
  );
  await client.call({ op: 'start', order: all });
  await client.ended(all.token);
  expect(project.git('log', '--format=%s', `${project.tip()}..${await project.fetch(client, all)}`)).toBe(
    'all of it',
  );

  const orphan = treeOrder(
    project,
    'git checkout -q --orphan x; git commit -qm "no past"; echo c > src/c',
    {},
    {},
    { n: 3 },
  );
  await client.call({ op: 'start', order: orphan });
  await client.ended(orphan.token);
  expect(project.git('log', '--format=%s', `${project.tip()}..${await project.fetch(client, orphan)}`)).toBe(
    'T1: attempt 3',
  );
});

test("an earlier attempt's commit can be looked at as refs/dispatch/previous", async () => {
  const base = project.tip();
  const previous = project.commit({ 'src/earlier.txt': 'half of it\n' });
  await project.put(client, [base]);
  const order = treeOrder(project, 'git show refs/dispatch/previous:src/earlier.txt > src/again.txt', {
    base,
    previous,
  });
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({ kind: 'done' });
});

test('an order on a commit that the mirror lacks is refused with its name', async () => {
  const order = treeOrder(project, 'true', { base: commitId('1'.repeat(40)) });
  await expect(client.call({ op: 'start', order })).rejects.toMatchObject({
    code: 'missing-base',
    message: expect.stringContaining('1111'),
  });
  expect(
    await client.call({
      op: 'mirror.has',
      project: project.name,
      commits: [project.tip(), commitId('2'.repeat(40))],
    }),
  ).toEqual({ has: [project.tip()] });
});

test('a bundle of many chunks comes in and goes out, and the stream stays usable', async () => {
  const base = project.tip();
  project.commit({ 'src/large.bin': randomBytes(3_000_000).toString('base64') });
  await project.put(client, [base]);
  expect(await client.call({ op: 'ping' })).toEqual({});
  const order = treeOrder(project, 'head -c 3000000 /dev/urandom | base64 > src/larger.bin');
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({ kind: 'done' });
  expect(project.show(await project.fetch(client, order), 'src/larger.bin').length).toBeGreaterThan(
    3_000_000,
  );
});

test('a broken bundle brings no commit into the mirror', async () => {
  const next = project.commit({ 'src/new.txt': 'x\n' });
  const { id, reply } = client.begin({ op: 'mirror.put', project: project.name, commits: [next], epoch: 1 });
  client.sendBytes(id, Buffer.from(`# v2 git bundle\n${next} refs/dispatch/x\n\nPACK-nonsense`));
  await expect(reply).rejects.toMatchObject({ code: 'internal' });
  expect(await client.call({ op: 'mirror.has', project: project.name, commits: [next] })).toEqual({
    has: [],
  });
  expect(readdirSync(`${node.root}/run`).filter((name) => name.startsWith('upload'))).toEqual([]);
});

test('a gate is green, red or broken', async () => {
  const gate = (verify: string) => ({
    ...treeOrder(project, ''),
    token: newToken(),
    work: { kind: 'gate' as const, commit: project.tip(), verify, minTests: 0, sandbox: DEFAULT_SANDBOX },
  });
  const orders = [
    gate('sh test.sh'),
    gate('echo "not ok 1 - it adds"; exit 2'),
    gate('no-such-program'),
    gate('kill -9 $$'),
    { ...gate('sleep 60'), timeoutMs: 300 },
    gate('echo "1..1"; echo "ok 1 - adds # SKIP later"'),
    gate('echo "1..2"; echo "ok 1 - adds"; echo "ok 2 # SKIP"'),
  ];
  for (const order of orders) await client.call({ op: 'start', order });
  const outcomes = await Promise.all(orders.map(({ token }) => client.ended(token)));
  expect(outcomes[0]).toEqual({ kind: 'done', head: null, rounds: 1, usage: null });
  expect(outcomes[1]).toMatchObject({
    kind: 'refused',
    output: 'not ok 1 - it adds\n',
    findings: [{ gate: 'verify' }],
  });
  expect(outcomes[2]).toMatchObject({ kind: 'failed', cause: 'gate', exitCode: 127 });
  expect(outcomes[3]).toMatchObject({ kind: 'failed', cause: 'gate' });
  expect(outcomes[4]).toMatchObject({
    kind: 'failed',
    cause: 'gate',
    message: expect.stringContaining('time limit'),
  });
  expect(outcomes[5]).toMatchObject({
    kind: 'failed',
    cause: 'gate',
    message: expect.stringContaining('ran no test'),
  });
  expect(outcomes[6]).toMatchObject({ kind: 'done', tests: { ran: 1, skipped: 1 } });

  // A commit of which the mirror has lost the files cannot be checked out: the machine's fault, and no verdict.
  const who = 'A <a@b> 1700000000 +0000';
  const lost = execFileSync('git', ['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'], {
    cwd: `${node.root}/repos/${orders[0]?.project}.git`,
    input: `tree ${'f'.repeat(40)}\nauthor ${who}\ncommitter ${who}\n\nlost\n`,
    encoding: 'utf8',
  });
  const plain = gate('true');
  const order = { ...plain, work: { ...plain.work, commit: commitId(lost.trim()) } };
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({ kind: 'failed', cause: 'gate', blame: 'node' });
});

test('a verify command that outlasts its limit counts as a broken gate after the last round', async () => {
  const order = treeOrder(
    project,
    'echo x >> src/keep.txt',
    {},
    { verify: 'sleep 60', verifyTimeoutMs: 300, retries: 0 },
  );
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({ kind: 'failed', cause: 'gate' });
});

test('what an agent has when its time is up is kept', async () => {
  const order = treeOrder(project, 'echo half > src/half; echo > ../ready; sleep 300');
  await client.call({ op: 'start', order });
  await until(() => existsSync(`${node.root}/attempts/${order.token}/ready`));
  await node.killSupervisor();
  node.endTime(order.token);
  client = await node.join();
  const outcome = await client.ended(order.token);
  expect(outcome).toMatchObject({ kind: 'timeout', rounds: 1 });
  expect(project.show(await project.fetch(client, order), 'src/half')).toBe('half');
});

test('work that nobody fetched goes to the trash when it is forgotten, fetched work does not', async () => {
  const lost = treeOrder(project, 'echo precious > src/p');
  const kept = treeOrder(project, 'echo fetched > src/f', {}, {}, { task: taskId('T2') });
  for (const order of [lost, kept]) await client.call({ op: 'start', order });
  await client.ended(lost.token);
  await client.ended(kept.token);
  await project.fetch(client, kept);
  for (const { token } of [lost, kept])
    expect(await client.call({ op: 'forget', token, epoch: 1 })).toEqual({ state: 'forgotten' });
  expect(existsSync(`${node.root}/trash/${lost.token}/tree/src/p`)).toBe(true);
  expect(existsSync(`${node.root}/trash/${kept.token}`)).toBe(false);
  expect(existsSync(`${node.root}/done/${kept.token}/agent.log`)).toBe(true);
  expect(existsSync(`${node.root}/done/${kept.token}/tree`)).toBe(false);
  expect(readdirSync(`${node.root}/pool/demo`).length).toBeGreaterThan(0);
  expect((await client.call({ op: 'inventory' })).entries).toEqual([]);
});

test('work of an agent whose attempt ended because its node could write no more is not thrown away', async () => {
  const order = treeOrder(project, 'echo new > src/p; mkdir ../status.json.new');
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({ kind: 'failed', blame: 'node' });
  await client.call({ op: 'forget', token: order.token, epoch: 1 });
  expect(existsSync(`${node.root}/trash/${order.token}/tree/src/p`)).toBe(true);
});

test('a clean checkout that cannot be made is the fault of its node, and says so', async () => {
  const order = treeOrder(project, 'echo new > src/p; mkdir -p ../git/check.index');
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({ kind: 'failed', cause: 'gate', blame: 'node' });
});
