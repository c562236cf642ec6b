import type { Note } from '../../controller/note.ts';
import type { Event } from '../../model/event.ts';
import type { State } from '../../model/state.ts';
import type { Context } from '../context.ts';
import { safeLine } from '../render/safe-text.ts';
import { newsLine, newsOf } from './news.ts';
import { noteText } from './note-text.ts';

/** The log of a controller without a terminal, all of it on stdout: lines that begin with their moment, or JSON lines. */
export interface ServeLog {
  events(events: readonly Event[], state: State): void;
  note(note: Note): void;
  /** A word of the verb itself. */
  say(message: string): void;
}

export function serveLog({ output }: Context): ServeLog {
  if (output.machine) {
    return {
      events: (events, state) => {
        for (const event of events) {
          const news = newsOf(event, state);
          if (news !== null) output.event('News', news);
        }
      },
      note: (note) => output.event('Note', { at: Date.now(), ...note }),
      say: (message) => output.event('Serve', { at: Date.now(), message }),
    };
  }
  const line = (text: string): void => output.line(`${new Date().toISOString()} ${text}`);
  return {
    events: (events, state) => {
      for (const event of events) {
        const news = newsOf(event, state);
        if (news !== null) output.line(safeLine(newsLine(news)));
      }
    },
    note: (note) => line(`${note.about} ${noteText(note)}`),
    say: (message) => line(`serve ${safeLine(message)}`),
  };
}
