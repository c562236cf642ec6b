/** Facts about what is to be done and with what: projects, specs, nodes, and what is remembered of gates. Part of `evolve`. */
import type { Event, Fact } from './event.ts';
import { taskKey, type TaskKey } from './ids.ts';
import type { TaskSpec } from './spec.ts';
import type { State } from './state.ts';
import { type Project, type Task, type TestBaseline, undoOf } from './task.ts';
import { expect, nodeOf, projectOf, taskOf } from './found.ts';
import { reindex } from './progress.ts';

/** How many green gates a project remembers. */
const GREEN_KEPT = 512;

/** How many tries on a broken copy. */
const CONTROLS_KEPT = 512;

/** For how many verify commands. */
const TESTS_KEPT = 64;

/** Somewhere else than where the last gate counted: how many tests there are is not known any more. */
export function baseProject(state: State, fact: Extract<Fact, { type: 'project.based' }>): void {
  const project = projectOf(state, fact.project, fact);
  project.integration = fact.integration;
  project.tests = [];
}

export function startProject(state: State, fact: Extract<Fact, { type: 'project.started' }>): void {
  const project = projectOf(state, fact.project, fact);
  project.started = true;
  project.skipControl = fact.skipControl ?? null;
}

export function rememberTests(project: Project, counted: readonly TestBaseline[] = []): void {
  if (counted.length === 0) return;
  const now = new Set(counted.map(({ verify }) => verify));
  const others = project.tests.filter(({ verify }) => !now.has(verify));
  project.tests = [...others, ...counted].slice(-TESTS_KEPT);
}

/** The newest word on a command in an environment, with these files, counts; a skip is a word on whatever files there are. */
export function rememberControl(
  project: Project,
  fact: Extract<Fact, { type: 'gate.controlled' }>,
  { at, epoch }: Event,
): void {
  const { verify, environment, files, tree, verdict, note } = fact;
  const others = project.controls.filter(
    (one) => one.verify !== verify || one.environment !== environment || one.files !== files,
  );
  const control = { verify, environment, files, tree, verdict, note, at, epoch };
  if (verdict !== 'skipped') project.broken = null;
  project.controls = [...others, control].slice(-CONTROLS_KEPT);
}

export function configureProject(state: State, fact: Extract<Fact, { type: 'project.configured' }>): void {
  const { config } = fact;
  const known = state.projects.get(config.name);
  if (known !== undefined) {
    known.config = config;
    return;
  }
  state.projects.set(config.name, {
    name: config.name,
    config,
    started: false,
    skipControl: null,
    integration: null,
    green: [],
    tests: [],
    gates: [],
    delivery: null,
    contract: null,
    broken: null,
    controls: [],
    hold: null,
    delivered: null,
  });
}

export function addTask(state: State, fact: Extract<Fact, { type: 'task.added' }>, at: number): void {
  const { spec } = fact;
  const key = taskKey(spec.project, spec.id);
  expect(!state.tasks.has(key), fact, 'the task exists');
  projectOf(state, spec.project, fact);
  const task: Task = {
    key,
    spec,
    order: state.tasks.size + 1,
    addedAt: at,
    n: 0,
    progress: { at: 'open' },
    returns: 0,
    failures: 0,
    losses: 0,
    notBefore: 0,
    front: null,
    readySince: null,
    unmet: 0,
    locked: false,
    feedback: null,
  };
  state.tasks.set(key, task);
  linkDependencies(state, task, at);
  reindex(state, task);
}

export function changeTask(state: State, fact: Extract<Fact, { type: 'task.changed' }>, at: number): void {
  const task = taskOf(state, taskKey(fact.spec.project, fact.spec.id), fact);
  const merged = task.progress.at === 'merged' || undoOf(task.progress) !== undefined;
  expect(!merged, fact, 'the task has merged');
  for (const dependency of task.spec.dependsOn) {
    const waiting = state.dependents.get(taskKey(task.spec.project, dependency));
    waiting?.delete(task.key);
    // No empty set stays behind, so that the index is a function of the tasks alone.
    if (waiting?.size === 0) state.dependents.delete(taskKey(task.spec.project, dependency));
  }
  task.spec = fact.spec;
  task.readySince = null;
  linkDependencies(state, task, at);
  reindex(state, task);
}

/** Counts what is still unmerged. A dependency that is not in the store yet counts as unmet until it is added and merges. */
function linkDependencies(state: State, task: Task, at: number): void {
  task.unmet = 0;
  for (const dependency of new Set(task.spec.dependsOn)) {
    const key = taskKey(task.spec.project, dependency);
    const waiting = state.dependents.get(key) ?? new Set<TaskKey>();
    waiting.add(task.key);
    state.dependents.set(key, waiting);
    if (state.tasks.get(key)?.progress.at !== 'merged') task.unmet += 1;
  }
  if (task.unmet === 0) task.readySince ??= at;
}

export function connectNode(state: State, fact: Extract<Fact, { type: 'node.connected' }>): void {
  const node = nodeOf(state, fact.node);
  if (node.journal !== fact.journal) {
    node.journal = fact.journal;
    node.cursor = 0;
  }
  node.bootId = fact.bootId;
  node.program = fact.program;
  node.silence = null;
}

/** Whatever was at work there has been given up before: a lost node holds nothing. */
export function loseNode(state: State, fact: Extract<Fact, { type: 'node.lost' }>, at: number): void {
  const { node: name, silentMs, by } = fact;
  expect((state.live.get(name)?.size ?? 0) === 0, fact, 'attempts live there');
  nodeOf(state, name).silence = { is: 'lost', at, silentMs, by };
}

export function rememberGreen(project: Project, key: string): void {
  if (project.green.includes(key)) return;
  project.green.push(key);
  if (project.green.length > GREEN_KEPT) project.green.shift();
}

/** A spec that the store holds differs from the file in a way that matters. */
export function specChanged(before: TaskSpec, after: TaskSpec): boolean {
  return before.digest !== after.digest || JSON.stringify(before) !== JSON.stringify(after);
}
