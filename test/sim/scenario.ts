/** What a seed draws before anything happens: projects, tasks, nodes, how agents behave, and which faults there are. */
import { nodeName, type TaskId, type TaskKey, taskKey } from '../../src/model/ids.ts';
import type { CredentialDef } from '../../src/model/credential.ts';
import type { ExecutorDef } from '../../src/model/executor.ts';
import type { NodeConfig, Priority, ProjectConfig, TaskSpec } from '../../src/model/spec.ts';
import { config, node, spec } from '../schedule/world.ts';
import type { Menu } from './menu.ts';
import { drawArrivals, drawStorms, HOUR, MINUTE, SECOND, type Storm } from './pace.ts';
import type { Rng } from './rng.ts';

/** How an attempt goes. */
export type Fate =
  /** Done, and good. */
  | 'good'
  /** Done; green alone, red on the merged tree. */
  | 'red'
  /** Done, but the branch touches what it may not. */
  | 'outside'
  /** Done, and touches a file that everybody may touch. */
  | 'extra'
  /** Says done and has no commit. */
  | 'empty-done'
  | 'refused'
  | 'failed'
  /** Runs into its deadline. */
  | 'hang'
  /** Its process vanishes. */
  | 'killed';

export type Accident =
  | 'cut'
  | 'reboot'
  | 'wipe'
  | 'pause'
  | 'kill'
  | 'zombie'
  | 'clock'
  | 'sleep'
  /** A node cannot be reached for a while, and works on. */
  | 'away'
  /** No machine over the network can: the controller's own line is dead. */
  | 'offline'
  | 'target'
  | 'replay'
  | 'person'
  /** Something ails a machine. */
  | 'ail'
  /** Whatever ails a machine passes. */
  | 'pass'
  /** Lines fill up one by one, and are free again in another order. */
  | 'clog'
  /** Somebody forces the target back. */
  | 'rewind'
  /** The hub of a project does not work for a while: an object is missing. */
  | 'breakdown'
  /** Somebody sets the clock of a node. */
  | 'node-clock'
  /** Something that an alert is about begins, or is over. */
  | 'alarm'
  /** A person puts an earlier state back. */
  | 'restore';

/** What the menu (menu.ts) adds. */
type Later = 'clog' | 'rewind' | 'breakdown' | 'node-clock' | 'alarm' | 'restore';

export interface Scenario {
  readonly menu: Menu;
  readonly projects: readonly ProjectConfig[];
  readonly tasks: readonly TaskSpec[];
  readonly nodes: readonly NodeConfig[];
  readonly fates: Readonly<Record<Fate, number>>;
  /** Gates that break without a verdict, of all gates. */
  readonly brokenGates: number;
  /** Gates that are red on a good tree, of all gates. */
  readonly flakyGates: number;
  /** Chances per call or effect. */
  readonly lostReply: number;
  readonly lostRequest: number;
  readonly refusedStart: number;
  readonly failedHub: number;
  readonly noSpace: number;
  /** Longest time that an effect on the hub takes, milliseconds. */
  readonly slowHub: number;
  /** Chance that the controller dies at one of the moments of a turn. */
  readonly dieInTurn: number;
  /** Mean milliseconds between two accidents of a kind outside storms; 0 = never. */
  readonly accidents: Readonly<Record<Accident, number>>;
  /** How many attempts each key really carries at once; those that are missing carry any number. */
  readonly carries: Readonly<Record<string, number>>;
  /** Chance that a provider refuses for another reason, of all attempts with a key. */
  readonly refusals: number;
  /** Longest delay of a message, milliseconds. */
  readonly delay: number;
  /** How long faults go on before everything is mended, milliseconds. */
  readonly faultsMs: number;
  /** When work comes in, and in which of these batches each task does; those that are missing come first. */
  readonly arrivals: readonly number[];
  readonly arrivalOf: ReadonlyMap<TaskKey, number>;
  readonly storms: readonly Storm[];
  /** Share of the tasks that are chores of seconds. */
  readonly quick: number;
}

/** A scenario before the menu. */
export type Drawn = Omit<Scenario, 'menu' | 'accidents'> & {
  readonly accidents: Readonly<Record<Exclude<Accident, Later>, number>>;
};

const PATTERNS = ['a/x.ts', 'a/y.ts', 'a/*.ts', 'b/', 'b/z.ts', 'c/**', 'c/d/e.ts', 'f.ts', 'g.ts', 'h.ts'];
/** Two tasks on one stack may be proved by different commands. */
export const VERIFY = ['make test', 'make test', 'make lint'];
export const EXTRA = 'CHANGELOG.md';
/** Names of the tests that fail: for a fault in the tree, and for none. */
export const BROKEN = 'adds up';
export const FLAKY = 'keeps time';
const EXECUTORS = ['shell', 'glm'];

/** @param sourceOf a source of its own for each part: the draws of one do not move another's. */
export function drawScenario(rng: Rng, sourceOf: (part: string) => Rng, ills: Rng): Drawn {
  const [own, absences, contracts] = [sourceOf('own'), sourceOf('absences'), sourceOf('contracts')];
  const sleep = mean(own, 6 * HOUR);
  const projects = drawProjects(rng).map((project) => withContract(withAreas(project, own), contracts));
  const tasks = withMany(drawTasks(rng, projects), projects, ills);
  const pace = sourceOf('pace');
  const faultsMs = pace.between(24 * HOUR, 28 * HOUR);
  const arrivals = drawArrivals(pace, faultsMs);
  return {
    projects,
    tasks,
    arrivals,
    arrivalOf: drawArrivalOf(pace, tasks, arrivals.length),
    storms: drawStorms(pace, arrivals),
    quick: pace.pick([0.05, 0.1, 0.3]),
    faultsMs,
    nodes: drawNodes(rng).map((one) => withLease(one, absences)),
    fates: {
      good: rng.between(3, 10),
      red: some(rng, 4),
      outside: some(rng, 2),
      extra: some(rng, 20),
      'empty-done': some(rng, 1),
      refused: some(rng, 2),
      failed: some(rng, 4),
      hang: some(rng, 2),
      killed: some(rng, 3),
    },
    brokenGates: some(rng, 0.5),
    flakyGates: some(rng, 0.2),
    lostReply: some(rng, 0.2),
    lostRequest: some(rng, 0.2),
    refusedStart: some(rng, 0.3),
    failedHub: some(rng, 0.3),
    slowHub: rng.pick([10, 100, 100, 5_000]),
    noSpace: some(rng, 0.05),
    dieInTurn: some(rng, 0.01),
    accidents: {
      cut: mean(rng, 90 * MINUTE),
      reboot: mean(rng, 5 * HOUR),
      wipe: mean(rng, 6 * HOUR),
      pause: mean(rng, 3 * HOUR),
      kill: mean(rng, 3 * HOUR),
      zombie: mean(rng, 6 * HOUR),
      clock: mean(rng, 6 * HOUR),
      sleep,
      target: mean(rng, 90 * MINUTE),
      replay: mean(rng, 2 * HOUR),
      person: mean(rng, 50 * MINUTE),
      away: mean(absences, 4 * HOUR),
      offline: mean(absences, 10 * HOUR),
      ail: mean(ills, 2 * HOUR),
      pass: mean(ills, 4 * HOUR),
    },
    delay: rng.pick([2, 20, 200, 2000]),
    carries: rng.chance(0.5) ? { glm: rng.between(1, 3) } : {},
    refusals: some(rng, 0.2),
  };
}

/** Often nothing at all, so that faults are also seen one by one. */
function some(rng: Rng, most: number): number {
  return rng.chance(0.5) ? 0 : rng.next() * most;
}

function mean(rng: Rng, shortest: number): number {
  return rng.chance(0.5) ? 0 : shortest * (1 + rng.int(4));
}

function drawProjects(rng: Rng): ProjectConfig[] {
  const executors = drawExecutors(rng);
  const projects = [drawProject(rng, 'p', '/repo/p', executors)];
  if (rng.chance(0.4)) projects.push(drawProject(rng, 'q', '/repo/q', executors));
  if (rng.chance(0.3)) projects.push(drawProject(rng, 'chores', null, executors));
  return projects;
}

function drawProject(
  rng: Rng,
  name: string,
  repo: string | null,
  executors: ProjectConfig['executors'],
): ProjectConfig {
  const { gates } = config(name);
  const { skipControl: _, ...tried } = gates;
  return config(name, {
    repo,
    weight: rng.pick([0.5, 1, 2]),
    maxAttempts: rng.between(1, 4),
    allowedExtras: [EXTRA],
    timeoutMs: 2 * HOUR,
    gateTimeoutMs: HOUR,
    review: rng.pick(['never', 'never', 'p0', 'always']),
    gates: rng.chance(0.3) ? gates : tried,
    executors,
  });
}

/** Half of the projects with a repository; the files at the top, and `EXTRA`, are shared. */
function withAreas(project: ProjectConfig, own: Rng): ProjectConfig {
  if (project.repo === null || own.chance(0.5)) return project;
  const areas = [
    { name: 'a', paths: ['a/'], verify: 'make a' },
    { name: 'bc', paths: ['b/**', 'c/'], verify: 'make bc' },
  ];
  return { ...project, areas };
}

/** A file that people push to, or one that tasks change, is what they agree on; in half of the projects nothing is. */
function withContract(project: ProjectConfig, contracts: Rng): ProjectConfig {
  if (project.repo === null || contracts.chance(0.5)) return project;
  return { ...project, contract: contracts.pick(['README', 'f.ts']) };
}

/** `glm` has one key or two, perhaps with a bound of its own; `shell` needs none. */
function drawExecutors(rng: Rng): Readonly<Record<string, ExecutorDef>> {
  const key = (name: string): CredentialDef => ({
    name,
    maxInFlight: rng.pick([null, null, 1, 2]),
    secrets: null,
  });
  const pool = rng.chance(0.3) ? [key('glm'), key('glm-b')] : [key('glm')];
  const plain = { command: ['run'], env: {}, secrets: {}, model: null };
  return {
    shell: { ...plain, name: 'shell', kind: 'shell' },
    glm: { ...plain, name: 'glm', kind: 'claude', pool, ...(rng.chance(0.2) ? { fallback: 'shell' } : {}) },
  };
}

function drawTasks(rng: Rng, projects: readonly ProjectConfig[]): TaskSpec[] {
  const tasks: TaskSpec[] = [];
  for (const project of projects) {
    const count = rng.between(2, 5);
    for (let i = 0; i < count; i++) tasks.push(drawTask(rng, project, i));
  }
  return tasks;
}

/** Sometimes so many that a machine on which all of them fail is given up before the tasks are. */
function withMany(tasks: readonly TaskSpec[], projects: readonly ProjectConfig[], ills: Rng): TaskSpec[] {
  const project = projects.at(-1);
  if (project === undefined || ills.chance(0.85)) return [...tasks];
  const known = tasks.filter((task) => task.project === project.name).length;
  const more = Array.from({ length: 10 }, (_, i) => drawTask(ills, project, known + i));
  return [...tasks, ...more.map((task) => ({ ...task, dependsOn: [] }))];
}

/** No task comes before what it depends on. */
function drawArrivalOf(pace: Rng, tasks: readonly TaskSpec[], batches: number): Map<TaskKey, number> {
  const arrivalOf = new Map<TaskKey, number>();
  for (const { project, id, dependsOn } of tasks) {
    const earlier = dependsOn.map((other) => arrivalOf.get(taskKey(project, other)) ?? 0);
    const batch = id === 'T0' ? 0 : pace.int(batches);
    arrivalOf.set(taskKey(project, id), Math.max(batch, ...earlier));
  }
  return arrivalOf;
}

/** The i-th task of a project; depends only on earlier ones, so there is no cycle. */
export function drawTask(rng: Rng, project: ProjectConfig, i: number): TaskSpec {
  const dependsOn = new Set<TaskId>();
  for (let k = 0; k < 2; k++) if (i > 0 && rng.chance(0.3)) dependsOn.add(`T${rng.int(i)}` as TaskId);
  const modifies = new Set([rng.pick(PATTERNS)]);
  if (rng.chance(0.3)) modifies.add(rng.pick(PATTERNS));
  return spec(project.name, `T${i}`, {
    priority: rng.int(4) as Priority,
    dependsOn: [...dependsOn],
    modifies: project.repo === null ? [] : [...modifies],
    expands: [],
    executor: rng.pick(EXECUTORS),
    verify: project.repo === null ? null : rng.pick(VERIFY),
    timeoutMs: rng.pick([MINUTE, HOUR, 6 * HOUR, 6 * HOUR]),
    review: rng.chance(0.1),
    estimateMs: rng.chance(0.5) ? rng.magnitude(SECOND, 5 * HOUR) : null,
    digest: `${i}-${rng.int(1_000_000)}`,
  });
}

function drawNodes(rng: Rng): NodeConfig[] {
  const nodes = [node('n1', { slots: rng.between(1, 4), weight: rng.pick([0.2, 1]) })];
  const count = rng.between(0, 3);
  for (let i = 0; i < count; i++) {
    nodes.push(
      node(nodeName(`n${i + 2}`), {
        slots: rng.between(1, 3),
        mode: rng.chance(0.5) ? 'hybrid' : [rng.pick(EXECUTORS)],
      }),
    );
  }
  return nodes;
}

/** Leases that end while faults go on, mostly; and most nodes are reached over a network. */
function withLease(one: NodeConfig, absences: Rng): NodeConfig {
  const leaseMs = absences.pick([20 * SECOND, MINUTE, 10 * MINUTE, HOUR, null]);
  if (absences.chance(0.2)) return { ...one, leaseMs };
  const reach = { by: 'ssh', target: one.name, transport: 'auto', socket: null, configFile: null } as const;
  return { ...one, leaseMs, reach };
}
