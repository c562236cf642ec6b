/**
 * Moves the merge queues on, as far as their gates have spoken: lands what is green, takes suspects aside, refuses what
 * is bad, and sends back what stands on something that is gone. Derived from the state each turn, so a crash at any
 * point only means that the next turn finds the same things to do.
 */
import type { Token } from '../model/ids.ts';
import type { Project } from '../model/task.ts';
import { planQueue, type QueuePlan } from '../merge/queue/plan.ts';
import { queueOf, type Queue, recordOf, type Stacked, viewOf } from '../merge/queue/view.ts';
import { activeTasks } from '../schedule/gates.ts';
import { note } from './queue-record.ts';
import { fence, parkIfReturnedOften } from './settle.ts';
import { stackable } from './stackable.ts';
import { gatherCounts } from './test-counts.ts';
import type { Turn } from './turn.ts';

/** @param slots gates that may run at once for one queue. */
export function advanceQueues(turn: Turn, slots: number): void {
  for (const project of turn.state.projects.values()) {
    turn.memory.waiting.delete(project.name);
    if (standsStill(project)) continue;
    // What moved may let the next thing move.
    let queue = queueOfNow(turn, project);
    while (advance(turn, project, queue, slots)) queue = queueOfNow(turn, project);
    if (queue.stray.length > 0) queue = queueOfNow(turn, project);
    turn.memory.waiting.set(project.name, stackable(turn.memory, queue, turn.now).length);
  }
}

/** Held by a person or a broken gate, or while a collect lands what is there. */
function standsStill({ integration, hold, delivery }: Project): boolean {
  return integration === null || hold !== null || (delivery !== null && delivery.at !== 'draining');
}

function queueOfNow({ state }: Turn, project: Project): Queue {
  return queueOf(project, activeTasks(state, project.name), state.tasks);
}

/** True when more moved than what was sent back. @param queue as it is now. */
function advance(turn: Turn, project: Project, queue: Queue, slots: number): boolean {
  for (const stray of queue.stray) sendBack(turn, stray);
  if (queue.stack.length + queue.aside.length === 0) return false;
  const plan = planQueue(
    viewOf(turn.state, queue, queue.queued.length, slots, recordOf(project, turn.memory.records)),
  );
  const moves = [
    settleAside(turn, queue, plan),
    takeSuspectAside(turn, queue, plan),
    land(turn, queue, plan),
  ];
  return moves.includes(true);
}

function settleAside(turn: Turn, { project, aside }: Queue, plan: QueuePlan<Token>): boolean {
  for (const one of aside) {
    const { task, progress } = one;
    const { token, cleared, red } = progress;
    if (plan.clear.includes(token)) {
      stopGate(turn, one, 'found good by another run');
      turn.record({ type: 'merge.cleared', token });
      if (!cleared) note(turn, project, { passed: 1 });
    } else if (plan.refuse.includes(token)) {
      stopGate(turn, one, 'found bad by another run');
      const { findings = [], output = '' } = red ?? {};
      if (progress.undo !== undefined) {
        const reason = 'verify is red on the tree without it';
        turn.record({ type: 'revert.refused', token, reason, findings, output });
        continue;
      }
      turn.record({ type: 'merge.refused', token, findings, output });
      parkIfReturnedOften(turn, task, token, 'verify is red on the merged tree');
      note(turn, project, cleared ? { clearedRefused: 1 } : { refused: 1 });
    }
  }
  return plan.clear.length + plan.refuse.length > 0;
}

function takeSuspectAside(turn: Turn, { stack }: Queue, { suspect }: QueuePlan<Token>): boolean {
  if (suspect === null) return false;
  const at = stack.findIndex(({ progress }) => progress.token === suspect.id);
  for (const above of stack.slice(at + 1)) sendBack(turn, above);
  turn.record({ type: 'merge.suspected', token: suspect.id, backers: suspect.backers });
  return true;
}

/** One landing at a time: what is green above it lands after it. */
function land(turn: Turn, { landing, stack }: Queue, plan: QueuePlan<Token>): boolean {
  const parts = stack.slice(0, plan.land);
  const top = parts.at(-1);
  if (top === undefined || landing.length > 0) return false;
  for (const part of parts) stopGate(turn, part, 'a larger set was found good');
  gatherCounts(
    turn,
    top.progress.tree,
    top.needs.map(({ tree }) => tree),
  );
  const below = parts.slice(0, -1).map(({ progress }) => progress.token);
  turn.record({ type: 'merge.passed', token: top.progress.token, tree: top.progress.tree, below });
  return true;
}

function sendBack(turn: Turn, one: Stacked): void {
  stopGate(turn, one, 'what it stands on is gone');
  turn.record({ type: 'merge.raced', token: one.progress.token });
}

function stopGate(turn: Turn, { progress }: Stacked, reason: string): void {
  if (progress.gate !== null) fence(turn, progress.gate, reason);
}
