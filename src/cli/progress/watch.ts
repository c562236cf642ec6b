import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { ProjectName } from '../../model/ids.ts';
import { countsLine } from '../../report/markdown.ts';
import type { Context } from '../context.ts';
import { safeLine } from '../render/safe-text.ts';
import type { HomeView } from '../view.ts';
import { interruption } from './interrupt.ts';
import { changedRows, changeLine } from './changes.ts';
import { countWords, rowsOf, type TaskRow } from './rows.ts';
import { nameOf, taskColumns } from './table.ts';

/** How often the store is asked whether anything has happened; one indexed look each. Milliseconds. */
const LOOK_MS = 250;
/** Ages grow on the screen although nothing happens. */
const REDRAW_MS = 1000;

/**
 * Goes on showing what changes until Ctrl-C: redrawn on a terminal, one line per change into a pipe, one object per
 * change with `-o ndjson`.
 */
export async function watch(
  context: Context,
  view: HomeView,
  wanted: ReadonlySet<ProjectName> | null,
): Promise<ExitCode> {
  const stop = interruption();
  let stopped = false;
  const asked = stop.asked.then(() => {
    stopped = true;
  });
  const screen =
    context.output.terminal.tty && !context.output.machine ? await redrawing(context) : appending(context);
  let drawn = 0;
  while (!stopped) {
    const changed = await view.refresh();
    const now = Date.now();
    if (changed || drawn === 0 || (screen.ages && now - drawn >= REDRAW_MS)) {
      screen.show(rowsOf(view.state, view.snapshot(), now, wanted), now);
      drawn = now;
    }
    await Promise.race([sleep(LOOK_MS), asked]);
  }
  screen.end();
  stop.forget();
  return EXIT.ok;
}

interface Screen {
  /** Shows ages, which change by themselves. */
  readonly ages: boolean;
  show(rows: readonly TaskRow[], now: number): void;
  end(): void;
}

async function redrawing({ output }: Context): Promise<Screen> {
  const { default: logUpdate } = await import('log-update');
  return {
    ages: true,
    show(rows, now) {
      const several = rows.some(({ project }) => project !== rows[0]?.project);
      const table = output.table({ rows, columns: taskColumns(output.terminal, now, several) });
      logUpdate(`${table}\n${countsLine(countWords(rows), rows.length)}`);
    },
    end: () => logUpdate.done(),
  };
}

function appending({ output }: Context): Screen {
  const before = new Map<string, string>();
  return {
    ages: false,
    show(rows, now) {
      for (const row of changedRows(before, rows)) {
        if (output.machine) output.event('Task', row);
        else if (output.format === 'name') output.line(nameOf(row, true));
        else output.line(safeLine(changeLine(row, now)));
      }
    },
    end: () => {},
  };
}
