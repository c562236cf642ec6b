/**
 * What a tree at a new commit costs: a cold one (every file written), a warm one (a kept tree of an attempt before,
 * brought to the new base), and `git clone --shared` for comparison, on 5,000 files of which 50 differ between bases and
 * 20 were changed by the agent before. Prints milliseconds, the median of the runs.
 *
 *   npx tsx bench/slot.ts [files] [runs]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mirrorPut } from '../src/git/mirror.ts';
import { writeBundle } from '../src/git/bundle.ts';
import { snapshot } from '../src/git/snapshot.ts';
import {
  checkoutCold,
  checkoutWarm,
  makeAgentRepository,
  makeBorrowing,
  type TreePlace,
} from '../src/git/tree.ts';
import { type CommitId, commitId } from '../src/model/ids.ts';

const FILES = Number(process.argv[2] ?? 5000);
const RUNS = Number(process.argv[3] ?? 7);

const top = realpathSync(mkdtempSync(join(tmpdir(), 'bench-slot-')));
try {
  await bench();
} finally {
  rmSync(top, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const { first, second } = project();
  const mirror = join(top, 'mirror.git');
  const bundle = join(top, 'all.bundle');
  await writeBundle({ gitDir: join(top, 'repo/.git') }, bundle, [first, second], []);
  await mirrorPut(mirror, bundle, [first, second]);

  const figures = {
    cold: [] as number[],
    warm: [] as number[],
    clone: [] as number[],
    snapshot: [] as number[],
  };
  for (let run = 0; run < RUNS; run += 1) {
    const place = placeOf(`a${run}`);
    figures.cold.push(await timed(() => prepare(mirror, place, first, () => checkoutCold(place, first))));
    for (let at = 0; at < 20; at += 1)
      writeFileSync(join(place.tree, pathOf(at * 7)), `changed by the agent ${at}\n`);
    writeFileSync(join(place.tree, 'untracked.txt'), 'left behind\n');
    figures.snapshot.push(
      await timed(() => snapshot(place, { base: first, message: 'bench', author: 'bench' })),
    );

    const next = placeOf(`b${run}`);
    makeBorrowing(next.gitDir, mirror, second);
    renameSync(place.tree, next.tree);
    renameSync(place.index, next.index);
    figures.warm.push(
      await timed(() =>
        prepare(mirror, next, second, async () => {
          if (!(await checkoutWarm(next, second))) throw new Error('the warm tree was thrown away');
        }),
      ),
    );
    figures.clone.push(
      await timed(
        async () =>
          void execFileSync('git', ['clone', '-q', '--shared', join(top, 'repo'), join(top, `c${run}`)]),
      ),
    );
  }
  console.log(`${FILES} files, median of ${RUNS} runs:`);
  for (const [name, values] of Object.entries(figures))
    console.log(`  ${name.padEnd(10)}${median(values).toFixed(0).padStart(6)} ms`);
  console.log(`  warm / clone: ${(median(figures.warm) / median(figures.clone)).toFixed(2)}`);
}

async function prepare(
  mirror: string,
  place: TreePlace,
  base: CommitId,
  checkout: () => Promise<void>,
): Promise<void> {
  makeBorrowing(place.gitDir, mirror, base);
  await checkout();
  makeAgentRepository(place, { mirror, base, branch: 'dispatch/bench-1', previous: null, author: 'bench' });
}

function placeOf(name: string): TreePlace {
  const dir = join(top, name);
  mkdirSync(dir);
  return { gitDir: join(dir, 'git'), index: join(dir, 'git/index'), tree: join(dir, 'tree') };
}

function project(): { first: CommitId; second: CommitId } {
  const repo = join(top, 'repo');
  for (let at = 0; at < FILES; at += 1) write(join(repo, pathOf(at)), `${`line ${at}\n`.repeat(40)}`);
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@b', ...args], {
      cwd: repo,
      encoding: 'utf8',
    }).trim();
  git('init', '-q');
  git('add', '-A');
  git('commit', '-qm', 'first');
  const first = commitId(git('rev-parse', 'HEAD'));
  for (let at = 0; at < 50; at += 1) write(join(repo, pathOf(at * 31)), `second ${at}\n`);
  git('commit', '-qam', 'second');
  return { first, second: commitId(git('rev-parse', 'HEAD')) };
}

function pathOf(at: number): string {
  const number = at % FILES;
  return `pkg${number % 50}/dir${number % 500}/file${number}.txt`;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
