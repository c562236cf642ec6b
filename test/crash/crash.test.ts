/**
 * A few of the crash points; DISPATCH_TEST_SEED=<number> takes others. All of them, with a fresh seed: `make crash`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { testSeed } from '../seed.ts';
import { rngOf } from './chance.ts';
import { runPass } from './pass.ts';
import { type Gaps, type Mode, MODES } from './points/plan.ts';
import { type Programs, withPoints } from './programs.ts';
import { FEW } from './story.ts';
import { gitTargets, whyNoStrace } from './strace/git-points.ts';

const seed = testSeed(3);
/** For what hangs; several links may wait out their back-off one after the other. Milliseconds. */
const LIMIT_MS = 600_000;
const rng = rngOf(seed);
const GAPS: Gaps = { controller: 60, collect: 12, supervisor: 120, backup: 60, restore: 30, other: 6 };
/** What moves a ref and what takes objects in, in the hub and in the mirror of a node. */
const GIT = [
  'hub update-ref rename/1',
  'hub index-pack write/1',
  'mirror update-ref rename/1',
  'attempt commit-tree write/1',
];

function programs(): Programs {
  const from = process.env.DISPATCH_DIST ?? 'dist';
  const points = mkdtempSync(join(tmpdir(), 'dispatch-crash-'));
  const to = `${from}-points`;
  onTestFinished(() => {
    for (const dir of [points, to]) rmSync(dir, { recursive: true, force: true });
  });
  return withPoints(from, to, points);
}

async function broken(mode: Mode, git: readonly string[]) {
  const gaps = { kill: GAPS, failure: GAPS };
  const parts = { serves: false, keeps: true };
  const where = { tasks: FEW, parts, programs: programs(), sshd: null, gaps, skip: rng(), once: true };
  const tell = (what: string): void => console.log(what);
  const targets = gitTargets(git, mode);
  return git.length === 0
    ? await runPass({ ...where, targets: mode, git: null, tell })
    : await runPass({ ...where, targets, git: { targets }, tell });
}

test(`programs that die or fail at durable steps lose nothing and do nothing twice (seed ${seed})`, {
  timeout: LIMIT_MS,
}, async () => {
  const mode = MODES[Math.floor(rng() * MODES.length)] as Mode;
  console.log(`crash points, seed ${seed}: ${mode}`);
  const { violations, reached } = await broken(mode, []);
  expect(violations, `seed ${seed}, ${mode}`).toEqual([]);
  expect(reached.filter(({ hit }) => hit !== null).length).toBeGreaterThan(0);
});

const why = whyNoStrace();
if (why !== null) console.warn(`NOT TESTED: git that is killed at its system calls. ${why}`);

test.skipIf(why !== null)(
  `git that is killed at a system call leaves nothing that is in the way (seed ${seed})`,
  { timeout: LIMIT_MS },
  async () => {
    const { violations } = await broken(rng() < 0.5 ? 'killed before' : 'killed after', GIT);
    expect(violations, `seed ${seed}`).toEqual([]);
  },
);
