/** One run of the story with a plan of what is to break, to its end by the same commands, and what came of it. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '../../src/controller/paths.ts';
import { EXIT } from '../../src/model/exit.ts';
import { isFinal } from '../../src/model/task.ts';
import type { State } from '../../src/model/state.ts';
import type { Reader } from '../../src/store/port.ts';
import { openReader } from '../../src/store/sqlite/reader.ts';
import { type Home, makeHome, PROJECT, sshNode, type TaskText } from '../cluster/home.ts';
import type { Sshd } from '../cluster/sshd.ts';
import { writeLaunchPlan } from './points/launch.ts';
import { type Plan, PLAN_FILE, type Reached, readReached, type Targets } from './points/plan.ts';
import type { Programs } from './programs.ts';
import { endOf } from './story.ts';
import { frontGit, gitReached } from './strace/git-points.ts';
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
  /** Trace git's system calls, and break these; null targets: count them. Null: leave git alone. */
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

/** A command that makes no progress any more is given up then. */
const MOST_COMMANDS = 600;
/** A command that runs so long is given anew; it need not be over by then. */
const LIMIT_MS = 120_000;
/** One that hangs whatever a person does is found out by so many in which nothing has happened. */
const MOST_CUTS = 4;
const UNNAMED = /\[E_INTERNAL\]|E_INTERNAL\)|^\s+at .*\(/u;
/** Many of a task's attempts are broken on purpose. */
const MOST_ATTEMPTS = 12;

export async function runPass(options: PassOptions): Promise<Pass> {
  const { programs, sshd, targets, once, gaps, skip, git, tell } = options;
  const began = performance.now();
  let end: () => Promise<void> = () => Promise.resolve();
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
  options.stop?.addEventListener('abort', () => void end(), { once: true });
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
  const ends: Record<string, number> = {};
  const violations = [
    ...(await repeated(home, env, ['start', PROJECT], ends, () => allFinal(home))),
    ...(await repeated(home, env, ['collect', PROJECT], ends, () => isDelivered(home))),
    ...(await outcomes(home, options.tasks)),
    ...(await verdict(sceneOf(home, sshd))),
  ];
  const inPrograms = readdirSync(programs.points)
    .filter((name) => name.endsWith('.log'))
    .flatMap((name) => readReached(readFileSync(join(programs.points, name), 'utf8')));
  const reached = [...inPrograms, ...gitReached(home.base, git?.targets ?? null)];
  const keep = violations.length > 0 && process.env.DISPATCH_CRASH_KEEP !== undefined;
  if (keep) {
    cpSync(programs.points, join(home.base, 'points'), { recursive: true });
    tell(`kept: ${home.base}`);
  } else await end();
  return { reached, violations, ends, ms: performance.now() - began, kept: keep ? home.base : null };
}

/** The same command, again and again, until what it is for has come about. @returns what was wrong with how it ended. */
async function repeated(
  home: Home,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  ends: Record<string, number>,
  isOver: () => Promise<boolean>,
): Promise<string[]> {
  const found: string[] = [];
  const [verb = ''] = args;
  let last = '';
  let seen = 0;
  let cuts = 0;
  for (let count = 1; count <= MOST_COMMANDS; count += 1) {
    const running = home.spawn([...args], { env, limitMs: LIMIT_MS });
    const ran = await running.ended.catch((error: unknown) => String(error));
    if (typeof ran === 'string') {
      ends[`${verb} cut`] = (ends[`${verb} cut`] ?? 0) + 1;
      const events = await eventsOf(home);
      cuts = events > seen ? 0 : cuts + 1;
      seen = events;
      if (cuts >= MOST_CUTS) return [...found, `${verb}: ${ran.slice(-3000)}`];
      continue;
    }
    const how = `${verb} ${ran.code ?? 'killed'}${codeIn(ran.stderr)}`;
    ends[how] = (ends[how] ?? 0) + 1;
    // A defect of ours, and what nobody has given a name to.
    for (const line of ran.stderr.split('\n').filter((text) => UNNAMED.test(text)))
      found.push(`${verb}: ended with ${ran.code} and ${line.slice(0, 500)}`);
    last = ran.stderr.slice(-1000);
    if (await isOver()) return found;
    if (ran.code === EXIT.usage) return [...found, `${verb}: refused: ${ran.stderr.slice(0, 1000)}`];
  }
  return [
    ...found,
    `${verb}: not over after ${MOST_COMMANDS} times: ${JSON.stringify(ends)}; the last: ${last}`,
  ];
}

function codeIn(stderr: string): string {
  const [, code] = /error\[(E_\w+)\]/u.exec(stderr) ?? [];
  return code === undefined ? '' : ` ${code}`;
}

async function stateOf(home: Home): Promise<State | null> {
  return reading(home, (reader) => reader.load());
}

/** How many events there are. */
async function eventsOf(home: Home): Promise<number> {
  return (await reading(home, async (reader) => (await reader.events(0, 10_000_000)).length)) ?? 0;
}

async function reading<Found>(home: Home, look: (reader: Reader) => Promise<Found>): Promise<Found | null> {
  const { database } = homePaths(home.dir);
  if (!existsSync(database)) return null;
  try {
    const reader = await openReader(database);
    try {
      return await look(reader);
    } finally {
      await reader.close();
    }
  } catch {
    // Killed before the first migration: there is no store yet.
    return null;
  }
}

async function allFinal(home: Home): Promise<boolean> {
  const tasks = [...((await stateOf(home))?.tasks.values() ?? [])];
  return tasks.length > 0 && tasks.every(({ progress }) => isFinal(progress));
}

async function isDelivered(home: Home): Promise<boolean> {
  const project = [...((await stateOf(home))?.projects.values() ?? [])][0];
  return project?.delivered != null && project.delivery === null;
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
