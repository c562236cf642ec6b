import { DispatchError, type Problem } from '../model/error.ts';
import type { Note } from './note.ts';
import type { RefusedFile } from './questions.ts';

/** Files of a home that have changed and cannot be used as they are; each is told once for the same words. */
export class Refusals {
  readonly #note: (note: Note) => void;
  readonly #files = new Map<string, RefusedFile>();

  constructor(note: (note: Note) => void) {
    this.#note = note;
  }

  get files(): readonly RefusedFile[] {
    return [...this.#files.values()];
  }

  refuse(file: string, problem: Problem | DispatchError): void {
    const { code, fix = null } = problem;
    const place = 'line' in problem ? `${problem.file}:${problem.line}:${problem.col}: ` : '';
    const message = `${place}${problem.message}`;
    const before = this.#files.get(file);
    this.#files.set(file, { file, code, message, fix, since: before?.since ?? Date.now() });
    if (before?.message === message) return;
    const told = `not used as it is now, what was read before is: ${message}`;
    this.#note({ about: 'config', name: file, code, message: told, fix });
  }

  accept(file: string): void {
    if (!this.#files.delete(file)) return;
    this.#note({ about: 'config', name: file, code: null, message: 'is good again and in use', fix: null });
  }
}

/** The problem for which a file is refused; null: it can be used. */
export function firstError(problems: readonly Problem[]): Problem | null {
  return problems.find(({ severity }) => severity === 'error') ?? null;
}

/** What was thrown, as what a file can be refused for. */
export function asError(thrown: unknown): DispatchError {
  if (thrown instanceof DispatchError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new DispatchError('E_INTERNAL', message, { cause: thrown });
}
