/**
 * cordon, drain, uncordon: by a person, or by dispatch for an ailment. From this turn on nothing new starts there: what
 * was claimed and is not known to have been taken is given up, because its order may still be waiting for its base.
 */
import type { AilmentKind } from '../model/health.ts';
import type { NodeName } from '../model/ids.ts';
import type { NodeState } from '../model/state.ts';
import { giveUpClaim } from './settle.ts';
import type { Turn } from './turn.ts';

/** @param by the ailment for which dispatch does it by itself; missing: a person does. */
export function mark(turn: Turn, name: NodeName, wanted: NodeState['mark'], by?: AilmentKind): void {
  const { state, memory } = turn;
  const healed = state.nodes.get(name)?.health.ailments.some(({ kind }) => kind === 'failing') === true;
  const why = by === undefined || wanted === 'none' ? {} : { for: by };
  turn.record({ type: 'node.marked', node: name, mark: wanted, ...why });
  // A person who uses it again knows better than a row of failures.
  if (wanted === 'none' && by === undefined && healed)
    turn.record({ type: 'node.healed', node: name, ailment: 'failing', how: 'somebody uses it again' });
  if (wanted === 'none') return;
  for (const token of state.live.get(name) ?? []) {
    const attempt = state.attempts.get(token);
    if (attempt?.phase.is !== 'claimed' || !memory.unordered.has(token)) continue;
    giveUpClaim(turn, attempt, `${name} was ${wanted === 'cordon' ? 'cordoned' : 'set to drain'}`, null);
  }
}
