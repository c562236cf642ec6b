/** Builds states for tests the way they come about: from facts, through the one door. */
import type { Outcome } from '../../src/model/attempt.ts';
import type { BudgetRules } from '../../src/model/budget.ts';
import type { Fact } from '../../src/model/event.ts';
import { type Basis, environmentOf } from '../../src/model/evidence.ts';
import { evolve } from '../../src/model/evolve.ts';
import {
  commitId,
  type CommitId,
  nodeName,
  type NodeName,
  projectName,
  type ProjectName,
  taskId,
  type TaskKey,
  taskKey,
  type Token,
  tokenFrom,
} from '../../src/model/ids.ts';
import type { NodeConfig, ProjectConfig, TaskSpec } from '../../src/model/spec.ts';
import { emptyState, type State } from '../../src/model/state.ts';
import { judged, type Task } from '../../src/model/task.ts';
import type { QueueRecord } from '../../src/merge/queue/record.ts';
import { decide } from '../../src/schedule/decide.ts';
import type { Decision, Snapshot } from '../../src/schedule/snapshot.ts';
import { config as projectConfig } from '../model/builder.ts';

export function config(name: string, over: Partial<ProjectConfig> = {}): ProjectConfig {
  const gates = { ...projectConfig().gates, skipControl: 'no test' };
  return projectConfig({ name: projectName(name), repo: '/srv/repo.git', gates, ...over });
}

export function spec(project: string, id: string, over: Partial<TaskSpec> = {}): TaskSpec {
  return {
    project: projectName(project),
    id: taskId(id),
    title: id,
    priority: 2,
    dependsOn: [],
    modifies: [`src/${id}.ts`],
    expands: [],
    executor: 'shell',
    verify: 'make test',
    timeoutMs: 60_000,
    retries: 3,
    review: false,
    budgetTokens: null,
    estimateMs: null,
    digest: id,
    file: `specs/${project}/${id}.md`,
    ...over,
  };
}

export function node(name: string, over: Partial<NodeConfig> = {}): NodeConfig {
  return {
    name: nodeName(name),
    slots: 8,
    gateSlots: null,
    leaseMs: null,
    mode: 'hybrid',
    labels: [],
    weight: 1,
    reach: { by: 'local' },
    root: null,
    ...over,
  };
}

export const key = (project: string, id: string): TaskKey => taskKey(projectName(project), taskId(id));
export const commit = (n: number): CommitId => commitId(n.toString(16).padStart(40, '0'));

/** A state that grows fact by fact, and the snapshot around it; every setter returns the world. */
export class World {
  readonly state: State = emptyState();
  now = 1_000_000;
  nodes: NodeConfig[] = [];
  readonly connected = new Set<NodeName>();
  readonly dispatching = new Set<ProjectName>();
  readonly chainMs = new Map<TaskKey, number>();
  readonly shunned = new Map<NodeName, number>();
  readonly waiting = new Map<ProjectName, number>();
  readonly records = new Map<ProjectName, QueueRecord>();
  budget?: BudgetRules;
  #tokens = 0;
  #commits = 0;

  #basis({ verify }: { readonly verify: string }): Basis {
    return { verify, environment: environmentOf(config('p')) };
  }

  record(fact: Fact): void {
    evolve(this.state, { seq: 0, at: this.now, epoch: 1, fact, source: null });
  }

  snapshot(): Snapshot {
    return this;
  }

  project(name: string, over: Partial<ProjectConfig> = {}): this {
    this.record({ type: 'project.configured', config: config(name, over) });
    if (over.repo !== null) {
      this.record({ type: 'project.based', project: projectName(name), integration: this.commit() });
    }
    this.dispatching.add(projectName(name));
    return this;
  }

  node(name: string, over: Partial<NodeConfig> = {}): this {
    this.nodes = [...this.nodes, node(name, over)];
    this.connected.add(nodeName(name));
    return this;
  }

  add(project: string, id: string, over: Partial<TaskSpec> = {}): this {
    this.record({ type: 'task.added', spec: spec(project, id, over), text: '' });
    return this;
  }

  task(project: string, id: string): Task {
    const task = this.state.tasks.get(key(project, id));
    if (task === undefined) throw new Error(`no task ${project}/${id}`);
    return task;
  }

  /** Claims a work attempt, whatever `decide` thinks of it. */
  claim(project: string, id: string, on: string): Token {
    const executor = this.task(project, id).spec.executor;
    return this.apply({
      start: 'work',
      task: key(project, id),
      node: nodeName(on),
      executor,
      credential: null,
    });
  }

  /** Claims what was decided, as the core does. */
  apply(decision: Decision): Token {
    const token = this.token();
    switch (decision.start) {
      case 'work': {
        const task = this.state.tasks.get(decision.task);
        const n = (task?.n ?? 0) + 1;
        const work = { kind: 'work' } as const;
        this.record({
          type: 'attempt.claimed',
          token,
          task: decision.task,
          n,
          work,
          node: decision.node,
          base: null,
          ...(decision.credential === null ? {} : { credential: decision.credential }),
          ...(decision.executor === task?.spec.executor ? {} : { executor: decision.executor }),
          ...(decision.reserved === undefined ? {} : { reserved: decision.reserved }),
        });
        return token;
      }
      case 'merge-gate': {
        const task = this.state.tasks.get(decision.task);
        if (task?.progress.at !== 'gating') throw new Error(`${decision.task} is not gating`);
        const { commit, tree } = judged(task.progress, decision.area);
        const work = {
          kind: 'gate',
          subject: { of: 'merge', workToken: decision.workToken, commit, tree, ...this.#basis(decision) },
        } as const;
        this.record({
          type: 'attempt.claimed',
          token,
          task: decision.task,
          n: task.n,
          work,
          node: decision.node,
          base: commit,
        });
        return token;
      }
      case 'control-gate':
        throw new Error('no test of the scheduler tries gates');
      case 'delivery-gate': {
        const delivery = this.state.projects.get(decision.project)?.delivery;
        if (delivery?.at !== 'gating') throw new Error(`${decision.project} is not delivering`);
        const { commit, tree } = delivery;
        const subject = { of: 'delivery', commit, tree, ...this.#basis(decision) } as const;
        const work = { kind: 'gate', subject } as const;
        const task = `${decision.project}/@delivery` as TaskKey;
        this.record({
          type: 'attempt.claimed',
          token,
          task,
          n: 0,
          work,
          node: decision.node,
          base: commit,
        });
        return token;
      }
    }
  }

  end(token: Token, outcome: Outcome): this {
    this.record({ type: 'attempt.ended', token, outcome });
    return this;
  }

  /** From a live attempt to a branch in the merge queue. */
  queue(token: Token): this {
    const head = this.commit();
    this.end(token, { kind: 'done', head, rounds: 1, usage: null });
    this.record({ type: 'candidate.accepted', token, head, changed: 1 });
    return this;
  }

  /** From a live attempt to a merged tree that waits for its gate. */
  prepare(token: Token): this {
    this.queue(token);
    const onto = this.integration(token);
    const made = this.commit();
    this.record({ type: 'merge.prepared', token, onto, commit: made, tree: `tree-${made}`, aside: false });
    return this;
  }

  /** From a live attempt to merged. */
  merge(token: Token): this {
    this.prepare(token);
    const task = this.state.tasks.get(this.state.attempts.get(token)?.task ?? key('x', 'x'));
    if (task?.progress.at !== 'gating') throw new Error('not gating');
    const { tree, onto, commit } = task.progress;
    this.record({ type: 'merge.passed', token, tree, below: [] });
    this.record({ type: 'merge.landed', token, commit, onto });
    return this;
  }

  /** Decides and claims, and returns what was decided. */
  step(): Decision[] {
    const decisions = decide(this.snapshot(), this.now);
    for (const decision of decisions) this.apply(decision);
    return decisions;
  }

  token(): Token {
    this.#tokens += 1;
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setUint32(12, this.#tokens);
    return tokenFrom(bytes);
  }

  commit(): CommitId {
    this.#commits += 1;
    return commit(this.#commits);
  }

  private integration(token: Token): CommitId {
    const task = this.state.attempts.get(token)?.task ?? key('x', 'x');
    const name = this.state.tasks.get(task)?.spec.project;
    const tip = name === undefined ? null : (this.state.projects.get(name)?.integration ?? null);
    if (tip === null) throw new Error('no integration');
    return tip;
  }
}

/** `S01@n1` for work, `gate S01@n1`, `deliver p@n1`: decisions as a reader sees them. */
export function words(decisions: readonly Decision[]): string[] {
  return decisions.map((decision) => {
    switch (decision.start) {
      case 'work':
        return `${decision.task.split('/')[1]}@${decision.node}`;
      case 'merge-gate':
        return `gate ${decision.task.split('/')[1]}@${decision.node}`;
      case 'delivery-gate':
        return `deliver ${decision.project}@${decision.node}`;
      case 'control-gate':
        return `try ${decision.gate.verify} on the ${decision.gate.part}@${decision.node}`;
    }
  });
}
