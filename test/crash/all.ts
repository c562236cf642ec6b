/**
 * Every durable step of a real run, broken in every way: `npx tsx test/crash/all.ts [--seed S] [--minutes M] [-o json]`.
 *
 * A first run, in which nothing breaks, says which steps there are. Then runs follow one after the other in which as many
 * as possible of them break that have not broken before, each program being given some steps in between to get on, until
 * every step has been broken in every mode or the time is over. After each run the verdict is asked.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startSshd, type Sshd } from '../cluster/sshd.ts';
import { rngOf } from './chance.ts';
import { Coverage, enumerate } from './coverage.ts';
import { type Pass, runPass } from './pass.ts';
import { type Gaps, type Mode, MODES } from './points/plan.ts';
import { withPoints } from './programs.ts';
import { reportOf, textOf } from './report.ts';
import { FEW, TASKS } from './story.ts';
import { isApt, whyNoStrace } from './strace/git-points.ts';

/** Steps of a program between two that break: more than it takes to start, where that is what follows; and links to nodes
 * that break all the time are tried less and less often. */
const DYING: Gaps = { controller: 45, collect: 9, supervisor: 60, other: 4 };
const FAILING: Gaps = { controller: 20, collect: 7, supervisor: 120, other: 4 };
const NONE: Gaps = { other: 0 };
/** At first as many different kinds of steps as there are, then every one of them. */
const BROAD_RUNS = 4;
/** Runs of a mode in a row that hit nothing new: what is left does not come any more. */
const IN_VAIN = 3;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      minutes: { type: 'string', default: '60' },
      modes: { type: 'string', default: MODES.join(',') },
      few: { type: 'boolean', default: false },
      lanes: { type: 'string', default: '2' },
      output: { type: 'string', short: 'o', default: 'text' },
    },
  });
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const seed = Number(values.seed);
  const began = performance.now();
  const until = began + Number(values.minutes) * 60_000;
  const tasks = values.few ? FEW : TASKS;
  const modes = MODES.filter((mode) => values.modes.split(',').includes(mode));
  tell(`seed ${seed}, ${Object.keys(tasks).length} tasks`);
  const cache = resolve(`node_modules/.cache/dispatch-crash/${process.pid}`);
  execFileSync(process.execPath, ['scripts/build.mjs', join(cache, 'dist')], { stdio: 'inherit' });
  const without = whyNoStrace();
  if (without !== null) tell(`LEFT OUT: points inside of git. ${without}`);
  const sshd = await startSshd();
  try {
    const first = await runPass({
      ...laneOf(cache, sshd, 0),
      tasks,
      mode: null,
      targets: null,
      once: true,
      gaps: NONE,
      skip: 0,
      git: without === null ? { targets: null } : null,
      tell,
    });
    const coverage = new Coverage(enumerate(first.reached), isApt);
    const passes: Pass[] = [first];
    const rng = rngOf(seed);
    const turns = turnsOf(modes, coverage, until);
    const lane = async (number: number): Promise<void> => {
      const place = laneOf(cache, sshd, number);
      for (let mode = turns(); mode !== null; mode = turns()) {
        const gaps = mode.startsWith('killed') ? DYING : FAILING;
        const skip = rng();
        const untouched = coverage.untouched(mode);
        const once = Object.keys(untouched).length > 0 && coverage.runs(mode) < BROAD_RUNS;
        const targets = once ? untouched : coverage.missing(mode);
        const pass = await runPass({
          ...place,
          tasks,
          mode,
          targets,
          once,
          gaps,
          skip,
          git: without === null ? { targets } : null,
          tell,
        });
        coverage.note(mode, pass.reached);
        passes.push(pass);
        tell(lineOf(pass, coverage));
        for (const violation of pass.violations) tell(`  VIOLATION ${violation}`);
      }
    };
    const lanes = Number(values.lanes);
    await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
    const report = reportOf({ seed, modes, coverage, passes, ms: performance.now() - began });
    process.stdout.write(values.output === 'json' ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
    return report.violations.length === 0 ? 0 : 1;
  } finally {
    await sshd.stop();
    rmSync(cache, { recursive: true, force: true });
  }
}

function laneOf(cache: string, sshd: Sshd, number: number) {
  const points = join(tmpdir(), `dispatch-crash-${process.pid}-${number}`);
  return { programs: withPoints(join(cache, 'dist'), join(cache, `dist-${number}`), points), sshd };
}

/** Which mode is tried next: in turn, those that have something left to hit. Null when none has, or time is over. */
function turnsOf(modes: readonly Mode[], coverage: Coverage, until: number): () => Mode | null {
  let next = 0;
  return () => {
    if (performance.now() > until) return null;
    for (let tries = 0; tries < modes.length; tries += 1) {
      const mode = modes[next % modes.length] as Mode;
      next += 1;
      if (Object.keys(coverage.missing(mode)).length > 0 && coverage.inVain(mode) < IN_VAIN) return mode;
    }
    return null;
  };
}

function lineOf({ mode, reached, ends, ms }: Pass, coverage: Coverage): string {
  const hits = reached.filter(({ hit }) => hit).length;
  const left = mode === null ? 0 : Object.values(coverage.missing(mode)).flat().length;
  const ended = Object.entries(ends).map(([how, count]) => `${count} x ${how}`);
  return `${mode}: ${hits} hit, ${left} left, ${(ms / 1000).toFixed(0)} s; ${ended.join(', ')}`;
}

process.exitCode = await main();
