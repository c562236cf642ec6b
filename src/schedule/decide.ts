/**
 * The scheduler: a snapshot and the time in, a list of attempts to start out. Pure and deterministic, order included,
 * so production, the simulator and `why` see one and the same mind.
 *
 * Gates come before new work: a branch that waits for its gate holds locks and blocks dependents, and finishing it
 * frees more than starting another one does. Cost follows what has changed and what is started,
 * not what waits (see queues.ts), and is nothing when no slot is free.
 */
import type { Outcome } from '../model/attempt.ts';
import type { NodeName, ProjectName } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { unprovedDelivery } from '../merge/delivery-commands.ts';
import type { Project, Task } from '../model/task.ts';
import { neverFits } from './budget.ts';
import {
  type Board,
  boardOf,
  CONTENDED_FILTERS,
  firstBlocker,
  GATE_FILTERS,
  PROJECT_FILTERS,
  TASK_FILTERS,
} from './filter.ts';
import { gatesWanted, type WantedGate } from './gates.ts';
import { type Queue, waitingQueues } from './queues.ts';
import { type Candidate, compareCandidates, type Share, sharesOf } from './rank.ts';
import { ANY_EXECUTOR, needOf } from './slots.ts';
import type { Decision, Snapshot } from './snapshot.ts';

/**
 * What to start now, in the order to start it. Never more than the free slots, never two tasks whose locks meet,
 * never a second attempt beside a live one.
 * @param now wall clock, milliseconds; compared with back-offs and with how long refusing nodes are left alone.
 */
export function decide(snapshot: Snapshot, now: number): Decision[] {
  const board = boardOf(snapshot, now);
  if (!board.slots.any) return [];
  const shares = sharesOf(snapshot.state);
  const decisions: Decision[] = [];
  startDeliveryGates(board, shares, decisions);
  startControlGates(board, shares, decisions);
  startMergeGates(board, shares, decisions);
  startWork(board, shares, decisions);
  return decisions;
}

type Shares = ReadonlyMap<ProjectName, Share>;

/** One per project that is being collected: a person waits for it. */
function startDeliveryGates({ snapshot, slots }: Board, shares: Shares, decisions: Decision[]): void {
  for (const project of ungatedDeliveries(snapshot.state)) {
    const [verify] = unprovedDelivery(project, snapshot.state.tasks.values());
    if (verify === undefined) continue;
    const node = slots.take(ANY_EXECUTOR, null);
    if (node === null) return;
    decisions.push({ start: 'delivery-gate', project: project.name, verify, node });
    countSlot(shares, project.name);
  }
}

function ungatedDeliveries(state: State): Project[] {
  const found = [...state.projects.values()].filter(
    ({ delivery }) => delivery?.at === 'gating' && delivery.gate === null,
  );
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Work of the project waits for them. */
function startControlGates({ snapshot, slots }: Board, shares: Shares, decisions: Decision[]): void {
  for (const [project, { wanted }] of snapshot.controls ?? []) {
    for (const gate of wanted) {
      const node = slots.take(ANY_EXECUTOR, null);
      if (node === null) return;
      decisions.push({ start: 'control-gate', project, gate, node });
      countSlot(shares, project);
    }
  }
}

/** For each queue what its planner asks for; the branch that has waited longest first. */
function startMergeGates(board: Board, shares: Shares, decisions: Decision[]): void {
  for (const { stacked, need } of ungated(board)) {
    const { task, progress } = stacked;
    const { verify, area } = need;
    const node = board.slots.take(ANY_EXECUTOR, lastLoss(task, board.snapshot.state));
    if (node === null) return;
    decisions.push({ start: 'merge-gate', task: task.key, workToken: progress.token, verify, area, node });
    countSlot(shares, task.spec.project);
  }
}

function ungated(board: Board): WantedGate[] {
  const { snapshot, now } = board;
  const queues = [...snapshot.state.projects.values()].map((project) =>
    gatesWanted(snapshot, project, now).filter(
      ({ stacked }) => firstBlocker(stacked.task, board, GATE_FILTERS) === null,
    ),
  );
  const waiting = queues.filter((queue) => queue.length > 0);
  return waiting.sort((a, b) => waitingSince(a) - waitingSince(b)).flat();
}

function waitingSince(queue: readonly WantedGate[]): number {
  return Math.min(...queue.map(({ stacked }) => stacked.progress.since));
}

/** Open tasks, each project's best against the others' best, until no slot or no candidate is left. */
function startWork(board: Board, shares: Shares, decisions: Decision[]): void {
  if (!board.slots.any) return;
  const queues = openQueues(board, shares);
  const penniless = new Set<Queue>();
  while (board.slots.any) {
    const candidate = firstCandidate(board, queues, penniless);
    if (candidate === undefined) return;
    candidate.queue.take();
    const { task, share } = candidate;
    if (firstBlocker(task, board, TASK_FILTERS) !== null) continue;
    const blocker = firstBlocker(task, board, CONTENDED_FILTERS);
    if (blocker !== null) {
      // What is less urgent does not take the room that this one waits for, unless it would wait in vain.
      if (blocker.why === 'budget' && !blocker.budgets.some((one) => one.of === 'task' || neverFits(one)))
        penniless.add(candidate.queue);
      continue;
    }
    const { state } = board.snapshot;
    const { project, executor } = task.spec;
    const route = board.credentials.route(project, executor);
    if (route === null) continue;
    const need = needOf(project, route.executor, state);
    const node = board.slots.take(need, lastLoss(task, state));
    if (node === null) continue;
    board.locks.hold(task);
    board.credentials.take(route);
    const reserved = board.budgets.take(task, route);
    share.live += 1;
    const decision = { start: 'work', task: task.key, node, ...route } as const;
    decisions.push(reserved === null ? decision : { ...decision, reserved });
  }
}

interface OpenQueue {
  readonly queue: Queue;
  readonly share: Share;
}

/** The queues of projects that may start something. */
function openQueues(board: Board, shares: Shares): OpenQueue[] {
  const open: OpenQueue[] = [];
  for (const queue of waitingQueues(board.snapshot).all()) {
    const task = queue.peek()?.task;
    if (task === undefined || firstBlocker(task, board, PROJECT_FILTERS) !== null) continue;
    // Whatever is asked for, nothing is left: none of its tasks need be looked at.
    if (board.budgets.isExhausted(queue.project)) continue;
    const share = shares.get(queue.project);
    if (share !== undefined) open.push({ queue, share });
  }
  return open;
}

/** Queues are few: the one whose best candidate goes first is found by looking at each. */
function firstCandidate(
  { slots, snapshot, credentials }: Board,
  queues: readonly OpenQueue[],
  closed: ReadonlySet<Queue>,
): (Candidate & OpenQueue) | undefined {
  let first: (Candidate & OpenQueue) | undefined;
  for (const { queue, share } of queues) {
    if (closed.has(queue)) continue;
    const route = credentials.route(queue.project, queue.executor);
    if (route === null) continue;
    const need = needOf(queue.project, route.executor, snapshot.state);
    const waiting = slots.takes(need) ? queue.peek() : undefined;
    if (waiting === undefined) continue;
    const candidate = { task: waiting.task, urgency: waiting.urgency, queue, share };
    if (first === undefined || compareCandidates(candidate, first) < 0) first = candidate;
  }
  return first;
}

/**
 * The node where the task's last attempt was lost or given up; null when it was not. Attempts are not indexed by task,
 * and losses are rare, so only a task that has some pays for the search.
 */
function lastLoss(task: Task, state: State): NodeName | null {
  if (task.losses === 0) return null;
  let node: NodeName | null = null;
  for (const attempt of state.attempts.values()) {
    if (attempt.task !== task.key) continue;
    const { phase } = attempt;
    const gone = phase.is === 'fenced' || (phase.is === 'ended' && isLoss(phase.outcome));
    node = gone ? attempt.node : null;
  }
  return node;
}

function isLoss(outcome: Outcome): boolean {
  return outcome.kind === 'lost' || (outcome.kind === 'failed' && outcome.blame === 'node');
}

function countSlot(shares: Shares, project: ProjectName): void {
  const share = shares.get(project);
  if (share !== undefined) share.live += 1;
}
