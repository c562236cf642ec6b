/** What `start` and `collect` show while the controller works: one of these, chosen once. */
import type { Note } from '../../controller/note.ts';
import type { Event } from '../../model/event.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { State } from '../../model/state.ts';
import type { Snapshot } from '../../schedule/snapshot.ts';
import type { Context } from '../context.ts';
import { safeLine } from '../render/safe-text.ts';
import { newsLine, newsOf } from './news.ts';
import { noteText } from './note-text.ts';

export interface Screen {
  events(events: readonly Event[], state: State): void;
  note(note: Note): void;
  /** From now on the screen may look at the controller's own snapshot. */
  watch(snapshot: () => Snapshot): void;
  /** Gives the terminal back; the last word is the verb's. `complete`: everything that was wanted was reached. */
  end(complete?: boolean): Promise<void>;
}

/** Live on a terminal, one line per change in a pipe or with --progress plain, objects with -o ndjson, nothing with --quiet. */
export async function screenFor(context: Context, projects: readonly ProjectName[]): Promise<Screen> {
  return quietAfterEnd(await chooseScreen(context, projects));
}

/** Letting go of the nodes is no news to a person who was just told so; and what has ended once need not end again. */
function quietAfterEnd(screen: Screen): Screen {
  let ended: Promise<void> | null = null;
  return {
    events: (events, state) => screen.events(events, state),
    note: (note) => {
      if (ended === null) screen.note(note);
    },
    watch: (snapshot) => screen.watch(snapshot),
    end: (complete) => {
      ended ??= screen.end(complete);
      return ended;
    },
  };
}

async function chooseScreen(context: Context, projects: readonly ProjectName[]): Promise<Screen> {
  const { output, settings, environment } = context;
  if (output.format === 'ndjson') return ndjson(context);
  if (output.machine || output.quiet || output.format === 'name') return notesOnly(context);
  const live = output.terminal.tty && settings.progress === 'auto' && environment.variables.TERM !== 'dumb';
  if (!live) return plain(context);
  const { liveScreen } = await import('./live-screen.ts');
  return liveScreen(context, projects);
}

function ndjson({ output }: Context): Screen {
  return {
    events: (events, state) => {
      for (const event of events) {
        const news = newsOf(event, state);
        if (news !== null) output.event('News', news);
      }
    },
    note: (note) => output.event('Note', note),
    watch: () => {},
    end: async () => {},
  };
}

function plain({ output }: Context): Screen {
  return {
    events: (events, state) => {
      for (const event of events) {
        const news = newsOf(event, state);
        if (news !== null) output.line(safeLine(newsLine(news)));
      }
    },
    note: (note) => output.note(noteText(note)),
    watch: () => {},
    end: async () => {},
  };
}

function notesOnly({ output }: Context): Screen {
  return {
    events: () => {},
    note: (note) => output.note(noteText(note)),
    watch: () => {},
    end: async () => {},
  };
}
