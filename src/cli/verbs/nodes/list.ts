import { EXIT, type ExitCode } from '../../../model/exit.ts';
import type { NodeConfig, NodeReach } from '../../../model/spec.ts';
import type { State } from '../../../model/state.ts';
import { formatDuration } from '../../../model/time.ts';
import { assertNever } from '../../../model/assert.ts';
import { stalledOn } from '../../../schedule/stalled.ts';
import type { Context } from '../../context.ts';
import { requireNodes } from '../../nodes-file.ts';
import { viewOrNull } from '../../view.ts';

/** What nodes.json has, and what runs there as far as the store knows. Connects to nothing. */
export async function list(context: Context): Promise<ExitCode> {
  const { output } = context;
  const nodes = await requireNodes(context.home());
  const state = await viewOrNull(context, async (view) => view.state);
  output.list({
    kind: 'NodeList',
    rows: nodes.map((config) => rowOf(config, state)),
    name: ({ name }) => name,
    columns: [
      { title: 'node', value: ({ name }) => name },
      { title: 'slots', value: ({ running, slots }) => `${running}/${slots}` },
      { title: 'mark', value: ({ mark }) => (mark === 'none' ? '-' : mark) },
      { title: 'reach', value: ({ reach }) => reachText(reach) },
      { title: 'mode', value: ({ mode }) => (typeof mode === 'string' ? mode : mode.join(',')) },
      { title: 'gates', value: ({ slots, gateSlots }) => `${Math.min(gateSlots ?? slots, slots)}` },
      { title: 'weight', value: ({ weight }) => String(weight), wide: true },
      {
        title: 'lease',
        value: ({ leaseMs }) => (leaseMs === null ? 'never' : formatDuration(leaseMs)),
        wide: true,
      },
      { title: 'labels', value: ({ labels }) => labels.join(',') || '-', wide: true },
      { title: 'program', value: ({ program }) => program?.slice(0, 10) ?? '-', wide: true },
    ],
    meta: { slots: nodes.reduce((sum, { slots }) => sum + slots, 0) },
    empty: 'no node yet: dispatch nodes add <ssh alias>',
  });
  return EXIT.ok;
}

function rowOf(config: NodeConfig, state: State | null) {
  const known = state?.nodes.get(config.name);
  return {
    ...config,
    running: state?.live.get(config.name)?.size ?? 0,
    stalled: state === null ? 0 : stalledOn(state, config.name).length,
    mark: known?.mark ?? 'none',
    program: known?.program ?? null,
  };
}

export function reachText(reach: NodeReach): string {
  switch (reach.by) {
    case 'local':
      return 'this machine';
    case 'command':
      return reach.command.join(' ');
    case 'ssh':
      return `ssh ${reach.target}${reach.transport === 'auto' ? '' : ` (${reach.transport})`}`;
    default:
      return assertNever(reach);
  }
}
