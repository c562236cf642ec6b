/** What must hold of a home as a whole, besides the invariants of one state: over time, against the truth, at the end. */
import { isOutdated } from '../../src/model/contract.ts';
import { projectOfKey } from '../../src/model/found.ts';
import type { NewEvent } from '../../src/model/event.ts';
import { type TaskKey, taskKey } from '../../src/model/ids.ts';
import type { State } from '../../src/model/state.ts';
import { isFinal, type Progress, type Task, undoOf } from '../../src/model/task.ts';
import { queueOf } from '../../src/merge/queue/view.ts';
import { isDead } from '../../src/schedule/filter.ts';
import { activeTasks } from '../../src/schedule/gates.ts';
import { whyEach } from '../../src/schedule/why.ts';
import { FLAKY } from './scenario.ts';
import type { Simulation } from './simulation.ts';

/** Held against what was durable before, whichever controller wrote it. */
export function durableViolations(sim: Simulation, state: State, events: readonly NewEvent[]): string[] {
  return [
    ...historyViolations(sim, state, events),
    ...sourceViolations(sim, events),
    ...claimViolations(sim, state, events),
    ...contractViolations(sim, state, events),
    ...mergeViolations(sim, state, events),
    ...slotViolations(sim, state),
    ...failureViolations(sim, state),
    ...queueViolations(state),
    ...flakeViolations(sim, state),
    ...sim.hearing.durableViolations(state, events),
    ...sim.money.durableViolations(state, events),
  ];
}

/** `n` only grows, and final is final unless a person asked for another try, or for what merged to be taken out. */
function historyViolations(sim: Simulation, state: State, events: readonly NewEvent[]): string[] {
  const retried = new Set(events.flatMap(({ fact }) => (fact.type === 'task.retried' ? fact.task : [])));
  const reverting = new Set(
    events.flatMap(({ fact }) => (fact.type === 'revert.requested' ? fact.task : [])),
  );
  const found: string[] = [];
  for (const [key, before] of sim.durable) {
    const task = state.tasks.get(key);
    if (task?.progress === before.progress && task.n === before.n) continue;
    if (task === undefined) {
      found.push(`${key}: is gone`);
      continue;
    }
    if (task.n < before.n) found.push(`${key}: n went from ${before.n} to ${task.n}`);
    if (!isFinal(before.progress) || task.progress === before.progress) continue;
    const same = JSON.stringify(withoutLook(task.progress)) === JSON.stringify(withoutLook(before.progress));
    if (same || (before.progress.at === 'merged' ? reverting : retried).has(key)) continue;
    found.push(`${key}: was ${before.progress.at} and is ${task.progress.at}`);
  }
  return found;
}

/** What is found in merged work, and what a person says of that, does not change that it merged. */
function withoutLook(progress: Progress): Progress {
  if (progress.at !== 'merged') return progress;
  const { look: _, ...rest } = progress;
  return rest;
}

/** Each entry of a journal is applied at most once, and in order. */
function sourceViolations(sim: Simulation, events: readonly NewEvent[]): string[] {
  const found: string[] = [];
  for (const { source, fact } of events) {
    if (source === null) continue;
    const last = sim.applied.get(source.journal) ?? 0;
    if (source.seq <= last) {
      found.push(`${source.journal}: entry ${source.seq} (${fact.type}) applied after ${last}`);
    }
    sim.applied.set(source.journal, Math.max(last, source.seq));
  }
  return found;
}

/** An attempt starts from a commit that contains everything its task depends on. */
function claimViolations(sim: Simulation, state: State, events: readonly NewEvent[]): string[] {
  const found: string[] = [];
  for (const { fact } of events) {
    if (fact.type !== 'attempt.claimed' || fact.work.kind !== 'work' || fact.base === null) continue;
    const task = state.tasks.get(fact.task);
    for (const id of task?.spec.dependsOn ?? []) {
      const progress = state.tasks.get(taskKey((task as Task).spec.project, id))?.progress;
      const commit = progress?.at === 'merged' ? progress.commit : null;
      if (commit === null || !sim.truth.objects.isAncestor(commit, fact.base)) {
        found.push(`${fact.task}: starts from ${fact.base}, which does not contain ${id}`);
      }
    }
  }
  return found;
}

/**
 * Work begins under the contract that its base has, and no other is waiting for a person then; and nothing that was made
 * under another one than what counts is on its way to being merged.
 */
function contractViolations(sim: Simulation, state: State, events: readonly NewEvent[]): string[] {
  const found: string[] = [];
  for (const { fact } of events) {
    if (fact.type !== 'attempt.claimed' || fact.work.kind !== 'work' || fact.base === null) continue;
    const path = state.projects.get(projectOfKey(fact.task))?.config.contract ?? null;
    if (path === null) continue;
    const really = sim.truth.objects.get(fact.base).files.get(path);
    if (fact.contract !== really)
      found.push(
        `${fact.task}: told to keep to ${fact.contract ?? 'no contract'} where the base has ${really}`,
      );
  }
  for (const task of state.tasks.values()) {
    const { progress, spec } = task;
    if (!['attempt', 'finished', 'review', 'queued', 'gating'].includes(progress.at)) continue;
    const contract = state.projects.get(spec.project)?.contract ?? null;
    if (contract === null || contract.changed !== null || undoOf(progress) !== undefined) continue;
    const attempt = 'token' in progress ? state.attempts.get(progress.token) : undefined;
    if (attempt !== undefined && isOutdated(attempt, contract))
      found.push(`${task.key}: is ${progress.at} under a contract that does not count any more`);
  }
  return found;
}

/** What the state calls merged is in integration, once, and came from an attempt that was not given up. */
function mergeViolations(sim: Simulation, state: State, events: readonly NewEvent[]): string[] {
  const found: string[] = [];
  for (const { fact } of events) {
    if (fact.type !== 'merge.landed' && fact.type !== 'revert.landed') continue;
    const attempt = state.attempts.get(fact.token);
    const project = attempt === undefined ? undefined : state.tasks.get(attempt.task)?.spec.project;
    const hub = project === undefined ? undefined : sim.truth.hubs.get(project);
    const moves = fact.type === 'merge.landed' ? hub?.landed : hub?.reverted;
    const landed = moves?.filter(({ token }) => token === fact.token) ?? [];
    if (landed.length !== 1)
      found.push(`${fact.token}: said to have landed, and did so ${landed.length} times`);
    if (landed[0]?.commit !== fact.commit) found.push(`${fact.token}: landed as another commit`);
    if (attempt?.phase.is === 'fenced') found.push(`${fact.token}: was given up, and landed`);
  }
  return found;
}

/** Never more attempts on a node than it has slots, nor two of one task: as the controller counts, and as they really run. */
function slotViolations(sim: Simulation, state: State): string[] {
  const found: string[] = [];
  const working = new Map<string, number>();
  for (const { name, slots } of sim.scenario.nodes) {
    const live = state.live.get(name)?.size ?? 0;
    if (live > slots) found.push(`${name}: ${live} attempts in ${slots} slots`);
    const running = sim
      .node(name)
      .running()
      .filter(({ order: { token } }) => {
        return state.attempts.get(token)?.phase.is !== 'fenced' && !sim.forgotten.has(token);
      });
    if (running.length > slots) {
      found.push(`${name}: really runs ${running.length} attempts in ${slots} slots`);
    }
    for (const { order } of running) {
      if (order.work.kind !== 'work') continue;
      const task = `${order.project}/${order.task}`;
      const other = working.get(task);
      if (other !== undefined) {
        found.push(`${task}: attempts ${other} and ${order.n} really run at the same time`);
      }
      working.set(task, order.n);
    }
  }
  return found;
}

/** No task is blamed for what was no failure of an attempt at it. */
function failureViolations(sim: Simulation, state: State): string[] {
  return [...state.tasks.values()].flatMap(({ key, failures }) => {
    const really = sim.truth.failuresOf(key);
    return failures > really ? [`${key}: ${failures} failures are held against it, of ${really}`] : [];
  });
}

/** What must hold in the end: what merged is where it belongs, and nothing that an agent made is lost. */
export function endViolations(sim: Simulation): string[] {
  const found = sim.truth.lost((token) => {
    for (const node of sim.nodes.values()) if (node.headOf(token) !== null) return node.headOf(token);
    return null;
  });
  found.push(...sim.truth.repeated());
  for (const { key, spec, progress } of sim.controller?.core.state.tasks.values() ?? []) {
    if (progress.at !== 'merged' || progress.commit === null) continue;
    const { integration, landed } = sim.truth.hub(spec.project);
    if (integration === null || !sim.truth.objects.isAncestor(progress.commit, integration))
      found.push(`${key}: merged as ${progress.commit}, which integration does not contain`);
    if (landed.filter(({ token }) => token === progress.token).length !== 1)
      found.push(`${key}: merged, and its attempt did not land once`);
  }
  return found;
}

/** What lands lands as one, and what is gated stands, one on the other, on integration or on what is landing. */
function queueViolations(state: State): string[] {
  return [...state.projects.values()].flatMap((project) => {
    const { landing, stray } = queueOf(project, activeTasks(state, project.name), state.tasks);
    const tops = new Set(landing.map(({ commit }) => commit));
    const found = tops.size > 1 ? [`${project.name}: ${tops.size} landings at the same time`] : [];
    for (const [place, step] of landing.entries()) {
      if (step.place !== place) found.push(`${project.name}: nothing lands in place ${place}`);
    }
    // While the queue stands still nobody sends them back; then they are not gated either.
    const still = project.hold !== null || (project.delivery !== null && project.delivery.at !== 'draining');
    if (still || project.integration === null) return found;
    return [...found, ...stray.map(({ task }) => `${task.key}: gated on top of something that is gone`)];
  });
}

/** Nothing is called flaky that is not: neither a gate more often than it was, nor a test that fails for a reason. */
function flakeViolations(sim: Simulation, state: State): string[] {
  const gates = [...state.projects.values()].flatMap((project) => project.gates);
  const counted = gates.reduce((sum, { flakes }) => sum + flakes, 0);
  const really = counted === 0 ? 0 : sim.truth.flakes();
  const found = counted > really ? [`${counted} flakes are recorded, of ${really}`] : [];
  const wrong = gates.flatMap(({ tests }) => tests).filter(({ name }) => name !== FLAKY);
  return [...found, ...wrong.map(({ name }) => `the test "${name}" is called flaky`)];
}

/** What still has to come to an end; empty when nothing more will happen without a person. */
export function* unfinished(sim: Simulation): Generator<string> {
  const { controller } = sim;
  if (controller === null) return yield 'no controller';
  if (!controller.idle) return yield 'the controller is at work';
  const { state, memory } = controller.core;
  for (const [node, live] of state.live) if (live.size > 0) yield `${live.size} attempts live on ${node}`;
  if (state.fenced.size > 0) yield `${state.fenced.size} fenced attempts are not confirmed`;
  if (memory.salvage.size + memory.forgettable.size > 0) yield 'results wait on their nodes';
  for (const { name, delivery } of state.projects.values()) {
    if (delivery !== null) yield `the delivery of ${name} is ${delivery.at}`;
  }
  const open = [...state.tasks.values()].filter(({ progress }) => !isFinal(progress));
  const stuck = open.length === 0 ? null : stuckTasks(sim);
  for (const { key, progress } of open) if (stuck?.has(key) !== true) yield `${key} is ${progress.at}`;
}

/** Tasks that only a person can set going: parked ones, and those below them or behind their locks. */
function stuckTasks(sim: Simulation): Set<TaskKey> {
  const stuck = new Set<TaskKey>();
  const core = sim.controller?.core;
  if (core === undefined) return stuck;
  const reasons = whyEach(core.snapshot(), sim.wall());
  const tasks = [...core.state.tasks.values()];
  for (const task of tasks) if (isDead(task)) stuck.add(task.key);
  for (let before = -1; before < stuck.size; ) {
    before = stuck.size;
    for (const task of tasks) {
      if (task.progress.at !== 'open' || stuck.has(task.key)) continue;
      const blocked = reasons(task).some((blocker) => {
        if (blocker.why === 'dependency') return blocker.on.some((key) => stuck.has(key));
        return blocker.why === 'lock' && stuck.has(blocker.holder);
      });
      if (blocked) stuck.add(task.key);
    }
  }
  return stuck;
}

/** What the tables say against what the controller believes. */
export function loadedDifferences(believed: State, loaded: State): string[] {
  const found: string[] = [];
  for (const part of ['projects', 'tasks', 'attempts', 'nodes', 'dependents', 'live'] as const) {
    found.push(...mapDifferences(part, believed[part], loaded[part]));
  }
  for (const part of ['startable', 'active', 'fenced', 'locked'] as const) {
    const [a, b] = [[...believed[part]].toSorted(), [...loaded[part]].toSorted()];
    if (JSON.stringify(a) !== JSON.stringify(b))
      found.push(`${part}: ${String(a)} believed, ${String(b)} stored`);
  }
  return found;
}

function mapDifferences(
  name: string,
  believed: ReadonlyMap<string, unknown>,
  loaded: ReadonlyMap<string, unknown>,
): string[] {
  return [...new Set([...believed.keys(), ...loaded.keys()])].flatMap((key) => {
    const [one, other] = [believed.get(key), loaded.get(key)];
    // The text of a set says nothing of its members.
    if (!(one instanceof Set) && JSON.stringify(one) === JSON.stringify(other)) return [];
    const [a, b] = [plain(one), plain(other)];
    return a === b ? [] : `${name} ${key}: ${a} believed, ${b} stored`;
  });
}

/** Text of a value in which the order of keys and of members does not count; no members are as good as none. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Set) return part.size === 0 ? undefined : [...(part as Set<string>)].toSorted();
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
