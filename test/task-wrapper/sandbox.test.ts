/** A node with a sandbox, one without, and what both say about it. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DEFAULT_SANDBOX } from '../../src/model/sandbox.ts';
import { bubblewrapped, gatePlaces } from '../../task-wrapper/sandbox-bubblewrap.ts';
import { limited } from '../../task-wrapper/sandbox-limits.ts';
import { fixFor } from '../../task-wrapper/sandbox-probe.ts';
import { profileText } from '../../task-wrapper/sandbox-profile.ts';
import { systemView } from '../../task-wrapper/sandbox-view.ts';
import { openRoot } from '../../task-wrapper/root.ts';
import { type Client, plainOrder, TestNode } from './client.ts';
import { Project, treeOrder } from './project.ts';
import { gateOrder, noSandbox, runGate } from './sandbox-here.ts';

let dir: string;
let node: TestNode | null;
let project: Project;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'sandbox-')));
  node = null;
  project = new Project({ 'src/a.txt': 'a\n', 'test.sh': 'true\n' });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  project.clean();
  await node?.clean();
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

async function nodeWith(env: Record<string, string>): Promise<{ on: TestNode; client: Client }> {
  const on = new TestNode(env);
  node = on;
  const client = await on.join();
  await project.put(client);
  return { on, client };
}

describe('a node whose bubblewrap does not work', () => {
  const refusal =
    'bwrap: No permissions to create new namespace, likely because the kernel does not allow it';

  async function withoutSandbox(): Promise<{ on: TestNode; client: Client }> {
    writeFileSync(join(dir, 'bwrap'), `#!/bin/sh\necho '${refusal}' >&2\nexit 1\n`);
    chmodSync(join(dir, 'bwrap'), 0o755);
    return await nodeWith({ PATH: `${dir}:${process.env.PATH}` });
  }

  test('refuses to verify, blames nobody, and says why and what mends it', async () => {
    const { on, client } = await withoutSandbox();
    const wrong = { kind: 'failed', cause: 'gate', message: expect.stringContaining(refusal) };
    expect((await runGate(on, client, gateOrder(project, 'touch ran'))).outcome).toMatchObject(wrong);
    const work = treeOrder(project, 'echo b > src/a.txt');
    expect((await runGate(on, client, work)).outcome).toMatchObject(wrong);
    const { sandbox } = await client.call({ op: 'probe', programs: [] });
    expect(sandbox).toMatchObject({ by: null, detail: expect.stringContaining(refusal) });
    expect(sandbox?.fix).not.toBeNull();
  });

  test('verifies for a project that is trusted, and runs what has nothing to verify', async () => {
    const { on, client } = await withoutSandbox();
    expect((await runGate(on, client, gateOrder(project, 'true', { trusted: true }))).outcome.kind).toBe(
      'done',
    );
    expect((await runGate(on, client, plainOrder('true'))).outcome.kind).toBe('done');
  });
});

test('a node without bubblewrap says how to get it', async () => {
  // Everything that the worker needs, and not the one.
  for (const name of readdirSync('/usr/bin'))
    if (name !== 'bwrap') symlinkSync(`/usr/bin/${name}`, join(dir, name));
  if (!existsSync(join(dir, 'node'))) symlinkSync(process.execPath, join(dir, 'node'));
  const { on, client } = await nodeWith({ PATH: dir });
  expect((await runGate(on, client, gateOrder(project, 'true'))).outcome).toMatchObject({
    kind: 'failed',
    cause: 'gate',
    message: expect.stringContaining('apt install bubblewrap'),
  });
});

test.each([
  [{ apparmor: true, unprivileged: true, most: 1 }, '/etc/apparmor.d/bwrap'],
  [{ apparmor: false, unprivileged: false, most: 1 }, 'kernel.unprivileged_userns_clone=1'],
  [{ apparmor: false, unprivileged: true, most: 0 }, 'user.max_user_namespaces'],
  [{ apparmor: false, unprivileged: true, most: 1 }, 'container'],
])('the fix goes with what the kernel says: %j', (settings, part) => {
  expect(fixFor(settings)).toContain(part);
});

describe.skipIf(noSandbox !== null)(
  `a node with bubblewrap${noSandbox === null ? '' : ` (${noSandbox})`}`,
  () => {
    test('says so', async () => {
      const { client } = await nodeWith({});
      const { sandbox } = await client.call({ op: 'probe', programs: [] });
      expect(sandbox).toMatchObject({
        by: 'bubblewrap',
        detail: expect.stringMatching(/^bubblewrap \d/),
        fix: null,
      });
    });

    test('finds programs of the PATH that lie in a home, with their libraries, and nothing else of it', async () => {
      const home = join(dir, 'home');
      const prefix = join(home, '.nvm/v1');
      for (const at of ['bin', 'lib', 'etc']) mkdirSync(join(prefix, at), { recursive: true });
      writeFileSync(join(prefix, 'bin/tool'), `#!/bin/sh\ncat ${prefix}/lib/word\n`, { mode: 0o755 });
      writeFileSync(join(prefix, 'lib/word'), 'found\n');
      writeFileSync(join(prefix, 'etc/npmrc'), 'token\n');
      mkdirSync(join(home, 'cache'));
      writeFileSync(join(home, 'cache/model'), 'weights\n');
      const { on, client } = await nodeWith({
        HOME: home,
        PATH: `${prefix}/bin:${home}:${process.env.PATH}`,
      });
      const look = `tool; cat ${prefix}/etc/npmrc ${home}/cache/model 2>/dev/null; touch ${prefix}/bin/x ${home}/cache/x 2>/dev/null; true`;
      expect((await runGate(on, client, gateOrder(project, look))).said).toBe('found\n');
      const named = gateOrder(project, look, { readOnly: ['~/cache', '/not/there'] });
      expect((await runGate(on, client, named)).said).toBe('found\nweights\n');
      expect(spawnSync('find', [home, '-name', 'x'], { encoding: 'utf8' }).stdout).toBe('');
    });

    test('tells exit codes, signals and missing programs apart as it does without', async () => {
      const { on, client } = await nodeWith({});
      const kinds: unknown[] = [];
      for (const verify of ['exit 3', 'no-such-program', 'kill -9 $$', 'kill -TERM $$', './src/a.txt'])
        kinds.push((await runGate(on, client, gateOrder(project, verify))).outcome);
      expect(kinds).toMatchObject([
        { kind: 'refused' },
        { kind: 'failed', cause: 'gate', exitCode: 127 },
        { kind: 'failed', cause: 'gate', exitCode: 137 },
        { kind: 'failed', cause: 'gate', exitCode: 143 },
        { kind: 'failed', cause: 'gate', exitCode: 126 },
      ]);
    });

    test('that fails to build one sandbox blames no branch for it', async () => {
      // Works until there is a file that says otherwise.
      const real = spawnSync('which', ['bwrap'], { encoding: 'utf8' }).stdout.trim();
      const fake = `#!/bin/sh\n[ -e ${dir}/exhausted ] && set -- --ro-bind /not/there /x "$@"\nexec ${real} "$@"\n`;
      writeFileSync(join(dir, 'bwrap'), fake, { mode: 0o755 });
      const { on, client } = await nodeWith({ PATH: `${dir}:${process.env.PATH}` });
      expect((await runGate(on, client, gateOrder(project, 'exit 1'))).outcome.kind).toBe('refused');
      writeFileSync(join(dir, 'exhausted'), '');
      const broken = { kind: 'failed', cause: 'gate', message: expect.stringContaining('/not/there') };
      expect((await runGate(on, client, gateOrder(project, 'true'))).outcome).toMatchObject(broken);
      const work = treeOrder(project, 'echo b > src/a.txt');
      expect((await runGate(on, client, work)).outcome).toMatchObject(broken);
    });

    test.skipIf(process.getuid?.() !== 0)('cages for an ordinary user as it does for root', () => {
      const nobody = 65534;
      const [tree, home, tmp] = ['tree', 'home', 'tmp'].map((name) => join(dir, name)) as [
        string,
        string,
        string,
      ];
      for (const place of [dir, tree, home, tmp]) {
        mkdirSync(place, { recursive: true });
        chownSync(place, nobody, nobody);
      }
      const script =
        'touch /tree/own; ls / | tr "\\n" " "; n=0; while [ $n -lt 60 ]; do sleep 5 & n=$((n+1)); done; echo all of them';
      vi.stubEnv('PATH', '/usr/bin:/bin');
      const limits = { ...DEFAULT_SANDBOX.limits, processes: 20 };
      const [program = '', ...args] = bubblewrapped(limited(script, limits, true), {
        program: 'bwrap',
        nestedOff: true,
        view: systemView(openRoot(join(dir, 'root')), []),
        env: { PATH: '/usr/bin:/bin' },
        places: gatePlaces({ tree, home, tmp }),
        shown: [],
        network: false,
        reports: false,
      });
      const { stdout, stderr, status } = spawnSync(program, args, {
        uid: nobody,
        gid: nobody,
        encoding: 'utf8',
      });
      expect({ status, stdout }, stderr).toMatchObject({
        status: 2,
        stdout: expect.stringMatching(/^bin dev etc home .*tree usr /),
      });
      expect(stderr).toContain('fork');
    });
  },
);

describe('the profile for macOS', () => {
  const cage = {
    root: '/Users/ada/agent-worker',
    writable: ['/Users/ada/agent-worker/attempts/1/check'],
    readable: ['/Users/ada/"cache"'],
    network: false,
  };

  test('denies everything first, hides homes and the worker, and shows the attempt what is its own last', () => {
    const lines = profileText(cage).split('\n');
    expect(lines[1]).toBe('(deny default)');
    const at = (part: string): number => lines.findIndex((line) => line.includes(part));
    expect(at('deny file-read-data')).toBeGreaterThan(at('(allow file-read* (subpath "/"))'));
    expect(lines[at('deny file-read-data')]).toContain('(subpath "/Users") ');
    expect(lines[at('deny file-read-data')]).toContain('(subpath "/Users/ada/agent-worker")');
    expect(at('attempts/1/check')).toBeGreaterThan(at('deny file-read-data'));
    expect(profileText(cage)).toContain('(subpath "/Users/ada/\\"cache\\"")');
  });

  test('allows no network but its own loopback, unless the project does', () => {
    expect(profileText(cage)).not.toContain('(allow network*)');
    expect(profileText({ ...cage, network: true })).toContain('(allow network*)');
  });
});
