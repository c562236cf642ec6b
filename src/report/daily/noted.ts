/** What the log says about projects within the period, kept as events go by. */
import type { Event, Fact } from '../../model/event.ts';
import type { ProjectName, TaskId, TaskKey, Token } from '../../model/ids.ts';
import type { State } from '../../model/state.ts';
import { roundsOf } from '../attempts.ts';
import type { Refusal } from '../model.ts';
import type { ConflictDay, MergedTask, ProjectDay } from './model.ts';
import { executorOf } from './window.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

/** What is added up for one project. */
type Kept = Writable<
  Pick<ProjectDay, 'merged' | 'refusals' | 'failed' | 'conflicts' | 'reverted' | 'delivered'>
>;

/** How often each gate was red and then green on one commit, by project and verify command. */
type Flakes = Map<ProjectName, Map<string, number>>;

export class Noted {
  readonly projects = new Map<ProjectName, Kept>();
  readonly flakes: Flakes = new Map();

  /** @param state with the event applied. */
  note({ fact, at }: Event, state: State): void {
    switch (fact.type) {
      case 'merge.landed':
        return this.#merged(state, fact.token, fact.commit, at);
      case 'task.completed':
        return this.#merged(state, fact.token, null, at);
      case 'attempt.ended':
        if (fact.outcome.kind === 'refused')
          this.#refused(state, fact.token, { by: 'node', findings: fact.outcome.findings, at });
        return;
      case 'candidate.refused':
        return this.#refused(state, fact.token, { by: 'branch', findings: fact.findings, at });
      case 'merge.refused':
        return this.#refused(state, fact.token, { by: 'merge', findings: fact.findings, at });
      case 'revert.refused':
        if (fact.findings !== undefined)
          this.#refused(state, fact.token, { by: 'revert', findings: fact.findings, at });
        return;
      case 'merge.conflicted':
        return this.#conflicted(state, fact);
      case 'revert.landed':
        return void this.#of(state, fact.token)?.kept.reverted.push(taskOf(state, fact.token));
      case 'task.failed': {
        const { project, task } = split(fact.task);
        this.#kept(project).failed.push({ task, reason: fact.reason });
        return;
      }
      case 'delivery.landed':
        this.#kept(fact.project).delivered += fact.tasks.length;
        return;
      default:
    }
  }

  flaked(project: ProjectName, verify: string, times: number): void {
    const gates = this.flakes.get(project) ?? new Map<string, number>();
    this.flakes.set(project, gates);
    gates.set(verify, (gates.get(verify) ?? 0) + times);
  }

  #merged(state: State, token: Token, commit: MergedTask['commit'], at: number): void {
    const attempt = state.attempts.get(token);
    const task = attempt === undefined ? undefined : state.tasks.get(attempt.task);
    if (attempt === undefined || task === undefined) return;
    this.#kept(task.spec.project).merged.push({
      task: task.spec.id,
      title: task.spec.title,
      commit,
      at,
      tookMs: Math.max(0, at - task.addedAt),
      attempts: attempt.n,
      rounds: roundsOf(attempt),
      node: attempt.node,
      executor: executorOf(attempt, state),
    });
  }

  #refused(state: State, token: Token, refusal: Pick<Refusal, 'by' | 'findings' | 'at'>): void {
    const owner = this.#of(state, token);
    // A gate that is red is followed by merge.refused, which says the same about the task.
    if (owner === null || owner.gate) return;
    owner.kept.refusals.push({ task: owner.task, n: owner.n, ...refusal });
  }

  #conflicted(state: State, { token, clash }: Extract<Fact, { type: 'merge.conflicted' }>): void {
    const owner = this.#of(state, token);
    if (owner === null) return;
    const conflict: ConflictDay = {
      task: owner.task,
      against: clash.theirs.map(({ task }) => task),
      paths: clash.conflicts.map(({ path }) => path),
      times: clash.times,
    };
    owner.kept.conflicts.push(conflict);
  }

  #of(state: State, token: Token): { kept: Kept; task: TaskId; n: number; gate: boolean } | null {
    const attempt = state.attempts.get(token);
    if (attempt === undefined) return null;
    const { project, task } = split(attempt.task);
    return { kept: this.#kept(project), task, n: attempt.n, gate: attempt.work.kind === 'gate' };
  }

  #kept(project: ProjectName): Kept {
    const known = this.projects.get(project);
    if (known !== undefined) return known;
    const kept = { merged: [], refusals: [], failed: [], conflicts: [], reverted: [], delivered: 0 };
    this.projects.set(project, kept);
    return kept;
  }
}

/** The two names of a task's key. */
export function split(key: TaskKey): { project: ProjectName; task: TaskId } {
  const slash = key.indexOf('/');
  return { project: key.slice(0, slash) as ProjectName, task: key.slice(slash + 1) as TaskId };
}

function taskOf(state: State, token: Token): TaskId {
  return split(state.attempts.get(token)?.task ?? ('/' as TaskKey)).task;
}
