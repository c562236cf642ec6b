/** Nodes that get nothing new for a while, because of what they said or could not do. */
import type { Attempt } from '../model/attempt.ts';
import type { NodeName, TaskKey } from '../model/ids.ts';
import { hasCome } from '../model/time.ts';
import { lossBackoff, SHUN_MS } from './policy.ts';
import type { Turn } from './turn.ts';

/** Several orders may be on their way to a node when it refuses the first: that is told once. */
export function shun(turn: Turn, node: NodeName, reason: string, task?: TaskKey): void {
  const { shunned, refusals } = turn.memory;
  const known = !hasCome(shunned.get(node) ?? 0, turn.now);
  const until = turn.now + SHUN_MS;
  shunned.set(node, until);
  refusals.set(node, reason);
  turn.wakeAt(until);
  if (known && task === undefined) return;
  turn.record({ type: 'node.refused', node, until, reason, ...(task === undefined ? {} : { task }) });
}

/**
 * A machine that could not even begin a gate has judged nothing: another one is asked at once, and this one after a while
 * that grows with its faults in a row. They count against it (see `schedule/health`), and against nobody's work or command.
 */
export function spareGateNode(turn: Turn, { node }: Attempt, reason: string): void {
  const { state, memory } = turn;
  const faults = state.nodes.get(node)?.health.faults.length ?? 0;
  const until = turn.now + lossBackoff(faults);
  memory.shunned.set(node, until);
  memory.refusals.set(node, reason);
  turn.wakeAt(until);
  turn.record({ type: 'node.refused', node, until, reason });
}
