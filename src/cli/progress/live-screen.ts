import { Listr, type ListrTaskWrapper, type DefaultRenderer, type SimpleRenderer } from 'listr2';
import type { Note } from '../../controller/note.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { Snapshot } from '../../schedule/snapshot.ts';
import { formatDuration } from '../../model/time.ts';
import { countsLine } from '../../report/markdown.ts';
import type { Context } from '../context.ts';
import { safeLine } from '../render/safe-text.ts';
import { cut } from '../render/table.ts';
import { wrap } from '../render/wrap.ts';
import { countWords, rowsOf, type TaskRow } from './rows.ts';
import type { Screen } from './screen.ts';
import { noteText } from './note-text.ts';
import { stepText } from './table.ts';
import { paintWord, wordWithSymbol } from './words.ts';

/** Redrawing more often than the eye follows costs the controller time. Milliseconds. */
const REDRAW_MS = 200;
/** Drawing takes at most one part in so many of the controller's time. */
const DRAWING_SHARE = 20;
/** Tasks shown per project; those that move come first, the rest is counted. */
const ROWS_SHOWN = 16;
const NOTES_SHOWN = 3;

type Live = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

/** One entry per project: its counts as the title, the tasks that move below it. */
export function liveScreen({ output }: Context, projects: readonly ProjectName[]): Screen {
  const shown = new Map<ProjectName, Live>();
  const notes: string[] = [];
  let snapshot: (() => Snapshot) | null = null;
  let finish: (complete: boolean) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => {
    finish = (complete) => (complete ? resolve() : reject(new Error('unfinished')));
  });
  // Each entry of the list waits for it; when there is none, nobody does.
  finished.catch(() => {});
  const list = new Listr(
    projects.map((project) => ({
      title: project,
      task: (_: unknown, task: Live) => {
        shown.set(project, task);
        return finished;
      },
      rendererOptions: { persistentOutput: true },
    })),
    {
      concurrent: true,
      registerSignalListeners: false,
      exitOnError: false,
      rendererOptions: { showErrorMessage: false },
    },
  );
  const running = list.run();
  const draw = (): void => {
    if (snapshot === null) return;
    for (const [project, task] of shown) {
      const now = Date.now();
      const rows = rowsOf(snapshot().state, snapshot(), now, new Set([project]));
      task.title = `${project}  ${countsLine(countWords(rows), rows.length)}`;
      task.output = [...taskLines(rows, now, output), ...notes.slice(-NOTES_SHOWN)].join('\n');
    }
  };
  let timer = setTimeout(function next() {
    const began = performance.now();
    draw();
    // With ten thousand tasks a picture costs tens of milliseconds: then there are fewer of them.
    const cost = performance.now() - began;
    timer = setTimeout(next, Math.max(REDRAW_MS, cost * DRAWING_SHARE));
  }, REDRAW_MS);
  return {
    events: () => {},
    note: (note: Note) => {
      const lines = wrap(noteText(note), output.terminal.columns - 6).split('\n');
      notes.push(lines.map((line) => output.paint.yellow(line)).join('\n'));
    },
    watch: (look) => {
      snapshot = look;
      draw();
    },
    end: async (complete = false) => {
      clearTimeout(timer);
      draw();
      for (const task of shown.values()) task.output = notes.slice(-NOTES_SHOWN).join('\n');
      finish(complete);
      await running;
    },
  };
}

const RANK: Readonly<Partial<Record<TaskRow['status'], number>>> = {
  running: 0,
  gating: 1,
  conflict: 2,
  review: 2,
  failed: 3,
  ready: 4,
  locked: 5,
  waiting: 6,
  blocked: 6,
};

function taskLines(rows: readonly TaskRow[], now: number, { paint, terminal }: Context['output']): string[] {
  const moving = rows
    .filter(({ status }) => RANK[status] !== undefined)
    .sort((a, b) => (RANK[a.status] ?? 9) - (RANK[b.status] ?? 9));
  const width = Math.max(0, ...moving.slice(0, ROWS_SHOWN).map(({ task }) => task.length));
  const lines = moving.slice(0, ROWS_SHOWN).map((row) => {
    const word = paintWord(paint, row.status)(wordWithSymbol(row.status).padEnd(11));
    const where =
      row.status === 'running'
        ? `${row.node} ${stepText(row)} ${formatDuration(now - row.since)} ${row.reason}`.trimEnd()
        : row.reason;
    return `${word} ${row.task.padEnd(width)}  ${cut(safeLine(where), Math.max(10, terminal.columns - width - 20))}`;
  });
  const more = moving.length - ROWS_SHOWN;
  return more > 0 ? [...lines, paint.dim(`and ${more} more: dispatch status`)] : lines;
}
