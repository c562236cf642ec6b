/**
 * Every durable step of a real run, broken in every way:
 * `npx tsx test/crash/all.ts [--seed S] [--minutes M] [--lanes L] [--resume FILE] [-o json]`.
 *
 * A first run, in which nothing breaks, says which steps there are; FILE remembers them as long as the commit is the same.
 * Then runs follow one after the other, some beside each other, in which as many as possible of them break that have not
 * broken before, each in one of the ways in which it has not, every program being given some steps in between to get on:
 * until every step has been broken in every mode, or the time is over. Names of steps come first, then their ordinals.
 * After each run the verdict is asked, and what was hit is written into FILE: given again, it goes on where it stood.
 * Ctrl-C ends it with the report.
 */
import { execFileSync } from 'node:child_process';
import { once as heard } from 'node:events';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startSshd, type Sshd } from '../cluster/sshd.ts';
import { rngOf } from './chance.ts';
import { Coverage, enumerate } from './coverage.ts';
import { type Pass, type PassOptions, runPass } from './pass.ts';
import { type Mode, MODES, type Plan } from './points/plan.ts';
import { withPoints } from './programs.ts';
import { reportOf, textOf } from './report.ts';
import { FEW, TASKS } from './story.ts';
import { isApt, whyNoStrace } from './strace/git-points.ts';

/** Steps of a program between two that break: more than it takes to start, where that is what follows. */
const GAPS: Plan['gaps'] = {
  kill: { controller: 16, collect: 6, supervisor: 28, backup: 9, restore: 9, other: 2 },
  failure: { controller: 6, collect: 3, supervisor: 14, other: 2 },
};
/** Runs in a row, of all lanes, that hit nothing new: what is left does not come any more. */
const IN_VAIN = 9;

interface Setting {
  readonly seed: number;
  readonly until: number;
  readonly modes: readonly Mode[];
  readonly lanes: number;
  readonly tasks: PassOptions['tasks'];
  readonly coverage: Coverage;
  readonly file: string | null;
  readonly cache: string;
  readonly sshd: Sshd;
  readonly traces: boolean;
  readonly commit: string;
  readonly stop: AbortSignal;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      minutes: { type: 'string', default: '60' },
      modes: { type: 'string', default: MODES.join(',') },
      few: { type: 'boolean', default: false },
      lanes: { type: 'string', default: '2' },
      resume: { type: 'string' },
      output: { type: 'string', short: 'o', default: 'text' },
    },
  });
  const seed = Number(values.seed);
  const began = performance.now();
  const coverage = values.resume === undefined ? new Coverage(isApt) : Coverage.read(values.resume, isApt);
  const modes = MODES.filter((mode) => values.modes.split(',').includes(mode));
  const cache = resolve(`node_modules/.cache/dispatch-crash/${process.pid}`);
  execFileSync(process.execPath, ['scripts/build.mjs', join(cache, 'dist')], { stdio: 'inherit' });
  const without = whyNoStrace();
  if (without !== null) tell(`LEFT OUT: points inside of git. ${without}`);
  const sshd = await startSshd();
  const stop = new AbortController();
  const ended = heard(process, 'SIGINT').then(() => stop.abort());
  const passes: Pass[] = [];
  try {
    const setting: Setting = {
      seed,
      until: began + Number(values.minutes) * 60_000,
      modes,
      lanes: Number(values.lanes),
      tasks: values.few ? FEW : TASKS,
      coverage,
      file: values.resume ?? null,
      cache,
      sshd,
      traces: without === null,
      commit: execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
      stop: stop.signal,
    };
    tell(`seed ${seed}, ${setting.commit}, ${Object.keys(setting.tasks).length} tasks`);
    await Promise.race([ended, broken(setting, passes)]);
    const report = reportOf({ seed, modes, coverage, passes, ms: performance.now() - began });
    process.stdout.write(values.output === 'json' ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
    return report.violations.length === 0 ? 0 : 1;
  } finally {
    stop.abort();
    await sshd.stop();
    rmSync(cache, { recursive: true, force: true, maxRetries: 5 });
  }
}

function tell(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

async function broken(setting: Setting, passes: Pass[]): Promise<void> {
  const { coverage, lanes, traces } = setting;
  // The file knows them already when it was made with this very commit.
  if (!coverage.commits.includes(setting.commit)) {
    const first = await pass(setting, 0, { targets: null, once: true, skip: 0 });
    passes.push(first);
    coverage.found(enumerate(first.reached));
    noted(setting, first);
  }
  if (!traces) tell('points inside of git are as the file says, if it says any');
  let inVain = 0;
  const rng = rngOf(setting.seed);
  const lane = async (number: number): Promise<void> => {
    while (performance.now() < setting.until && inVain < IN_VAIN * lanes && !setting.stop.aborted) {
      const broad = coverage.next(setting.modes, true, rng);
      const isBroad = Object.keys(broad).length > coverage.points.size / 4 && rng() < 0.5;
      const targets = isBroad ? broad : coverage.next(setting.modes, false, rng);
      if (Object.keys(targets).length === 0) return;
      const run = await pass(setting, number, { targets, once: isBroad, skip: rng() });
      // What was ended in the middle says nothing.
      if (setting.stop.aborted) return;
      passes.push(run);
      inVain = noted(setting, run) > 0 ? 0 : inVain + 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
}

async function pass(
  { cache, sshd, tasks, traces, stop }: Setting,
  number: number,
  plan: Pick<PassOptions, 'targets' | 'once' | 'skip'>,
): Promise<Pass> {
  const points = join(tmpdir(), `dispatch-crash-${process.pid}-${number}`);
  const programs = withPoints(join(cache, 'dist'), join(cache, `dist-${number}`), points);
  const { targets } = plan;
  const git = traces && typeof targets !== 'string' ? { targets } : null;
  const parts = partsFor(targets);
  return runPass({ ...plan, programs, sshd, tasks, parts, gaps: GAPS, git, tell, stop });
}

/** A run has the parts in which there is something left to break. */
function partsFor(targets: PassOptions['targets']): PassOptions['parts'] {
  if (targets === null || typeof targets === 'string') return { serves: true, keeps: true };
  const names = Object.keys(targets);
  return {
    serves: names.some((name) => /^(?:controller home\/reports|sqlite:serve)/u.test(name)),
    keeps: names.some((name) => /^(?:sqlite:)?(?:backup|restore|rescue) /u.test(name)),
  };
}

/** @returns how many points were hit for the first time. */
function noted({ coverage, modes, file, commit }: Setting, run: Pass): number {
  const fresh = coverage.note(run.reached, commit);
  coverage.over(
    run.violations.map((what) => `${commit}: ${what}`),
    run.ms / 60_000,
  );
  if (file !== null) coverage.write(file);
  const shares = modes.map((mode) => coverage.share(mode));
  const hit = shares.reduce((sum, share) => sum + share.hit, 0);
  const all = shares.reduce((sum, share) => sum + share.points, 0);
  const hits = run.reached.filter((one) => one.hit !== null).length;
  const ended = Object.entries(run.ends).map(([how, count]) => `${count} x ${how}`);
  tell(
    `${hits} hits, ${fresh} of them new, ${(run.ms / 1000).toFixed(0)} s; ${hit} of ${all} by now; ${ended.join(', ')}`,
  );
  for (const violation of run.violations) tell(`  VIOLATION ${violation}`);
  return fresh;
}

// Runs that were ended in the middle wait for programs that are gone.
process.exit(await main());
