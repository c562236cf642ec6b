/** What ails the machines, and what was mended on them lately. */
import type { State } from '../model/state.ts';
import { ailmentText, RULES } from '../schedule/health.ts';
import type { MachineReport } from './model.ts';

/** Those about which there is something to say. */
export function machinesOf({ nodes }: State): MachineReport[] {
  return [...nodes.values()].flatMap(({ name, mark, health: { ailments, healed } }) => {
    if (ailments.length + healed.length === 0) return [];
    return [
      {
        node: name,
        mark,
        ails: ailments.map((ailment) => ({ since: ailment.since, text: ailmentText(ailment) })),
        healed: healed.map(({ kind, at, how }) => ({ at, text: `${RULES[kind].title} (${how})` })),
      },
    ];
  });
}
