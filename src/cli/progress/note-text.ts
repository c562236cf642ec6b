import type { Note } from '../../controller/note.ts';
import { safeLine } from '../render/safe-text.ts';

/** One line: what happened, what mends it, where to read more. */
export function noteText({ name, code, message, fix }: Note): string {
  const mend = fix === null ? '' : `; ${fix}`;
  const more = code === null ? '' : ` (dispatch explain ${code})`;
  return safeLine(`${named(name, message)}${mend}${more}`);
}

/** The message with the name of what it is about, unless it begins with it. */
export function named(name: string, message: string): string {
  return message.startsWith(`${name} `) || message.startsWith(`${name}:`) ? message : `${name}: ${message}`;
}
