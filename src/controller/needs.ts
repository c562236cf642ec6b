/** Which effects the state wants now: level-triggered, so nothing has to be remembered across a crash. */
import type { CommitId, ProjectName, TaskKey } from '../model/ids.ts';
import type { Progress, Project, Task } from '../model/task.ts';
import { wantedDepth } from '../merge/queue/plan.ts';
import { firstQueued, queueOf, type Queue, recordOf } from '../merge/queue/view.ts';
import type { Effect } from './door.ts';
import { activeOf } from './memory.ts';
import { stackable } from './stackable.ts';
import type { Turn } from './turn.ts';

/** Effects that are wanted, not in flight and not backing off. */
export function wantedEffects(turn: Turn, gateSlots: number): Effect[] {
  const effects = [...nodeEffects(turn)];
  const byProject = groupActive(turn);
  for (const project of turn.state.projects.values()) {
    if (project.config.repo === null) continue;
    effects.push(...hubEffects(turn, project, byProject.get(project.name) ?? [], gateSlots));
  }
  return effects.filter((effect) => mayRun(turn, effect.key));
}

function mayRun(turn: Turn, key: string): boolean {
  const { inflight, retries } = turn.memory;
  if (inflight.has(key)) return false;
  const retry = retries.get(key);
  return retry === undefined || retry.at <= turn.now;
}

function* nodeEffects(turn: Turn): Generator<Effect> {
  const { state, memory } = turn;
  for (const token of memory.unordered) {
    const attempt = state.attempts.get(token);
    if (attempt === undefined || attempt.phase.is !== 'claimed' || !memory.connected.has(attempt.node))
      continue;
    yield { do: 'start', key: `start:${token}`, token, node: attempt.node };
  }
  for (const token of state.fenced) {
    const attempt = state.attempts.get(token);
    if (attempt === undefined || memory.cancelling.has(token) || !memory.connected.has(attempt.node))
      continue;
    // Behind an order that is still on its way: a cancel that overtook it would be answered "unknown".
    if (memory.inflight.has(`start:${token}`)) continue;
    const reason = attempt.phase.is === 'fenced' ? attempt.phase.reason : 'given up';
    yield { do: 'cancel', key: `cancel:${token}`, token, node: attempt.node, reason };
  }
  for (const [token, node] of memory.forgettable) {
    if (memory.connected.has(node)) yield { do: 'forget', key: `forget:${token}`, token, node };
  }
  for (const [token, head] of memory.salvage) {
    const attempt = state.attempts.get(token);
    if (attempt === undefined || !memory.connected.has(attempt.node)) continue;
    const project = state.tasks.get(attempt.task)?.spec.project;
    if (project === undefined) continue;
    yield { do: 'collect', key: `collect:${token}`, project, token, node: attempt.node, head };
  }
}

/** Tasks that have something to be done for them, of the projects that have a hub. */
function groupActive({ state }: Turn): Map<ProjectName, Task[]> {
  const groups = new Map<ProjectName, Task[]>();
  for (const { name, config } of state.projects.values()) if (config.repo !== null) groups.set(name, []);
  if (groups.size === 0) return groups;
  for (const key of state.active) {
    const task = state.tasks.get(key);
    if (task !== undefined) groups.get(task.spec.project)?.push(task);
  }
  return groups;
}

function hubEffects(turn: Turn, project: Project, active: readonly Task[], gateSlots: number): Effect[] {
  const { memory } = turn;
  const { name, integration, delivery } = project;
  if (integration === null || memory.resync.has(name)) {
    const wanted = memory.resync.has(name) || memory.dispatching.has(name) || delivery !== null;
    return wanted ? [{ do: 'base', key: `base:${name}`, project: name }] : [];
  }
  return [
    ...collectEffects(turn, name, active),
    ...mergeEffects(turn, queueOf(project, active), gateSlots),
    ...deliveryEffects(turn, project),
  ];
}

function* collectEffects(turn: Turn, project: ProjectName, active: readonly Task[]): Generator<Effect> {
  for (const { progress } of active) {
    if (progress.at !== 'finished') continue;
    const { token, head } = progress;
    const node = turn.state.attempts.get(token)?.node;
    if (node === undefined || !turn.memory.connected.has(node)) continue;
    yield { do: 'collect', key: `collect:${token}`, project, token, node, head };
  }
}

/** Lands what was green; and merges the next branch onto the stack, or aside, while there is room. */
function mergeEffects(turn: Turn, queue: Queue, gateSlots: number): Effect[] {
  const { name, delivery, hold } = queue.project;
  const effects = landEffects(queue);
  const held = hold !== null || (delivery !== null && delivery.at !== 'draining');
  if (held || queue.queued.some(({ progress }) => isMerging(turn, progress))) return effects;
  const next = nextMerge(turn, queue, gateSlots);
  if (next === null) return effects;
  const { progress, onto, aside } = next;
  const { token, head } = progress;
  return [...effects, { do: 'merge', key: `merge:${token}`, project: name, token, head, onto, aside }];
}

/** All that land at once, in the order in which they stand on the stack. */
function landEffects({ project, landing }: Queue): Effect[] {
  const [first] = landing;
  if (first === undefined) return [];
  const { onto, commit } = first;
  const tokens = landing.map(({ token }) => token);
  return [{ do: 'land', key: `land:${commit}`, project: project.name, tokens, onto, commit }];
}

function isMerging({ memory }: Turn, progress: Progress): boolean {
  return progress.at === 'queued' && memory.inflight.has(`merge:${progress.token}`);
}

/** The branch to merge next, and where: by itself in the first of two stages, otherwise onto the stack. */
function nextMerge(turn: Turn, queue: Queue, slots: number): NextMerge | null {
  const { integration } = queue.project;
  const { stack, aside, top } = queue;
  if (integration === null || top === null) return null;
  const record = recordOf(queue.project, turn.memory.records);
  const depth = wantedDepth({ slots, record });
  const able = stackable(turn.memory, queue, turn.now);
  if (aside.length < depth.aside) {
    const fresh = firstQueued(
      able.filter(({ progress }) => progress.at === 'queued' && !progress.cleared),
      turn.state,
    );
    if (fresh !== null) return { ...fresh, onto: integration, aside: true };
  }
  if (stack.length >= depth.stack || stack.some(({ progress }) => progress.red !== null)) return null;
  const ready = able.filter(
    ({ progress }) => progress.at === 'queued' && (depth.aside === 0 || progress.cleared),
  );
  const next = firstQueued(ready, turn.state);
  return next === null ? null : { ...next, onto: top, aside: false };
}

interface NextMerge {
  readonly progress: Extract<Progress, { at: 'queued' }>;
  readonly onto: CommitId;
  readonly aside: boolean;
}

function deliveryEffects(turn: Turn, project: Project): Effect[] {
  const { name, delivery } = project;
  if (delivery === null || turn.memory.resync.has(name)) return [];
  if (delivery.at === 'preparing')
    return [{ do: 'prepare-delivery', key: `prepare-delivery:${name}`, project: name }];
  if (delivery.at !== 'pushing') return [];
  const { commit, onto, targetTip } = delivery;
  return [{ do: 'deliver', key: `deliver:${name}:${commit}`, project: name, commit, onto, targetTip }];
}

/** A collect may go on to the target: every node was asked, what had ended is in, and the queue is empty. */
export function isDrained(turn: Turn, project: ProjectName, nodes: Iterable<string>): boolean {
  const { state, memory } = turn;
  for (const node of nodes) if (!memory.tried.has(node as never)) return false;
  for (const token of memory.awaited) if (belongs(state.attempts.get(token)?.task, project)) return false;
  const held = state.projects.get(project)?.hold != null;
  for (const key of activeOf(state, project)) {
    const task = state.tasks.get(key);
    const at = task?.progress.at;
    if (at === 'landing') return false;
    // A queue that stands still has nothing more to give: what has landed is collected.
    if (!held && (at === 'queued' || at === 'gating')) return false;
    if (task?.progress.at === 'finished') {
      const node = state.attempts.get(task.progress.token)?.node;
      if (node !== undefined && memory.connected.has(node)) return false;
    }
  }
  return true;
}

function belongs(key: TaskKey | undefined, project: ProjectName): boolean {
  return key?.startsWith(`${project}/`) === true;
}
