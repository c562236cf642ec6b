import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Context } from '../context.ts';
import { safeLine } from '../render/safe-text.ts';
import { withView } from '../view.ts';

export interface ReplayOptions {
  readonly check?: boolean;
}

/** Rebuilds the state from the events and compares it with the tables. Exit 1 on a difference. */
export async function replay(context: Context, options: ReplayOptions): Promise<ExitCode> {
  const { output } = context;
  return withView(context, async (view) => {
    if (options.check !== true && output.format === 'ndjson') {
      for (const event of await view.allEvents()) output.event('Event', event);
      return EXIT.ok;
    }
    const differences = await view.reader.replayCheck();
    const events = view.eventCount;
    const equal = differences.length === 0;
    if (output.machine) {
      output.envelope('Replay', { equal, events, differences });
    } else if (equal) {
      output.line(`equal: ${events} events`);
    } else {
      for (const { what, field, fromEvents, stored, event } of differences) {
        const which = event === undefined ? 'events say' : `event ${event.seq} (${event.type}) says`;
        const both = `${which} ${JSON.stringify(fromEvents)}, stored is ${JSON.stringify(stored)}`;
        output.line(safeLine(`${what}.${field}: ${both}`));
      }
      output.note(`${differences.length} differences in ${events} events: dispatch explain E_REPLAY`);
    }
    return equal ? EXIT.ok : EXIT.internal;
  });
}
