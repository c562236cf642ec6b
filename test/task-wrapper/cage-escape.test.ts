/**
 * Agents that try to get out of `cage: strict`. All attacks are run at once by one agent in the cage, which must do none of
 * them, and once more by one without a cage, which must do each: an attack that fails for another reason proves nothing.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CageRules, DEFAULT_CAGE } from '../../src/model/cage.ts';
import type { Outcome } from '../../src/model/attempt.ts';
import type { WorkOrder } from '../../src/protocol/order.ts';
import { type Client, isAlive, newToken, shell, TestNode, until } from './client.ts';
import { giveAway, ordinaryNode } from './ordinary.ts';
import { Project, treeOrder } from './project.ts';
import { noSandbox } from './sandbox-here.ts';
import { SECRET, userHome } from './user-home.ts';

const STRICT: CageRules = { ...DEFAULT_CAGE, level: 'strict' };
/** Root alone makes control groups here; without them memory and the number of processes are not bounded for it. */
const groups =
  process.getuid?.() === 0 &&
  (existsSync('/sys/fs/cgroup/pids/cgroup.procs') || existsSync('/sys/fs/cgroup/cgroup.controllers'));

let home: string;
let node: TestNode;
let client: Client;
let project: Project;
beforeEach(async () => {
  home = userHome();
  node = new TestNode({ HOME: home, DISPATCH_DISK_MS: '50' });
  project = new Project({ 'src/a.txt': 'a\n', 'test.sh': 'true\n' });
});
afterEach(async () => {
  project.clean();
  await node.clean();
});

async function connect(wrapper?: string): Promise<void> {
  client = await node.join(0, 1, wrapper);
  await project.put(client);
}

interface Ran {
  readonly outcome: Outcome;
  readonly said: string;
  readonly dir: string;
}

/** Runs an agent of this script to its end. */
async function agent(
  script: string,
  cage: CageRules,
  { token = newToken(), ...work }: Partial<WorkOrder> & { token?: ReturnType<typeof newToken> } = {},
): Promise<Ran> {
  const order = treeOrder(project, script, {}, { verify: null, retries: 0, ...work, cage }, { token });
  await client.call({ op: 'start', order });
  const outcome = await client.ended(order.token);
  return { outcome, said: node.file(order.token, 'agent.log'), dir: `${node.root}/attempts/${order.token}` };
}

/** A script that tries each attack by itself and prints the names of those that did harm. */
function tries(attacks: Readonly<Record<string, string>>): string {
  return Object.entries(attacks)
    .map(([name, script]) => `if ( ${script} ) >/dev/null 2>&1; then echo "did: ${name}"; fi`)
    .join('\n');
}

function did(said: string): string[] {
  return said.split('\n').flatMap((line) => (line.startsWith('did: ') ? [line.slice(5)] : []));
}

describe.skipIf(noSandbox !== null)(
  `an agent in cage: strict${noSandbox === null ? '' : ` (${noSandbox})`}`,
  () => {
    test('reads, writes, reaches, signals and sees nothing but its own, and gains no right', async () => {
      // A tmux server that something else has started, with an environment of its own.
      mkdirSync(`${node.root}/run`, { mode: 0o700 });
      execFileSync(
        'tmux',
        ['-S', `${node.root}/run/tmux.sock`, 'new-session', '-d', '-s', 'service', 'sleep', '600'],
        {
          env: { PATH: process.env.PATH, HOME: home, NODE_LEAK: SECRET },
        },
      );
      await connect();
      const other = treeOrder(
        project,
        'echo other > src/o; echo $$ > src/pid; echo mine > "$HOME/mine"; sleep 600',
        {},
        { verify: null },
      );
      await client.call({ op: 'start', order: other });
      const theirs = `${node.root}/attempts/${other.token}`;
      await until(() => existsSync(`${theirs}/home/mine`) && existsSync(`${theirs}/tree/src/pid`));
      const victim = readFileSync(`${theirs}/tree/src/pid`, 'utf8').trim();
      expect(readFileSync(`/proc/${node.supervisorPid()}/environ`, 'latin1')).toContain('NODE_LEAK');
      const server = await listening();
      const { port } = server.address() as { port: number };
      const call = (where: string): string =>
        `node -e 'require("net").connect(${where}).on("error", () => process.exit(1)).on("connect", () => process.exit(0))'`;
      const attacks = {
        'reads a key': `cat ${home}/.ssh/id_ed25519`,
        'reads a key through a link': `ln -s ${home}/.ssh/id_ed25519 key; cat key`,
        "reads another's tree": `cat ${theirs}/tree/src/o`,
        "reads another's home": `cat ${theirs}/home/mine`,
        "reads another's order": `cat ${theirs}/attempt.json`,
        'reads its own order': `cat "$DISPATCH_TREE/../attempt.json"`,
        'reads the journal': `cat ${node.root}/journal/*`,
        'writes its prompt': 'echo more >> "$DISPATCH_PROMPT"',
        'writes the mirror': `touch ${node.root}/repos/demo.git/objects/canary`,
        'writes the home of the user': `touch ${home}/canary`,
        'writes through a link': `ln -s ${home} out; touch out/canary-2`,
        'opens the home of the user': `chmod 777 ${home}`,
        'reaches tmux': `tmux -S ${node.root}/run/tmux.sock list-sessions`,
        'reaches the supervisor': call(`"${node.root}/run/rpc.sock"`),
        'wakes the supervisor': `[ -p ${node.root}/run/wake ]`,
        'reaches a server of the machine': call(`${port}, "127.0.0.1"`),
        'sees another': `[ -d /proc/${victim} ] && grep -q ${other.token} /proc/${victim}/environ`,
        'sees the supervisor': `grep -q supervise /proc/${node.supervisorPid()}/cmdline`,
        'signals another': `kill -CONT ${victim} && grep -q ${other.token} /proc/${victim}/environ`,
        "looks into another's memory": `head -c 1 /proc/${victim}/mem; grep -q ${other.token} /proc/${victim}/environ && : < /proc/${victim}/mem`,
      };
      try {
        const free = await agent(tries(attacks), { ...DEFAULT_CAGE, level: 'none' });
        expect(did(free.said)).toEqual(Object.keys(attacks));
        rmSync(`${home}/canary`);
        rmSync(`${home}/canary-2`);
        const only = {
          mount: 'mount -t tmpfs none .',
          bind: 'mount --bind /usr .',
          'another namespace of users': 'unshare -U true',
          'another namespace of mounts': 'unshare -m true',
          'another owner': 'chown 12345 test.sh',
          'a device': 'mknod device b 8 0',
          'the switches of the kernel': ': >> /proc/sys/kernel/core_pattern',
          'the space of the first process': 'nsenter -t 1 -m true',
          'the system': 'touch /usr/canary || touch /etc/canary || touch /canary',
          'a variable of the machine': 'env | grep -q NODE_LEAK',
          'many processes': '[ $(ls -d /proc/[0-9]* | wc -l) -gt 12 ]',
          'an open file of the worker': '[ -e /proc/self/fd/3 ]',
        };
        const own =
          'touch here "$HOME/there" /tmp/x "$TMPDIR/y" && git status && echo made > src/new && echo own is fine';
        const caged = await agent(
          `${tries({ ...attacks, ...only })}\n${own}\ngrep -E 'NoNewPrivs|CapEff' /proc/self/status; grep -c . /proc/net/tcp`,
          STRICT,
        );
        expect(did(caged.said), caged.said).toEqual([]);
        expect(caged.said).toContain('own is fine');
        expect(caged.said.replaceAll('\t', ' ')).toMatch(/CapEff: 0{16}\nNoNewPrivs: 1\n/);
        expect([existsSync(`${home}/canary`), existsSync(`${home}/canary-2`)]).toEqual([false, false]);
        expect(isAlive(Number(victim))).toBe(true);
        expect(existsSync(`${caged.dir}/home/there`)).toBe(true);
        // The system's /tmp is not theirs: what they leave there goes with the attempt.
        expect(existsSync(`${caged.dir}/tmp/x`)).toBe(true);
        const basic = await agent('env | grep -c NODE_LEAK; echo "$HOME"', DEFAULT_CAGE);
        expect(basic.said.startsWith(`0\n${basic.dir}/home\n`), basic.said).toBe(true);
      } finally {
        server.close();
        await client.call({ op: 'cancel', token: other.token, reason: 'over', epoch: 1 });
      }
    });

    test('reaches the hosts of its list through the way out, and nothing else', async () => {
      await connect();
      const server = await listening('the model');
      const closed = await listening('not for you');
      const { port } = server.address() as { port: number };
      const { port: other } = closed.address() as { port: number };
      const ask = `
        const { connect } = require('net');
        const { port } = new URL(process.env.HTTPS_PROXY);
        const say = (name, port, text) => new Promise((done) => {
          let got = '';
          const socket = connect(port, '127.0.0.1', () => socket.write(text));
          socket.on('data', (bytes) => { got += bytes; if (got.includes('the model')) socket.end(); });
          socket.on('error', () => {}).on('close', () => { console.log(name + ': ' + (got.split('\\r\\n')[0] || 'nothing') + ' ' + got.includes('the model')); done(); });
        });
        const get = 'GET / HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n';
        (async () => {
          await say('allowed', port, 'CONNECT 127.0.0.1:${port} HTTP/1.1\\r\\n\\r\\n' + get);
          await say('plain', port, 'GET http://127.0.0.1:${port}/ HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n');
          await say('other port', port, 'CONNECT 127.0.0.1:${other} HTTP/1.1\\r\\n\\r\\n' + get);
          await say('other plain', port, 'GET http://127.0.0.1:${other}/ HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n');
          await say('other host', port, 'CONNECT example.com:443 HTTP/1.1\\r\\n\\r\\n');
          await say('metadata', port, 'CONNECT 169.254.169.254:80 HTTP/1.1\\r\\n\\r\\n');
          await say('direct', ${port}, get);
          await say('sshd', 22, get);
        })();`;
      try {
        const script = `cat > src/ask.cjs <<'EOF'\n${ask}\nEOF\nnode src/ask.cjs; [ -e /proc/self/fd/4 ] && echo channel; [ -z "$NODE_CHANNEL_FD" ] || echo named`;
        const { said, outcome } = await agent(script, { ...STRICT, network: [`127.0.0.1:${port}`] });
        expect(said).toBe(
          [
            'allowed: HTTP/1.1 200 Connection Established true',
            'plain: HTTP/1.1 200 OK true',
            `dispatch: the cage does not let it reach 127.0.0.1:${other}`,
            'other port: HTTP/1.1 403 Forbidden false',
            'other plain: HTTP/1.1 403 Forbidden false',
            'dispatch: the cage does not let it reach example.com:443',
            'other host: HTTP/1.1 403 Forbidden false',
            'dispatch: the cage does not let it reach 169.254.169.254:80',
            'metadata: HTTP/1.1 403 Forbidden false',
            'direct: nothing false',
            'sshd: nothing false',
            '',
          ].join('\n'),
        );
        expect(outcome).toMatchObject({ kind: 'done' });
        const whole = await agent(
          `node -e 'require("http").get("http://127.0.0.1:${port}", (r) => r.pipe(process.stdout))'`,
          { ...STRICT, network: true },
        );
        expect(whole.said).toContain('the model');
      } finally {
        server.close();
        closed.close();
      }
    });

    test('is ended with everything that it started: a daemon that hides, at its end and at a cancel', async () => {
      await connect();
      const mark = `32${Math.floor(Math.random() * 1e7)}`;
      const daemon = `env -i setsid nohup sh -c ': > hidden; exec sleep ${mark}' >/dev/null 2>&1 & until [ -e hidden ]; do sleep 0.05; done; rm hidden`;
      for (const cage of [STRICT, ...(groups ? [DEFAULT_CAGE] : [])]) {
        await agent(`${daemon}; echo x > src/x`, cage);
        await until(() => withText(mark).length === 0);
      }
      const order = treeOrder(
        project,
        `${daemon}; trap 'echo asked; exit 3' TERM; touch up; while :; do sleep 0.1; done`,
        {},
        {
          verify: null,
          cage: STRICT,
        },
      );
      await client.call({ op: 'start', order });
      await until(() => existsSync(`${node.root}/attempts/${order.token}/tree/up`));
      await client.call({ op: 'cancel', token: order.token, reason: 'enough', epoch: 1 });
      expect(await client.ended(order.token)).toMatchObject({ kind: 'cancelled' });
      // It was asked before it was ended.
      expect(node.file(order.token, 'agent.log')).toContain('asked');
      await until(() => withText(mark).length === 0);
    });

    test('works in rounds: it keeps its HOME, reads what the gates said, counts its usage; its result is collected', async () => {
      await connect();
      const script = [
        'echo "round $DISPATCH_ROUND" >> "$HOME/diary"; cat "$DISPATCH_PROMPT" "$DISPATCH_GATE_OUTPUT_FILE" > /tmp/read',
        `echo '{"inputTokens": 10, "outputTokens": 1}' > "$DISPATCH_USAGE_FILE"`,
        'cp "$HOME/diary" src/a.txt; git -c user.name=a -c user.email=a@b commit -qam mine; cat /tmp/read',
      ].join('\n');
      const order = treeOrder(
        project,
        script,
        {},
        {
          retries: 1,
          cage: STRICT,
          verify: 'grep -q "round 2" src/a.txt || { echo so far only one; exit 1; }',
        },
      );
      await client.call({ op: 'start', order });
      expect(await client.ended(order.token)).toMatchObject({
        kind: 'done',
        rounds: 2,
        usage: { inputTokens: 20, outputTokens: 2 },
      });
      expect(project.show(await project.fetch(client, order), 'src/a.txt')).toBe('round 1\nround 2');
      expect(node.file(order.token, 'agent.log')).toMatch(/the prompt[^]*so far only one/);
      await client.call({ op: 'forget', token: order.token, epoch: 1 });
      expect(readdirSync(`${node.root}/done/${order.token}`)).not.toContain('home');
      expect(readdirSync(`${node.root}/done/${order.token}`)).not.toContain('tmp');
    });
  },
);

describe.skipIf(noSandbox !== null || process.getuid?.() !== 0)('an agent of an ordinary account', () => {
  test('is caged as root’s is: its own HOME and copies of its login, the way out, a bound on processes, no other file', async () => {
    mkdirSync(join(home, '.agent'));
    writeFileSync(join(home, '.agent', 'login.json'), 'the login');
    giveAway(home, `${home}/.ssh`, `${home}/.ssh/id_ed25519`, `${home}/.agent`);
    chmodSync(home, 0o755);
    await node.clean();
    const ordinary = ordinaryNode({ HOME: home, DISPATCH_DISK_MS: '50' });
    node = ordinary.node;
    const server = await listening('the model');
    try {
      await connect(ordinary.wrapper);
      const { port } = server.address() as { port: number };
      const script = [
        'cat "$HOME/.agent/login.json" && echo',
        `node -e 'const { port } = new URL(process.env.HTTP_PROXY); require("http").get({ port, path: "http://127.0.0.1:${port}/" }, (r) => r.pipe(process.stdout))' && echo`,
        tries({
          'reads a key': `cat ${home}/.ssh/id_ed25519`,
          'writes a login': `echo x > ${home}/.agent/login.json`,
          'goes around': `node -e 'require("net").connect(${port}, "127.0.0.1").on("error", () => process.exit(1)).on("connect", () => process.exit(0))'`,
          'makes a namespace': 'unshare -U true',
        }),
        'n=0; while [ $n -lt 60 ]; do sleep 600 & n=$((n+1)); done; echo all of them',
      ].join('\n');
      const { said } = await agent(
        script,
        { ...STRICT, network: [`127.0.0.1:${port}`], limits: { ...STRICT.limits, processes: 40 } },
        { executor: { ...shell(script), call: { homeFiles: ['.agent/login.json', '.agent/none.json'] } } },
      );
      expect(said).toMatch(/^the login\nthe model\n[^]*fork/);
      expect(did(said)).toEqual([]);
      expect(said).not.toContain('all of them');
      const hider =
        'mkdir "$HOME/shut"; for n in 1 2 3 4 5 6; do head -c 4000000 /dev/zero > "$HOME/shut/$n"; done; chmod 000 "$HOME/shut"; sleep 600';
      const hidden = await agent(hider, { ...STRICT, limits: { ...STRICT.limits, disk: 16 * 1024 ** 2 } });
      expect(hidden.outcome).toMatchObject({ kind: 'failed', limit: 'disk' });
    } finally {
      server.close();
    }
  });
});

if (!groups)
  process.stderr.write('\nSKIPPED: no control group can be made here, so its bounds are not tried\n\n');

describe.each([
  ['basic', DEFAULT_CAGE],
  ['strict', STRICT],
] as const)('an agent in cage: %s', (level, cage) => {
  const limited = (limits: Partial<CageRules['limits']>): CageRules => ({
    ...cage,
    limits: { ...cage.limits, ...limits },
  });

  test.skipIf((level === 'strict' && noSandbox !== null) || process.platform !== 'linux')(
    'that outgrows a bound fails of it by name: disk, file size, memory, processes',
    async () => {
      await connect();
      const filler =
        'for n in 1 2 3 4 5 6 7 8; do head -c 4000000 /dev/zero > "$HOME/fill-$n"; done; sleep 600';
      const disk = await agent(filler, limited({ disk: 16 * 1024 ** 2 }));
      expect(disk.outcome).toMatchObject({
        kind: 'failed',
        cause: 'executor',
        limit: 'disk',
        message: expect.stringMatching(/outgrew 16 MiB.*its files take \d/),
      });

      const large = await agent('exec head -c 5000000 /dev/zero > big', limited({ fileSize: 1_000_000 }));
      expect(large.outcome).toMatchObject({ kind: 'refused' });
      expect(statSync(`${large.dir}/tree/big`).size).toBeLessThanOrEqual(1_000_448);

      if (!groups) return;
      const memory = await agent(
        'head -c 400000000 /dev/zero | tail; exit 1',
        limited({ memory: 96 * 1024 ** 2 }),
      );
      expect(memory.outcome).toMatchObject({
        kind: 'failed',
        limit: 'memory',
        message: expect.stringContaining('may have 96 MiB'),
      });
      const bomb = 'n=0; while [ $n -lt 150 ]; do sleep 600 & n=$((n+1)); done; echo all of them; exit 1';
      const forks = await agent(bomb, limited({ processes: 40 }));
      expect(forks.outcome).toMatchObject({ kind: 'failed', limit: 'processes' });
      expect(forks.said).not.toContain('all of them');
    },
  );
});

async function listening(words = ''): Promise<Server> {
  const server = createServer((_asked, answer) => answer.end(words));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function withText(text: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || !isAlive(Number(pid))) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text);
    } catch {
      return false;
    }
  });
}
