/** A small state driven by facts written out, for tests of one transition. */
import type { Evidence, Stall, StallCause } from '../../src/model/stall.ts';
import type { Outcome } from '../../src/model/attempt.ts';
import { type Clash, CONFLICT } from '../../src/model/conflict.ts';
import { type Basis, environmentOf } from '../../src/model/evidence.ts';
import type { Fact, NewEvent } from '../../src/model/event.ts';
import { evolve } from '../../src/model/evolve.ts';
import type { CommitId, NodeName, ProjectName, TaskId, TaskKey, Token } from '../../src/model/ids.ts';
import type { ProjectConfig, TaskSpec } from '../../src/model/spec.ts';
import { emptyState, type State } from '../../src/model/state.ts';
import { DEFAULT_SANDBOX } from '../../src/model/sandbox.ts';

export const PROJECT = 'app' as ProjectName;
export const NODE = 'mac2' as NodeName;
export const BASE = commit(0);

export function commit(number: number): CommitId {
  return number.toString(16).padStart(40, '0') as CommitId;
}
export function token(number: number): Token {
  return number.toString(16).padStart(32, '0') as Token;
}
export function key(id: string): TaskKey {
  return `${PROJECT}/${id}` as TaskKey;
}

export function config(changes: Partial<ProjectConfig> = {}): ProjectConfig {
  return {
    name: PROJECT,
    repo: '../app',
    target: 'main',
    verify: 'make test',
    context: [],
    contract: null,
    executor: 'shell',
    executors: {},
    timeoutMs: 60_000,
    retries: 3,
    gateTimeoutMs: 60_000,
    sandbox: DEFAULT_SANDBOX,
    placeholderAllow: [],
    allowedExtras: [],
    sharedPaths: [],
    protectedPaths: [],
    gates: { largestFileKb: 8192, largestBinaryKb: 2048, secretAllow: [], minTests: 0 },
    review: 'never',
    weight: 1,
    maxAttempts: 3,
    ...changes,
  };
}

/** What gates of `config()` run, and in what. */
export const BASIS: Basis = { verify: 'make test', environment: environmentOf(config()) };

export function spec(id: string, changes: Partial<TaskSpec> = {}): TaskSpec {
  return {
    project: PROJECT,
    id: id as TaskId,
    title: id,
    priority: 2,
    dependsOn: [],
    modifies: ['src/a.ts'],
    expands: [],
    executor: 'shell',
    verify: null,
    timeoutMs: 60_000,
    retries: 3,
    review: false,
    budgetTokens: null,
    estimateMs: null,
    digest: 'd',
    file: `specs/app/${id}.md`,
    ...changes,
  };
}

export function done(head: CommitId | null): Outcome {
  return { kind: 'done', head, rounds: 1, usage: null };
}

export function claim(id: string, number: number, n = 1): Fact {
  return {
    type: 'attempt.claimed',
    token: token(number),
    task: key(id),
    n,
    work: { kind: 'work' },
    node: NODE,
    base: BASE,
  };
}

export function added(id: string, changes: Partial<TaskSpec> = {}): Fact {
  return { type: 'task.added', spec: spec(id, changes), text: `# ${id}` };
}

/** Facts from a claim to the merge of a task whose attempt is token(number). */
export function wayToMerge(id: string, number: number, onto: CommitId, n = 1): Fact[] {
  const head = commit(number + 0x1000);
  const merged = commit(number + 0x2000);
  const tree = commit(number + 0x3000);
  return [
    claim(id, number, n),
    { type: 'attempt.running', token: token(number) },
    { type: 'attempt.ended', token: token(number), outcome: done(head) },
    { type: 'candidate.accepted', token: token(number), head, changed: 1 },
    { type: 'merge.prepared', token: token(number), onto, commit: merged, tree, aside: false },
    { type: 'merge.passed', token: token(number), tree, below: [] },
    { type: 'merge.landed', token: token(number), commit: merged, onto },
  ];
}

/** A conflict of a task's first attempt with what S01 merged. */
export function clash(ours: string, changes: Partial<Clash> = {}): Clash {
  const [task, other] = [ours as TaskId, 'S01' as TaskId];
  return {
    code: CONFLICT,
    conflicts: [{ path: 'src/a.ts', tasks: [other] }],
    ours: { task, title: `Do ${task}` },
    theirs: [{ task: other, title: 'Do S01' }],
    attempt: 1,
    times: 1,
    most: 3,
    next: 'agent',
    ...changes,
  };
}

export const SET_UP: readonly Fact[] = [
  { type: 'controller.acquired', host: 'laptop', pid: 7 },
  { type: 'project.configured', config: config() },
  { type: 'project.based', project: PROJECT, integration: BASE },
];

/** A state to which facts are applied one after the other, one second apart. */
export class Story {
  readonly state: State;
  #seq = 0;

  constructor(state: State = emptyState()) {
    this.state = state;
  }

  /** A story of which these facts have been told. */
  static of(...facts: Fact[]): Story {
    const story = new Story();
    story.tell(...facts);
    return story;
  }

  /** Applies the facts and returns them as events for a commit. */
  tell(...facts: Fact[]): NewEvent[] {
    return facts.map((fact) => {
      this.#seq += 1;
      const event: NewEvent = { at: 1_700_000_000_000 + this.#seq * 1000, epoch: 1, fact, source: null };
      evolve(this.state, { seq: this.#seq, ...event });
      return event;
    });
  }
}

/** A stall as a node tells it: nothing but silence, unless the evidence says more. */
export function stallFor(cause: StallCause, evidence: Partial<Evidence> = {}): Stall {
  return { cause, detail: '', evidence: evidenceWith(evidence) };
}

export function evidenceWith(parts: Partial<Evidence> = {}): Evidence {
  return {
    quietMs: 300_000,
    logBytes: 120,
    cpu: { usedMs: 0, overMs: 60_000 },
    processes: [],
    more: 0,
    finished: false,
    refused: null,
    lastEvent: null,
    repeats: null,
    lastLines: [],
    ...parts,
  };
}
