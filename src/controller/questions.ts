/** What other processes ask a running controller besides commands: it changes nothing that is recorded. */
import type { ProjectName } from '../model/ids.ts';

export type Question =
  /** Who is at work here. */
  | { readonly ask: 'about' }
  /** Read the project's files and run it; only a controller that keeps the home does. Answered with a Reply. */
  | { readonly ask: 'take'; readonly project: ProjectName };

export interface About {
  /** `serve` goes on until it is stopped and takes projects over; `verb` ends with the verb that it belongs to. */
  readonly kind: 'serve' | 'verb';
  readonly pid: number;
  /** Files that have changed and cannot be used: the controller goes on with what it had. */
  readonly refused: readonly RefusedFile[];
}

export interface RefusedFile {
  /** `nodes.json`, `specs/web`. */
  readonly file: string;
  readonly code: string;
  readonly message: string;
  readonly fix: string | null;
  /** Wall clock, milliseconds. */
  readonly since: number;
}
