/** Machines that something ails: each is mended by itself where that can be, and shown; work goes on elsewhere meanwhile. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mayMount, SmallDisk } from './disk.ts';
import { type Home, makeHome, PROJECT, sshNode } from './home.ts';
import type { Running } from './running.ts';
import { startSshd } from './sshd.ts';

/** These stories start many programs; on a machine at its limit each of them takes seconds. */
const LIMIT_MS = 180_000;
const PATIENCE_MS = 90_000;

/** The news about a node so far: `ails low disk: …`. */
function newsOf(started: Running, node: string): string[] {
  return started.lines.flatMap(({ data }) =>
    data?.about === `node ${node}` ? [`${String(data.word)} ${String(data.detail)}`] : [],
  );
}

async function hears(started: Running, node: string, words: RegExp, times = 1): Promise<void> {
  await started.until(
    `${String(words)} of ${node}`,
    () => newsOf(started, node).filter((line) => words.test(line)).length >= times,
    PATIENCE_MS,
  );
}

/** `dispatch nodes` as a program reads it. */
async function nodesOf(home: Home): Promise<Map<string, NodeRow>> {
  const { stdout } = await home.dispatch(['nodes', '-o', 'json']);
  const { data } = JSON.parse(stdout) as { data: readonly NodeRow[] };
  return new Map(data.map((row) => [row.node, row]));
}

interface NodeRow {
  readonly node: string;
  readonly mark: string;
  readonly health: {
    readonly ailments: readonly { readonly kind: string }[];
    readonly healed: readonly { readonly kind: string }[];
    readonly faults: readonly unknown[];
  };
}

function healedOn(row: NodeRow | undefined): string[] {
  return row?.health.healed.map(({ kind }) => kind) ?? [];
}

describe('a node', { timeout: LIMIT_MS }, () => {
  test('whose tmux loses its socket, then its server, mends both itself; what was lost runs again', async () => {
    const home = makeHome({
      tasks: { A: { agent: 'mark "began-A-$DISPATCH_ATTEMPT"; await go; put src/A.txt a' } },
    });
    const started = home.start({ limitMs: LIMIT_MS });
    await home.marked('began-A-1', PATIENCE_MS);
    const server = home.tmux('here', 'display-message', '-p', '#{pid}');
    rmSync(join(home.root('here'), 'run', 'tmux.sock'));
    await hears(started, 'here', /^healed lost tmux socket/u);
    expect(home.tmux('here', 'display-message', '-p', '#{pid}')).toBe(server);

    process.kill(Number(server), 'SIGKILL');
    await hears(started, 'here', /^ails dead tmux server/u);
    await hears(started, 'here', /^healed dead tmux server/u);
    await home.marked('began-A-2', PATIENCE_MS);
    expect(home.tmux('here', 'display-message', '-p', '#{pid}')).not.toBe(server);
    const screen = await home.dispatch(['nodes']);
    expect(screen.stderr).toMatch(/here: healed .* ago: dead tmux server/u);
    expect(screen.stderr).toMatch(/here: healed .* ago: lost tmux socket/u);
    home.mark('go');
    expect((await started.ended).code).toBe(0);
    expect(healedOn((await nodesOf(home)).get('here'))).toEqual(['tmux-server', 'tmux-socket']);
    expect(home.attempts()).toEqual(['A 1', 'A 2']);
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });

  test.skipIf(!mayMount())(
    'whose disk is low is swept, left alone while that is not enough, and used again by itself (skipped where no tmpfs may be mounted)',
    async () => {
      const sshd = await startSshd({ env: { DISPATCH_RESERVE_BYTES: String(30 * 2 ** 20) } });
      onTestFinished(() => sshd.stop());
      const home = makeHome({ nodes: [sshNode('box', sshd)], tasks: { A: {} } });
      const disk = new SmallDisk(home.root('box'), '64m');
      put(disk.path, 'pool/old/1/tree/big', 8);
      put(disk.path, 'trash/work/tree/big', 1);
      put(disk.path, 'filler', 40);
      const started = home.start({ limitMs: LIMIT_MS });
      await hears(started, 'box', /^ails low disk: \d+ MiB are free, 30 are kept in reserve/u);
      await hears(started, 'box', /^repair low disk: swept: \d+ MiB freed: 1 warm trees/u);
      expect(readdirSync(join(disk.path, 'pool/old'))).toEqual([]);
      expect(existsSync(join(disk.path, 'trash/work/tree/big'))).toBe(true);
      const status = await home.dispatch(['status']);
      expect(status.stderr).toMatch(/alert P1: box: E_NODE_NO_SPACE: low disk/u);
      expect((await home.dispatch(['why', 'A'])).stdout).toContain('are kept in reserve');
      expect(home.executions()).toEqual([]);
      disk.free();
      await hears(started, 'box', /^healed low disk/u);
      expect((await started.ended).code).toBe(0);
      // An order that was on its way when the disk was looked at first was refused; it never ran.
      expect(home.executions()).toHaveLength(1);
      expect((await home.dispatch(['status'])).stderr).not.toContain('alert');
    },
  );

  test('that fails whatever it is given is placed last, restarted, cordoned; another does the work, and it comes back', async () => {
    const ids = Array.from({ length: 16 }, (_, i) => `T${i + 10}`);
    const home = makeHome({
      nodes: [
        { name: 'bad', local: true, slots: 4 },
        { name: 'good', local: true, slots: 2 },
      ],
      // Nothing merges, so every attempt starts from the same commit.
      project: { review: 'always', max_attempts: 3 },
      tasks: Object.fromEntries(
        ids.map((id) => [id, { agent: `await go; put src/${id}.txt done`, verify: 'true' }]),
      ),
    });
    const tip = home.git('rev-parse', 'main').trim();
    const mirror = breakMirror(home, 'bad', tip);
    const started = home.start({ limitMs: LIMIT_MS });
    await hears(started, 'bad', /^ails attempts fail: \d+ attempts in a row/u);
    const before = home.supervisor('bad');
    await hears(started, 'bad', /^repair attempts fail: its supervisor was restarted: another/u);
    await hears(started, 'bad', /^marked cordoned, by dispatch/u);
    expect(home.supervisor('bad')).not.toBe(before);
    const screen = await home.dispatch(['nodes']);
    expect(screen.stdout).toMatch(/^bad\tup cordon\t/mu);
    expect(screen.stderr).toMatch(/alert P1: bad: E_NODE_FAILING: attempts fail \(\d+ attempts in a row/u);
    expect(screen.stderr).toContain('dispatch nodes uncordon bad');

    rmSync(mirror, { recursive: true });
    expect((await home.dispatch(['nodes', 'uncordon', 'bad'])).code).toBe(0);
    home.mark('go');
    expect((await started.ended).code).toBe(3);
    const words = await home.words();
    expect(ids.filter((id) => words[id] !== 'review')).toEqual([]);
    const bad = (await nodesOf(home)).get('bad');
    expect(bad).toMatchObject({ mark: 'none', health: { ailments: [], faults: [] } });
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });

  test('that another process drains takes nothing more from the controller that runs, until it is in use again', async () => {
    const home = makeHome({
      nodes: [{ name: 'here', local: true, slots: 1 }],
      tasks: { A: { agent: 'mark began-A; await go; put src/A.txt a' }, B: {} },
    });
    const serve = home.spawn(['serve', '-o', 'ndjson'], { limitMs: LIMIT_MS });
    await serve.until('that it serves', () => serve.lines.some(({ type }) => type === 'Serve'), PATIENCE_MS);
    const watched = home.start({ limitMs: LIMIT_MS });
    await home.marked('began-A', PATIENCE_MS);
    expect((await home.dispatch(['nodes', 'drain', 'here'])).code).toBe(0);
    home.mark('go');
    await serve.news(`${PROJECT}/A`, 'ended', PATIENCE_MS);
    // Its slot is free, and nothing can happen without a person.
    expect((await watched.ended).code).toBe(3);
    expect((await home.dispatch(['why', 'B'])).stdout).toContain('here: finishes what it has');
    expect((await home.dispatch(['nodes', 'uncordon', 'here'])).code).toBe(0);
    await serve.news(`${PROJECT}/B`, 'merged', PATIENCE_MS);
    serve.signal('SIGTERM');
    expect((await serve.ended).code).toBe(0);
    const words = serve.lines.map(({ data }) => `${String(data?.about)} ${String(data?.word)}`);
    const details = serve.lines.map(({ data }) => String(data?.detail));
    const [drained, used] = [details.indexOf('drained'), details.indexOf('in use again')];
    expect(drained).toBeGreaterThan(words.indexOf(`${PROJECT}/A running`));
    expect(words.slice(drained, used).filter((word) => word.endsWith(' running'))).toEqual([]);
    expect(words.indexOf(`${PROJECT}/B running`)).toBeGreaterThan(used);
  });
});

/** A file of so many MiB. */
function put(dir: string, path: string, mib: number): void {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Buffer.alloc(mib * 2 ** 20, 1));
}

/** A mirror that says it has the commit, and has none of its objects: no tree can be made of it. */
function breakMirror(home: Home, node: string, commit: string): string {
  const mirror = join(home.root(node), 'repos', `${PROJECT}.git`);
  for (const dir of ['refs/base', 'objects']) mkdirSync(join(mirror, dir), { recursive: true });
  writeFileSync(join(mirror, 'HEAD'), 'ref: refs/heads/none\n');
  writeFileSync(join(mirror, 'config'), '[core]\n\tbare = true\n');
  writeFileSync(join(mirror, 'refs/base', commit), `${commit}\n`);
  expect(readFileSync(join(mirror, 'HEAD'), 'utf8')).toContain('none');
  return mirror;
}
