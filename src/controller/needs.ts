/** Which effects the state wants now: level-triggered, so nothing has to be remembered across a crash. */
import { mergeOrder } from '../merge/order.ts';
import type { CommitId, ProjectName, TaskKey, Token } from '../model/ids.ts';
import type { Progress, Project, Task } from '../model/task.ts';
import { hasCome } from '../model/time.ts';
import { wantedDepth } from '../merge/queue/plan.ts';
import { firstQueued, queueOf, type Queue, recordOf, type Stacked } from '../merge/queue/view.ts';
import { isHeldBack } from './doubts.ts';
import type { Effect } from './door.ts';
import { contractEffects } from './contract.ts';
import { controlEffects } from './control.ts';
import { mayMeet, predictEffects } from './foresight.ts';
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
  return effects.filter((effect) => mayRun(turn, effect.key) && !isHeldBack(turn, effect));
}

function mayRun(turn: Turn, key: string): boolean {
  const { inflight, retries } = turn.memory;
  if (inflight.has(key)) return false;
  const retry = retries.get(key);
  return retry === undefined || hasCome(retry.at, turn.now);
}

function* nodeEffects(turn: Turn): Generator<Effect> {
  const { state, memory } = turn;
  yield* mendEffects(turn);
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

/** Repairs that are wanted and not tried yet; one that has begun is over when the node is back. */
function* mendEffects({ state, memory }: Turn): Generator<Effect> {
  for (const { name: node, health } of state.nodes.values()) {
    if (!memory.connected.has(node)) continue;
    for (const { kind: ailment, repair } of health.ailments) {
      if (repair === null || repair.did !== null) continue;
      const { by } = repair;
      if (by === 'sweep' || (by === 'restart' && !memory.restarting.has(node)))
        yield { do: 'mend', key: `mend:${node}:${ailment}`, node, ailment, by };
    }
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
    ...(memory.looks.has(name)
      ? [{ do: 'look', key: `look:${name}`, project: name, accept: memory.looks.get(name) ?? null } as const]
      : []),
    ...contractEffects(turn, project),
    ...controlEffects(turn, project),
    ...(active.every(isAtWork) ? [] : effectsOfBranches(turn, project, active, gateSlots)),
    ...deliveryEffects(turn, project),
  ];
}

/** Its agent has not come to an end: the hub has nothing to do with it yet. */
function isAtWork({ progress }: Task): boolean {
  return progress.at === 'attempt';
}

function effectsOfBranches(
  turn: Turn,
  project: Project,
  active: readonly Task[],
  gateSlots: number,
): Effect[] {
  const queue = queueOf(project, active, turn.state.tasks);
  return [...collectEffects(turn, project.name, active), ...queueEffects(turn, queue, active, gateSlots)];
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

/** Lands what was green; merges the next branch while there is room; and looks ahead at those that wait for longer. */
function queueEffects(turn: Turn, queue: Queue, active: readonly Task[], gateSlots: number): Effect[] {
  const { delivery, hold } = queue.project;
  const held = hold !== null || (delivery !== null && delivery.at !== 'draining');
  const room = held ? null : roomIn(turn, queue, gateSlots);
  const merging = queue.queued.some(({ progress }) => isMerging(turn, progress));
  return [
    ...landEffects(queue),
    ...(room === null || merging ? [] : nextMerge(turn, queue, room)),
    ...predictEffects(turn, queue, active, () => (room === null ? [] : soonMerged(turn, room))),
  ];
}

/** All that land at once, in the order in which they stand on the stack. */
function landEffects({ project, landing }: Queue): Effect[] {
  const [first] = landing;
  if (first === undefined) return [];
  const { onto, commit } = first;
  const tokens = landing.map(({ token }) => token);
  const undoes = landing.filter(({ undo }) => undo !== undefined).map(({ token }) => token);
  const effect = { do: 'land', key: `land:${commit}`, project: project.name, tokens, onto, commit } as const;
  return [undoes.length === 0 ? effect : { ...effect, undoes }];
}

function isMerging({ memory }: Turn, progress: Progress): boolean {
  return progress.at === 'queued' && memory.inflight.has(`merge:${progress.token}`);
}

/** Branches that can be merged now, by where they would go, and how many there is room for. */
interface Room {
  readonly forStack: readonly Task[];
  readonly onStack: number;
  /** To be judged by themselves, in the first of two stages. */
  readonly fresh: readonly Task[];
  readonly aside: number;
}

function roomIn(turn: Turn, queue: Queue, slots: number): Room {
  const record = recordOf(queue.project, turn.memory.records);
  const depth = wantedDepth({ slots, record });
  const able = stackable(turn.memory, queue, turn.now);
  const closed = queue.stack.some(({ progress }) => progress.red !== null);
  return {
    forStack: depth.aside === 0 ? able : able.filter(isCleared),
    onStack: closed ? 0 : Math.max(0, depth.stack - queue.stack.length),
    fresh: depth.aside === 0 ? [] : able.filter((task) => !isCleared(task)),
    aside: Math.max(0, depth.aside - queue.aside.length),
  };
}

function isCleared({ progress }: Task): boolean {
  return progress.at === 'queued' && progress.cleared;
}

/** Their merge says by itself, in a moment, whether they fit. */
function soonMerged({ state }: Turn, { forStack, onStack, fresh, aside }: Room): Task[] {
  const first = (tasks: readonly Task[], room: number): Task[] =>
    tasks.toSorted(mergeOrder(state.attempts)).slice(0, room);
  return [...first(forStack, onStack), ...first(fresh, aside)];
}

/**
 * The branch to merge next, and where. What was found good alone goes onto the stack before another is set aside, so
 * that the other is held against it.
 */
function nextMerge(turn: Turn, queue: Queue, room: Room): Effect[] {
  const { integration, name } = queue.project;
  const { top } = queue;
  if (integration === null || top === null) return [];
  const onStack = room.onStack > 0 ? firstQueued(room.forStack, turn.state) : null;
  const next = onStack ?? (room.aside > 0 ? firstQueued(room.fresh, turn.state) : null);
  if (next === null) return [];
  const { token, head, undo } = next.progress;
  const undoes = undo === undefined ? {} : { undoes: undo.commit };
  const { areas } = queue.project.config;
  const borders = areas === undefined ? {} : { areas };
  const place =
    next === onStack
      ? { onto: top, aside: false, beside: [] }
      : { onto: integration, aside: true, beside: besideOf(turn, queue, token) };
  return [
    { do: 'merge', key: `merge:${token}`, project: name, token, head, ...place, ...undoes, ...borders },
  ];
}

/** What else is on its way and may touch the same files: no gate is spent on a branch that would conflict with it. */
function besideOf({ memory }: Turn, { stack, aside, top, project }: Queue, token: Token): CommitId[] {
  const meets = ({ progress }: Stacked): boolean => mayMeet(memory, progress.token, token);
  const onStack = top !== null && top !== project.integration && (stack.length === 0 || stack.some(meets));
  const commits = aside.filter(meets).map(({ progress }) => progress.commit);
  return onStack ? [top, ...commits] : commits;
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
