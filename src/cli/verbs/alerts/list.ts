/** What is wrong in this home, as the log has it. */
import type { AlertState } from '../../../model/alert.ts';
import { EXIT, type ExitCode } from '../../../model/exit.ts';
import { formatDuration } from '../../../model/time.ts';
import type { Context } from '../../context.ts';
import { safeLine } from '../../render/safe-text.ts';
import { viewOrNull } from '../../view.ts';

export interface ListOptions {
  readonly all?: boolean;
}

export async function list(context: Context, { all }: ListOptions): Promise<ExitCode> {
  const { output } = context;
  const now = Date.now();
  const known = (await viewOrNull(context, async ({ state }) => [...state.alerts.values()])) ?? [];
  const rows = known.filter(({ resolved }) => all === true || resolved === null).toSorted(byUrgency);
  output.list<AlertState>({
    kind: 'AlertList',
    rows,
    name: ({ key }) => key,
    columns: [
      { title: 'level', value: ({ level }) => level },
      { title: 'key', value: ({ key }) => key },
      { title: 'for', value: ({ since, resolved }) => formatDuration((resolved?.at ?? now) - since) },
      { title: 'is', value: standing },
      { title: 'code', value: ({ code }) => code, wide: true },
      { title: 'told', value: ({ told }) => told.join(',') || '-', wide: true },
      { title: 'what', value: ({ message }) => message },
    ],
    empty: 'nothing is wrong, as far as a controller has looked',
  });
  if (output.format === 'table' || output.format === 'wide')
    for (const { about, fix, resolved } of rows)
      if (fix !== null && resolved === null) output.note(safeLine(`fix for ${about}: ${fix}`));
  return EXIT.ok;
}

function standing({ resolved, acked }: AlertState): string {
  if (resolved !== null) return 'over';
  return acked === null ? 'open' : `known to ${acked.by}`;
}

/** 1. What is open. 2. Level. 3. The newest. */
function byUrgency(a: AlertState, b: AlertState): number {
  const open = Number(a.resolved !== null) - Number(b.resolved !== null);
  return open || Number(a.level.slice(1)) - Number(b.level.slice(1)) || b.since - a.since;
}
