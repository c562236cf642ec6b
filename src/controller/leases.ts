/**
 * Leases of nodes. What runs on a node that cannot be reached runs on: silence is not death, and a call that failed says
 * nothing of an attempt. But a machine that is gone must not keep its tasks for ever, so each node has a lease:
 *
 * - A connection that stands renews it, by whatever comes over it: its pings, when nothing else does.
 * - It runs down by the monotonic clock, in looks of a second each, and only while this process is awake. Sleep freezes
 *   it, and after a sleep a node is charged again only when it was tried in vain. A controller that was down knows
 *   nothing of that time, so the next one grants the whole lease anew.
 * - It stands still while nobody over the network answers (`schedule/lease.ts`): then the fault is ours. When others
 *   answer again, the node too has to be tried in vain first.
 * - After half of it the node is suspect. Its gates run elsewhere from then on, since a gate changes nothing; its work
 *   waits.
 * - When it has ended, or a person ends it, the node is lost: its attempts are given up (fenced) and their tasks start
 *   elsewhere at once, as attempt n+1, which is not charged to the task. So does work that had finished and whose branch
 *   lies only there.
 * - A node that comes back is used at once. It is told to stop what was given up; what had ended meanwhile is recorded
 *   as late, its branch is fetched and kept, and never merged: its token is not the task's any more.
 *
 * Deadlines are another matter: the `timeout` of an attempt is kept by its node, with or without us. So an attempt on a
 * silent node ends in time by itself, and only the lease says when we stop waiting to hear of it.
 */
import type { NodeName } from '../model/ids.ts';
import { DEFAULT_LEASE_MS, suspectAfterMs } from '../model/lease.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { Task } from '../model/task.ts';
import { formatDuration } from '../model/time.ts';
import { isWitnessed } from '../schedule/lease.ts';
import type { Snapshot } from '../schedule/snapshot.ts';
import type { Reply } from './commands.ts';
import type { Command, Input } from './door.ts';
import { backOff, fence } from './settle.ts';
import type { Turn } from './turn.ts';

/** So much time has passed with this process awake: it is charged to the nodes that do not answer. */
export function awake(
  turn: Turn,
  { ms }: Extract<Input, { is: 'awake' }>,
  nodes: readonly NodeConfig[],
): void {
  const { connected, vain } = turn.memory;
  const leases = new Map(nodes.map(({ name, leaseMs }) => [name, leaseMs]));
  // Nobody tries a node that is not in nodes.json any more; what it had at work waits no longer than elsewhere.
  for (const [name, live] of turn.state.live) {
    if (live.size === 0 || leases.has(name)) continue;
    leases.set(name, DEFAULT_LEASE_MS);
    if (!vain.has(name)) vain.set(name, 'new');
  }
  for (const [name, leaseMs] of leases) {
    if (connected.has(name)) continue;
    if (!isWitnessed(name, { nodes, connected })) vain.delete(name);
    else if (vain.get(name) === 'counted') charge(turn, name, leaseMs, ms);
    else if (vain.has(name)) vain.set(name, 'counted');
  }
}

function charge(turn: Turn, name: NodeName, leaseMs: number | null, ms: number): void {
  const { silent } = turn.memory;
  const silentMs = (silent.get(name) ?? 0) + ms;
  silent.set(name, silentMs);
  const known = turn.state.nodes.get(name);
  // One that was never reached holds nothing, and nothing is known of it that could be lost.
  if (known === undefined || known.bootId === null || known.silence?.is === 'lost') return;
  if (leaseMs !== null && silentMs >= leaseMs) return lose(turn, name, silentMs, null);
  if (known.silence === null && silentMs >= suspectAfterMs(leaseMs)) suspect(turn, name, silentMs);
}

/** Somebody may be charged; while all answer no turn is taken for it. */
export function isAnybodySilent({ nodes, connected, state }: Snapshot): boolean {
  if (nodes.some(({ name }) => !connected.has(name))) return true;
  return [...state.live].some(([name, live]) => live.size > 0 && !connected.has(name));
}

function suspect(turn: Turn, name: NodeName, silentMs: number): void {
  turn.record({ type: 'node.suspected', node: name, silentMs });
  const reason = `${name} has been silent for ${formatDuration(silentMs)}: it runs elsewhere`;
  for (const token of turn.state.live.get(name) ?? [])
    if (turn.state.attempts.get(token)?.work.kind === 'gate') fence(turn, token, reason);
}

function lose(turn: Turn, name: NodeName, silentMs: number, by: string | null): void {
  const { state } = turn;
  const why = by === null ? `silent for ${formatDuration(silentMs)}` : `said ${by}`;
  const reason = `${name} was lost (${why})`;
  const held = [...heldBy(turn, name)];
  // A set may lose members while it is walked.
  for (const token of state.live.get(name) ?? []) fence(turn, token, reason);
  turn.record({ type: 'node.lost', node: name, silentMs, by });
  for (const task of held) backOff(turn, task, turn.now, reason);
}

/** Tasks whose work is at the node: in an attempt, or in a branch that nobody has fetched. */
function* heldBy({ state }: Turn, name: NodeName): Generator<Task> {
  for (const key of state.active) {
    const task = state.tasks.get(key);
    const progress = task?.progress;
    if (task === undefined || (progress?.at !== 'attempt' && progress?.at !== 'finished')) continue;
    if (state.attempts.get(progress.token)?.node === name) yield task;
  }
}

/** A person knows that the machine is gone, and does not wait for its lease to end. */
export function expire(turn: Turn, { node, by }: Extract<Command, { verb: 'expire' }>): Reply {
  const { state, memory } = turn;
  const known = state.nodes.get(node);
  if (known === undefined || known.bootId === null)
    return { ok: false, code: 'E_NOT_FOUND', message: `${node} has never been connected` };
  if (memory.connected.has(node)) {
    const message = `${node} is connected: nothing of it is lost (dispatch nodes drain ${node})`;
    return { ok: false, code: 'E_WRONG_STATE', message };
  }
  if (known.silence?.is === 'lost') return { ok: true, notes: [`${node} was lost already`] };
  lose(turn, node, memory.silent.get(node) ?? 0, by);
  return { ok: true, notes: [] };
}
