/** One run of the story with a plan of what is to break, to its end by the same commands, and what came of it. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { State } from '../../src/model/state.ts';
import { Alarm, SINK } from '../chaos/alarm.ts';
import { type Home, makeHome, PROJECT, sshNode, type TaskText } from '../cluster/home.ts';
import type { Sshd } from '../cluster/sshd.ts';
import { Commands, stateOf } from './commands.ts';
import { type Parts, prepareHome, wholeRun } from './phases.ts';
import { writeLaunchPlan } from './points/launch.ts';
import { type Plan, PLAN_FILE, type Reached, readReached, type Targets } from './points/plan.ts';
import type { Programs } from './programs.ts';
import { endOf } from './story.ts';
import { frontGit, gitReached } from './strace/git-points.ts';
import { SqlitePoints } from './strace/sqlite-points.ts';
import { linesOf, verdict } from './verdict.ts';

export interface PassOptions {
  readonly tasks: Readonly<Record<string, TaskText>>;
  readonly programs: Programs;
  /** The second node; null: this machine alone. */
  readonly sshd: Sshd | null;
  readonly targets: Plan['targets'];
  readonly once: boolean;
  readonly gaps: Plan['gaps'];
  readonly skip: number;
  readonly parts: Parts;
  /** Trace the system calls of git and SQLite, and break these; null targets: count them. Null: leave them alone. */
  readonly git: { readonly targets: Targets | null } | null;
  /** Told what happens, for whoever watches. */
  readonly tell: (what: string) => void;
  /** Ends the run where it stands, and removes it. */
  readonly stop?: AbortSignal;
}

export interface Pass {
  readonly reached: readonly Reached[];
  /** Empty: nothing is wrong. */
  readonly violations: readonly string[];
  /** How often a command was given, and what it ended with. */
  readonly ends: Readonly<Record<string, number>>;
  readonly ms: number;
  /** Where everything lies, when it was kept to be looked at. */
  readonly kept: string | null;
}

/** Many of a task's attempts are broken on purpose. */
const MOST_ATTEMPTS = 12;

export async function runPass(options: PassOptions): Promise<Pass> {
  const { programs, sshd, targets, once, gaps, skip, git, tell } = options;
  const began = performance.now();
  let end: () => Promise<void> = () => Promise.resolve();
  const stopped = (): void => void end();
  const here = { name: 'here', local: true, slots: 3 };
  const home = makeHome({
    tasks: options.tasks,
    files: { 'CHANGELOG.md': '# Changes\n' },
    project: { gates: { extras: ['CHANGELOG.md'] }, max_attempts: MOST_ATTEMPTS },
    nodes: sshd === null ? [here] : [here, sshNode('box', sshd, { slots: 3 })],
    whenOver: (over) => {
      end = over;
    },
  });
  rmSync(programs.points, { recursive: true, force: true, maxRetries: 5 });
  mkdirSync(programs.points, { recursive: true });
  restorePreload(programs);
  options.stop?.addEventListener('abort', stopped, { once: true });
  const nodes = sshd === null ? ['here'] : ['here', 'box'];
  const plan: Plan = { base: home.base, targets, once, gaps, skip, nodes };
  writeFileSync(join(programs.points, PLAN_FILE), JSON.stringify(plan));
  writeLaunchPlan(programs.points, plan);
  const bin = join(home.base, 'user', '.local', 'bin');
  const bins = sshd === null ? [bin] : [bin, join(sshd.home, '.local', 'bin')];
  if (git !== null) frontGit(home.base, bins, git.targets);
  const env = {
    DISPATCH_DIST: programs.dist,
    ...(git !== null ? { PATH: `${bin}:${process.env.PATH ?? ''}` } : {}),
  };
  const sqlite = git === null ? null : new SqlitePoints(home.base, git.targets, skip);
  const commands = new Commands(home, env, (verb) => sqlite?.front(verb) ?? []);
  const alarm = await Alarm.open();
  prepareHome(home, alarm.settings);
  const violations = [
    ...(await wholeRun(home, commands, options.parts)),
    ...(await outcomes(home, options.tasks)),
    ...(await verdict(sceneOf(home, sshd))),
    ...untold(await stateOf(home), alarm),
  ];
  alarm.close();
  options.stop?.removeEventListener('abort', stopped);
  const inPrograms = readdirSync(programs.points)
    .filter((name) => name.endsWith('.log'))
    .flatMap((name) => readReached(readFileSync(join(programs.points, name), 'utf8')));
  const inGit = gitReached(home.base, git?.targets ?? null);
  const reached = [...inPrograms, ...inGit, ...(sqlite?.reached() ?? [])];
  const keep = violations.length > 0 && process.env.DISPATCH_CRASH_KEEP !== undefined;
  if (keep) {
    cpSync(programs.points, join(home.base, 'points'), { recursive: true });
    tell(`kept: ${home.base}`);
  } else await end();
  return {
    reached,
    violations,
    ends: commands.ends,
    ms: performance.now() - began,
    kept: keep ? home.base : null,
  };
}

/** What the store says was told has been heard. */
function untold(state: State | null, alarm: Alarm): string[] {
  return [...(state?.alerts.values() ?? [])]
    .filter(({ told, key }) => told.includes(SINK) && !alarm.heard(key))
    .map(({ key }) => `alert ${key}: told ${SINK}, which has not heard it`);
}

/** Each task has come to what it must come to. */
async function outcomes(home: Home, tasks: PassOptions['tasks']): Promise<string[]> {
  const state = await stateOf(home);
  const known = new Map(
    [...(state?.tasks.values() ?? [])].map((task) => [String(task.spec.id), task.progress]),
  );
  return Object.keys(tasks).flatMap((id) => {
    const progress = known.get(id);
    if (progress?.at === endOf(id)) return [];
    const reason = progress?.at === 'failed' ? `: ${progress.reason}` : '';
    return [`${id}: ${progress?.at ?? 'is gone'}${reason}, and should be ${endOf(id)}`];
  });
}

function sceneOf(home: Home, sshd: Sshd | null): Parameters<typeof verdict>[0] {
  const { base, dir, repo, marks } = home;
  return {
    base,
    home: dir,
    project: PROJECT,
    repo,
    target: 'main',
    roots: sshd === null ? [home.root('here')] : [home.root('here'), home.root('box')],
    isGreen: (tree) => spawnSync('sh', ['test.sh'], { cwd: tree }).status === 0,
    made: linesOf(join(marks, 'made')),
    runs: home.executions().map(({ token, round }) => `${token} ${round}`),
  };
}

/** The points' own program lies beside the plan, which is new for each pass. */
function restorePreload({ dist, points }: Programs): void {
  writeFileSync(join(points, 'preload.mjs'), readFileSync(join(dist, 'preload.mjs')));
}
