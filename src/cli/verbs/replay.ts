import { homePaths } from '../../controller/paths.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Context } from '../context.ts';
import { safeLine } from '../render/safe-text.ts';
import { withView } from '../view.ts';
import { type Broken, brokenIn } from '../../store/broken.ts';

export interface ReplayOptions {
  readonly check?: boolean;
}

/**
 * Rebuilds the state from the events and compares it with the tables, and holds each event and the state against what must
 * always hold. Exit 1 on a difference, or when something does not hold.
 */
export async function replay(context: Context, options: ReplayOptions): Promise<ExitCode> {
  const { output } = context;
  if (options.check !== true && output.format === 'ndjson')
    return withView(context, async (view) => {
      for (const event of await view.allEvents()) output.event('Event', event);
      return EXIT.ok;
    });
  // Not by a view, which reads the log as if it were whole.
  const file = homePaths(context.home()).database;
  const { openReader } = await import('../../store/sqlite/reader.ts');
  const { readStoreFacts } = await import('../../store/sqlite/copy.ts');
  const reader = await openReader(file);
  try {
    const differences = await reader.replayCheck();
    const { events } = readStoreFacts(file);
    const equal = differences.length === 0;
    const broken = await brokenIn(reader).catch((error: unknown) => {
      if (equal || !(error instanceof DispatchError)) throw error;
      return [];
    });
    if (output.machine) {
      output.envelope('Replay', { equal, events, differences, broken });
    } else if (equal) {
      output.line(`equal: ${events} events`);
    } else {
      for (const { what, field, fromEvents, stored, event } of differences) {
        const which = event === undefined ? 'events say' : `event ${event.seq} (${event.type}) says`;
        const both = `${which} ${JSON.stringify(fromEvents)}, stored is ${JSON.stringify(stored)}`;
        output.line(safeLine(`${what}.${field}: ${both}`));
      }
      output.note(
        `${differences.length} difference${differences.length === 1 ? '' : 's'} in ${events} events: dispatch explain E_REPLAY`,
      );
    }
    if (!output.machine)
      for (const { event, what } of broken) output.line(safeLine(`${placeOf(event)}: ${what}`));
    if (broken.length > 0) output.note('what must always hold does not: dispatch explain E_INVARIANT');
    return equal && broken.length === 0 ? EXIT.ok : EXIT.internal;
  } finally {
    await reader.close();
  }
}

function placeOf(event: Broken['event']): string {
  return event === null ? 'the state as it is stored' : `event ${event.seq} (${event.type})`;
}
