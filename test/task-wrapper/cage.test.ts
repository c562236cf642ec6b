/** What a cage is made of, where the machine of the tests cannot show it: systemd, macOS, a node without a sandbox. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DEFAULT_CAGE } from '../../src/model/cage.ts';
import { HomeRefused, makeHome } from '../../task-wrapper/cage-home.ts';
import { limitMet } from '../../task-wrapper/sandbox-group.ts';
import { agentProfile } from '../../task-wrapper/sandbox-profile.ts';
import { scoped, scopeMet } from '../../task-wrapper/scope.ts';
import { TestNode } from './client.ts';
import { Project, treeOrder } from './project.ts';

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'cage-')));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

test('a scope of systemd bounds the command, hides the manager from it, and leaves the counters of the kernel', () => {
  const counters = join(dir, 'counters');
  const argv = scoped(['/bin/sh', '-c', 'echo "$0 [$XDG_RUNTIME_DIR]"; exit 7', 'it ran'], {
    unit: 'dispatch-x',
    limits: { memory: 96 * 1024 ** 2, processes: 40, cpus: 1.5 },
    dir: '/run/user/1000',
    counters,
  });
  expect(argv.slice(0, argv.indexOf('--')).join(' ')).toBe(
    '/usr/bin/env XDG_RUNTIME_DIR=/run/user/1000 systemd-run --user --scope --quiet --collect --unit=dispatch-x -p MemoryMax=100663296 -p MemorySwapMax=0 -p TasksMax=40 -p CPUQuota=150%',
  );
  // What systemd-run does in the end: it becomes the command.
  writeFileSync(
    join(dir, 'systemd-run'),
    '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n',
  );
  chmodSync(join(dir, 'systemd-run'), 0o755);
  const [program = '', ...args] = argv;
  const ran = spawnSync(program, args, { env: { PATH: `${dir}:/usr/bin:/bin` }, encoding: 'utf8' });
  expect(ran).toMatchObject({ status: 7, stdout: 'it ran []\n' });
  expect(readFileSync(counters, 'utf8')).toBeDefined();
});

describe('the counters of the kernel name the bound that was met', () => {
  test.each([
    ['low 0\nmax 12\noom 3\noom_kill 2\n', 'max 0\n', 'memory'],
    ['low 0\nmax 12\noom 0\noom_kill 0\n', 'max 0\n', null],
    ['oom_kill_disable 0\nunder_oom 0\noom_kill 1\n', '', 'memory'],
    ['oom_kill 0\n', 'max 5\n', 'processes'],
    ['', '', null],
  ])('%j and %j: %s', (memory, processes, met) => {
    expect(limitMet({ memory, processes })).toBe(met);
    writeFileSync(join(dir, 'counters'), memory + processes.replace('max', 'forks'));
    expect(scopeMet(join(dir, 'counters'))).toBe(met);
  });
});

test('the HOME of an attempt has copies of what its executor names, made anew, and nothing else', async () => {
  vi.stubEnv('HOME', join(dir, 'user'));
  mkdirSync(join(dir, 'user/.agent/deep'), { recursive: true });
  writeFileSync(join(dir, 'user/.agent/login.json'), 'the login', { mode: 0o600 });
  writeFileSync(join(dir, 'user/.agent/deep/more'), 'more');
  writeFileSync(join(dir, 'user/secret'), 'no');
  mkdirSync(join(dir, 'home'));
  writeFileSync(join(dir, 'home/left'), 'by somebody');
  await makeHome(join(dir, 'home'), ['.agent/login.json', '.agent/deep', '.not-there']);
  const { stdout } = spawnSync('find', ['.', '-type', 'f', '-printf', '%p %m\\n'], {
    cwd: join(dir, 'home'),
    encoding: 'utf8',
  });
  expect(stdout.trim().split('\n').sort()).toEqual(['./.agent/deep/more 644', './.agent/login.json 600']);
  expect(readFileSync(join(dir, 'home/.agent/login.json'), 'utf8')).toBe('the login');

  spawnSync('truncate', ['-s', '65M', join(dir, 'user/.agent/cache')]);
  await expect(makeHome(join(dir, 'home'), ['.agent'])).rejects.toThrow(HomeRefused);
});

test('on macOS an agent writes its tree, HOME and /tmp, reads its prompt, and reaches nothing but the loopback', () => {
  const profile = agentProfile({
    root: '/Users/a/agent-worker',
    own: ['/Users/a/agent-worker/attempts/t/tree', '/Users/a/agent-worker/attempts/t/home'],
    shown: ['/Users/a/agent-worker/attempts/t/prompt.md'],
    network: false,
  });
  const at = (text: string): number => profile.indexOf(text);
  expect(at('(deny default)')).toBeGreaterThan(0);
  expect(profile).toContain('(allow file-read* (subpath "/Users/a/agent-worker/attempts/t/prompt.md"))');
  expect(profile).toContain(
    '(allow file-read* file-write* (subpath "/Users/a/agent-worker/attempts/t/tree") (subpath "/Users/a/agent-worker/attempts/t/home"))',
  );
  // Later rules win: homes and the worker are hidden before its own places are shown.
  expect(at('(deny file-read-data (subpath "/Users")')).toBeLessThan(at('attempts/t/prompt.md'));
  expect(profile).toContain('(remote ip "localhost:*")');
  expect(profile).not.toContain('(allow network*)');
  expect(agentProfile({ root: '/r', own: ['/r/t'], shown: [], network: true })).toContain('(allow network*)');
});

test('where bubblewrap does not work an agent in cage: strict is refused before it starts, with what mends it', async () => {
  writeFileSync(join(dir, 'bwrap'), "#!/bin/sh\necho 'bwrap: No permissions' >&2\nexit 1\n");
  chmodSync(join(dir, 'bwrap'), 0o755);
  const node = new TestNode({ PATH: `${dir}:${process.env.PATH}` });
  const project = new Project({ 'src/a.txt': 'a\n', 'test.sh': 'true\n' });
  try {
    const client = await node.join();
    await project.put(client);
    const cage = { ...DEFAULT_CAGE, level: 'strict' as const };
    const order = treeOrder(project, 'echo it ran; echo x > src/x', {}, { verify: null, cage });
    await client.call({ op: 'start', order });
    expect(await client.ended(order.token)).toMatchObject({
      kind: 'failed',
      cause: 'executor',
      message: expect.stringMatching(
        /^this node has no sandbox for agents in `cage: strict`: bubblewrap does not work: bwrap: No permissions\. .*; or say `cage: basic`/,
      ),
    });
    expect(node.file(order.token, 'agent.log')).toBe('');
  } finally {
    project.clean();
    await node.clean();
  }
});
