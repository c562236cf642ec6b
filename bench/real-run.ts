/** Runs a real project through the command line as a user would, and looks at what came of it from outside. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '../src/controller/paths.ts';
import type { Event, Fact } from '../src/model/event.ts';
import { projectOfKey } from '../src/model/found.ts';
import { type TaskKey, taskKey, type Token } from '../src/model/ids.ts';
import type { State } from '../src/model/state.ts';
import { openReader } from '../src/store/sqlite/reader.ts';
import { gitIn, kindOf, LANDS, type RealProject } from './real-project.ts';

export interface Figures {
  readonly landed: number;
  /** Tasks that did not land, by the first gate or reason that refused them. */
  readonly refused: Readonly<Record<string, number>>;
  /** Tasks that should have landed and did not, and the other way round. */
  readonly goodRefused: readonly string[];
  readonly badLanded: readonly string[];
  /** Times that a branch went back with a 409, and conflicts that were seen before the branch's turn. */
  readonly conflicts: number;
  readonly predicted: number;
  /** Times that a branch was green alone, red together with others, and went back. */
  readonly returned: number;
  readonly gateRuns: number;
  readonly gateRunsRed: number;
  /** Gate runs on a merge whose topmost branch had been refused, or conflicted with what had landed. */
  readonly gateRunsWasted: number;
}

/** Runs `dispatch …` of the build in DISPATCH_DIST. @returns its exit code. */
export async function dispatch(project: RealProject, args: readonly string[]): Promise<number | null> {
  const program = join(process.env.DISPATCH_DIST ?? 'dist', 'dispatch.js');
  const env = { PATH: process.env.PATH, HOME: project.base, DISPATCH_DIST: process.env.DISPATCH_DIST };
  const child = spawn(process.execPath, [program, ...args], {
    cwd: project.home,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
}

export async function figuresOf(project: RealProject): Promise<Figures> {
  const reader = await openReader(homePaths(project.home).database);
  try {
    return sumUp(await reader.load(), await reader.events(0, 1_000_000));
  } finally {
    await reader.close();
  }
}

function sumUp(state: State, events: readonly Event[]): Figures {
  const facts = events.map(({ fact }) => fact);
  const gates: { readonly token: Token; readonly at: number }[] = [];
  const red = new Set<Token>();
  for (const [at, fact] of facts.entries()) {
    if (fact.type === 'attempt.claimed' && fact.work.kind === 'gate' && fact.work.subject.of === 'merge')
      gates.push({ token: fact.work.subject.workToken, at });
    if (fact.type === 'attempt.ended' && fact.outcome.kind === 'refused') red.add(fact.token);
  }
  const stops = stopsOf(state, facts);
  const tasks = [...state.tasks.values()];
  const merged = tasks.filter(({ progress }) => progress.at === 'merged').map(({ spec }) => spec.id);
  const others = tasks.filter(({ progress }) => progress.at !== 'merged');
  const refused: Record<string, number> = {};
  for (const { progress } of others) {
    const reason =
      progress.at === 'failed' ? (progress.findings[0]?.gate ?? cause(progress.reason)) : progress.at;
    refused[reason] = (refused[reason] ?? 0) + 1;
  }
  return {
    landed: merged.length,
    refused,
    goodRefused: others.map(({ spec }) => spec.id).filter((task) => LANDS.has(kindOf(task))),
    badLanded: merged.filter((task) => !LANDS.has(kindOf(task))),
    conflicts: facts.filter(({ type }) => type === 'merge.conflicted').length,
    predicted: facts.filter((fact) => fact.type === 'merge.predicted' && fact.clash !== null).length,
    returned: facts.filter(({ type }) => type === 'merge.refused').length,
    gateRuns: gates.length,
    gateRunsRed: [...red].filter((token) => state.attempts.get(token)?.work.kind === 'gate').length,
    gateRunsWasted: gates.filter(({ token, at }) => (stops.get(token) ?? Infinity) < at).length,
  };
}

/**
 * From when on no gate run could tell anything about a branch: it was refused, or what it conflicts with had landed.
 * Places in the list of facts. (A conflict with what landed after its gate had run was none at that time.)
 */
function stopsOf(state: State, facts: readonly Fact[]): Map<Token, number> {
  const landed = new Map<TaskKey, number>();
  const stops = new Map<Token, number>();
  for (const [at, fact] of facts.entries()) {
    if (fact.type === 'merge.landed') {
      const key = state.attempts.get(fact.token)?.task;
      if (key !== undefined) landed.set(key, at);
    } else if (fact.type === 'candidate.refused') stops.set(fact.token, at);
    else if (fact.type === 'merge.conflicted') {
      const key = state.attempts.get(fact.token)?.task ?? '/';
      const others = fact.clash.theirs.map(({ task }) => taskKey(projectOfKey(key as TaskKey), task));
      stops.set(fact.token, Math.min(...others.map((other) => landed.get(other) ?? at), at));
    }
  }
  return stops;
}

function cause(reason: string): string {
  return reason.slice(0, reason.indexOf(':') < 0 ? undefined : reason.indexOf(':'));
}

/** Runs the suite on each commit of the target's first-parent history, each in a clean checkout. @returns those that are red. */
export function redCommits(project: RealProject): {
  readonly commits: number;
  readonly red: readonly string[];
} {
  const commits = gitIn(project.repo, 'rev-list', '--first-parent', '--reverse', 'main').trim().split('\n');
  const red: string[] = [];
  for (const commit of commits) {
    const tree = mkdtempSync(join(project.base, 'checkout-'));
    const index = join(tree, '.index');
    const git = (...args: string[]): void => {
      execFileSync('git', ['--git-dir', project.repo, '--work-tree', tree, ...args], {
        env: { ...process.env, GIT_INDEX_FILE: index },
      });
    };
    git('read-tree', commit);
    git('checkout-index', '-a');
    // What is flaky on purpose holds still: this asks what the code is, not how lucky the run was.
    const env = { PATH: process.env.PATH, STEADY: '1' };
    const { status } = spawnSync(process.execPath, ['--test', 'test/suite.js'], { cwd: tree, env });
    if (status !== 0) red.push(commit);
    rmSync(tree, { recursive: true });
  }
  return { commits: commits.length, red };
}

/** Ends what the node of this project still runs, and removes everything. */
export function removeProject({ base }: RealProject): void {
  spawnSync('tmux', ['-S', join(base, 'node', 'run', 'tmux.sock'), 'kill-server']);
  for (const pid of processesOf(base)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** Processes that were started with a path below this directory in their environment. */
function processesOf(dir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${dir}/`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
