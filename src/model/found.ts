/** What a fact names, found in the state; a fact that names what is not there, or not so, is a defect and throws. */
import type { Attempt } from './attempt.ts';
import type { Fact } from './event.ts';
import { WELL } from './health.ts';
import type { NodeName, ProjectName, TaskKey, Token } from './ids.ts';
import type { NodeState, State } from './state.ts';
import type { Gating, Progress, Project, Task } from './task.ts';

export class IllegalFact extends Error {
  readonly fact: Fact;
  constructor(fact: Fact, why: string) {
    super(`${fact.type}: ${why}`);
    this.name = 'IllegalFact';
    this.fact = fact;
  }
}

export function workOf(
  state: State,
  token: Token,
  fact: Fact,
  allowed: readonly Progress['at'][],
): { task: Task; progress: Progress } {
  const attempt = attemptOf(state, token, fact);
  const task = taskOf(state, attempt.task, fact);
  const { progress } = task;
  expect(allowed.includes(progress.at), fact, `task is ${progress.at}`);
  expect('token' in progress && progress.token === token, fact, 'not the attempt that the task is at');
  return { task, progress };
}

export type Judged = Extract<Progress, { at: 'queued' | 'review' }>;

/** In the hub and judged good, and not merged tentatively yet. */
export function judgedOf(state: State, token: Token, fact: Fact): { task: Task; progress: Judged } {
  const { task, progress } = workOf(state, token, fact, ['queued', 'review']);
  if (progress.at !== 'queued' && progress.at !== 'review')
    throw new IllegalFact(fact, `task is ${progress.at}`);
  return { task, progress };
}

export function gatingOf(state: State, token: Token, fact: Fact): { task: Task; progress: Gating } {
  const { task, progress } = workOf(state, token, fact, ['gating']);
  if (progress.at !== 'gating') throw new IllegalFact(fact, `task is ${progress.at}`);
  return { task, progress };
}

export function liveOn(state: State, node: NodeName): Set<Token> {
  const live = state.live.get(node) ?? new Set<Token>();
  state.live.set(node, live);
  return live;
}

export function nodeOf(state: State, name: NodeName): NodeState {
  const known = state.nodes.get(name);
  if (known !== undefined) return known;
  const node = newNode(name);
  state.nodes.set(name, node);
  return node;
}

/** A node of which nothing is known. */
export function newNode(name: NodeName): NodeState {
  return {
    name,
    bootId: null,
    journal: null,
    cursor: 0,
    mark: 'none',
    program: null,
    programs: {},
    silence: null,
    health: WELL,
  };
}

export function taskOf(state: State, key: TaskKey, fact: Fact): Task {
  const task = state.tasks.get(key);
  if (task === undefined) throw new IllegalFact(fact, `no task ${key}`);
  return task;
}

export function attemptOf(state: State, token: Token, fact: Fact): Attempt {
  const attempt = state.attempts.get(token);
  if (attempt === undefined) throw new IllegalFact(fact, `no attempt ${token}`);
  return attempt;
}

export function projectOf(state: State, name: ProjectName, fact: Fact): Project {
  const project = state.projects.get(name);
  if (project === undefined) throw new IllegalFact(fact, `no project ${name}`);
  return project;
}

/** The project part of a task key. */
export function projectOfKey(key: TaskKey): ProjectName {
  return key.slice(0, key.indexOf('/')) as ProjectName;
}

export function expect(holds: boolean, fact: Fact, why: string): void {
  if (!holds) throw new IllegalFact(fact, why);
}
