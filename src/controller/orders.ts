/** Builds the order of an attempt from state, store and hub: everything the node needs, so that it asks nothing back. */
import { assertNever } from '../model/assert.ts';
import type { Attempt, GateSubject } from '../model/attempt.ts';
import { type CommitId, type TaskId, type TaskKey, taskKey } from '../model/ids.ts';
import type { ProjectConfig } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import type { Project, Task } from '../model/task.ts';
import type { ExecutorDef } from '../model/executor.ts';
import { buildPrompt, feedbackForAttempt, type PromptFile, type Sibling } from '../executors/prompt.ts';
import { withCredential } from '../executors/pool.ts';
import { builtinExecutors } from '../executors/builtin.ts';
import type { AttemptOrder, GateOrder, TreeOrder, WorkOrder } from '../protocol/order.ts';
import { PROTOCOL } from '../protocol/version.ts';

/** Bytes of an attempt's log that are kept. */
const LOG_CAP = 16 * 1024 * 1024;
/** Silence after which a node says why an attempt shows no progress. Milliseconds. */
const STALL_MS = 5 * 60_000;
/** Siblings named in a prompt; a model reads no list of thousands. */
const MAX_SIBLINGS = 60;

/** What an order needs from outside the state. */
export interface OrderSources {
  readonly specText: (task: Task) => Promise<string>;
  /** Text of a file at a commit of the project's hub; null when it is not there. */
  readonly readFile: (project: Project, commit: CommitId, path: string) => Promise<string | null>;
  /** Context files of a project without a repository would have no commit to be read at; they are left out. */
  readonly epoch: number;
}

/** @throws when the attempt or its task is not in the state. */
export async function buildOrder(
  state: State,
  attempt: Attempt,
  sources: OrderSources,
): Promise<AttemptOrder> {
  const { work, task: key } = attempt;
  const project = state.projects.get(key.slice(0, key.indexOf('/')) as Project['name']);
  if (project === undefined) throw new Error(`no project for ${key}`);
  const task = state.tasks.get(key);
  const id = (task?.spec.id ?? (work.kind === 'gate' ? work.subject.of : 'delivery')) as TaskId;
  const { config } = project;
  const common = {
    protocol: PROTOCOL,
    token: attempt.token,
    project: project.name,
    task: id,
    n: attempt.n,
    epoch: sources.epoch,
    logCapBytes: LOG_CAP,
    stallMs: config.stallMs ?? STALL_MS,
  };
  switch (work.kind) {
    case 'gate':
      return { ...common, timeoutMs: config.gateTimeoutMs, work: gateOrder(work.subject, config) };
    case 'work':
      if (task === undefined) throw new Error(`no task ${key}`);
      return {
        ...common,
        timeoutMs: task.spec.timeoutMs,
        work: await workOrder(state, attempt, task, project, sources),
      };
    default:
      return assertNever(work);
  }
}

/** A change of the settings has ended every gate that was claimed before it, so these are what its subject names. */
function gateOrder({ commit, verify }: GateSubject, { gates, sandbox }: ProjectConfig): GateOrder {
  if (verify === '') throw new Error('a gate without a verify command');
  return { kind: 'gate', commit, verify, minTests: gates.minTests, sandbox };
}

async function workOrder(
  state: State,
  attempt: Attempt,
  task: Task,
  project: Project,
  sources: OrderSources,
): Promise<WorkOrder> {
  const { config } = project;
  const { spec } = task;
  const text = await sources.specText(task);
  const feedback = task.feedback === null ? null : feedbackForAttempt(task.feedback);
  const name = attempt.executor ?? spec.executor;
  const defined = config.executors[name] ?? builtinExecutors()[name];
  if (defined === undefined) throw new Error(`no executor ${name}`);
  const handed = task.feedback?.why === 'handed';
  const executor = handed ? TAKES_IN : withCredential(defined, attempt.credential);
  const read = async (path: string): Promise<PromptFile | null> => {
    const file = attempt.base === null ? null : await sources.readFile(project, attempt.base, path);
    return file === null ? null : { path, text: file };
  };
  const prompt = buildPrompt({
    project: project.name,
    task: spec.id,
    title: spec.title,
    agentFile: (await read('AGENTS.md')) ?? (await read('CLAUDE.md')),
    memory: await readAll(config.context, read),
    contract: config.contract === null ? null : await read(config.contract),
    siblings: config.repo === null ? [] : siblingsOf(state, task),
    environment: {
      node: attempt.node,
      timeoutMs: spec.timeoutMs,
      retries: spec.retries,
      budgetTokens: spec.budgetTokens,
      verify: spec.verify,
      base: attempt.base,
      modifies: spec.modifies,
      expands: spec.expands,
      allowedExtras: config.allowedExtras,
      protectedPaths: config.protectedPaths,
    },
    spec: text,
    feedback,
  });
  return {
    kind: 'work',
    tree: treeOrder(attempt, task, config),
    spec: text,
    prompt,
    executor,
    verify: spec.verify,
    verifyTimeoutMs: config.gateTimeoutMs,
    minTests: config.repo === null ? 0 : config.gates.minTests,
    sandbox: config.sandbox,
    ...(config.cage === undefined ? {} : { cage: config.cage }),
    ...(spec.budgetTokens === null ? {} : { limitTokens: spec.budgetTokens }),
    // A program that merges one commit does nothing else when it is asked again.
    retries: handed ? 0 : spec.retries,
    feedback,
  };
}

/** Instead of an agent where a person has done the work. */
const TAKES_IN: ExecutorDef = {
  name: 'person',
  kind: 'shell',
  command: [
    'git',
    '-c',
    'user.name=dispatch',
    '-c',
    'user.email=dispatch@localhost',
    'merge',
    '-q',
    '--no-edit',
    'refs/dispatch/previous',
  ],
  env: {},
  secrets: {},
  model: null,
};

function treeOrder(attempt: Attempt, task: Task, config: ProjectConfig): TreeOrder | null {
  if (attempt.base === null) return null;
  return {
    base: attempt.base,
    previous: task.feedback?.previous ?? null,
    modifies: task.spec.modifies,
    expands: task.spec.expands,
    allowedExtras: config.allowedExtras,
    protectedPaths: config.protectedPaths,
    placeholderAllow: config.placeholderAllow,
    gates: config.gates,
  };
}

async function readAll(
  paths: readonly string[],
  read: (path: string) => Promise<PromptFile | null>,
): Promise<PromptFile[]> {
  const files = await Promise.all(paths.map(read));
  return files.filter((file) => file !== null);
}

/**
 * What the others own and what has merged: the nearest first, so that a cut list loses the least. The state may hold
 * tens of thousands of tasks, so only the near ones and the head of the project's list are looked at.
 */
function siblingsOf(state: State, task: Task): Sibling[] {
  const near = new Map<TaskKey, Task>();
  for (const key of [...dependenciesOf(task), ...(state.dependents.get(task.key) ?? [])]) {
    const other = state.tasks.get(key);
    if (other !== undefined && key !== task.key) near.set(key, other);
  }
  const chosen = [...near.values()].sort((a, b) => a.order - b.order).slice(0, MAX_SIBLINGS);
  for (const other of state.tasks.values()) {
    if (chosen.length >= MAX_SIBLINGS) break;
    if (other.spec.project !== task.spec.project || other === task || near.has(other.key)) continue;
    chosen.push(other);
  }
  return chosen.map(asSibling);
}

function dependenciesOf({ spec }: Task): TaskKey[] {
  return spec.dependsOn.map((id) => taskKey(spec.project, id));
}

function asSibling(other: Task): Sibling {
  const { id, title, modifies } = other.spec;
  const merged = other.progress.at === 'merged';
  return { id, title, modifies, state: merged ? 'merged' : other.locked ? 'active' : 'waiting' };
}
