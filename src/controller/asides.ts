/**
 * What could not be applied is kept as a file in `.dispatch/aside/`, each once: what it was, of whom, why, and the whole
 * of it. `health`, `doctor` and `why` name the files until a person, who has looked at them, deletes them. A few are
 * one defect; when there are more, what the controller believes is in doubt (see `doubts`).
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { State } from '../model/state.ts';
import { doubt } from './doubts.ts';
import type { Input } from './door.ts';
import type { Memory } from './memory.ts';
import type { Note } from './note.ts';
import { homePaths } from './paths.ts';
import { MAX_ASIDES } from './policy.ts';

export interface Aside {
  /** From the home on: `.dispatch/aside/3f…json`. */
  readonly file: string;
  /** Wall clock, milliseconds. */
  readonly at: number;
  /** `attempt.ended of node mac2`, `landed`. */
  readonly what: string;
  readonly why: string;
  /** Of a task that is known. */
  readonly task: string | null;
}

/** More files are not written: a disk is not to fill with one defect. */
const MOST_FILES = 200;

export interface AsidesOptions {
  readonly home: string;
  readonly state: State;
  readonly memory: Memory;
  readonly now: () => number;
  readonly note: (note: Note) => void;
}

export class Asides {
  readonly #options: AsidesOptions;
  #count = 0;

  constructor(options: AsidesOptions) {
    this.#options = options;
  }

  /** Keeps it and tells of it; never throws. @returns where it is kept, from the home on. */
  put(input: Input, error: Error): string {
    const { home, state, memory, now, note } = this.#options;
    const what = nameOf(input);
    const text = JSON.stringify(input, plain);
    const path = join(
      homePaths(home).aside,
      `${createHash('sha256').update(text).digest('hex').slice(0, 16)}.json`,
    );
    const file = relative(home, path);
    const about = { at: now(), what, why: error.message, task: taskOf(input, state) };
    const kept = keep(path, { ...about, stack: error.stack, input: JSON.parse(text) as unknown });
    this.#count += 1;
    const where = kept ? `it is kept in ${file}` : 'it could not be kept';
    const message = `${what} could not be applied and was put aside (${error.message}); ${where}`;
    note({
      about: 'component',
      name: 'the controller',
      code: 'E_UNFIT',
      message,
      fix: 'dispatch replay --check',
    });
    if (this.#count === MAX_ASIDES)
      doubt(memory, [`the state refused ${this.#count} things, at last ${what}: ${error.message}`]);
    return file;
  }
}

/** What was put aside in this home, oldest first. @param home absolute. */
export function asidesOf(home: string): Aside[] {
  const { aside } = homePaths(home);
  if (!existsSync(aside)) return [];
  const found = readdirSync(aside).flatMap((name): Aside[] => {
    const path = join(aside, name);
    try {
      const { at, what, why, task } = JSON.parse(readFileSync(path, 'utf8')) as Omit<Aside, 'file'>;
      return [{ file: relative(home, path), at, what, why, task }];
    } catch {
      // Cut short by a full disk, or deleted just now.
      return [];
    }
  });
  return found.sort((a, b) => a.at - b.at);
}

/** `attempt.ended of node mac2 was put aside: …; rm .dispatch/aside/3f….json`. */
export function asideText({ what, why, file }: Aside): string {
  return `${what} could not be applied (${why}), and is kept in ${file}`;
}

function keep(path: string, content: object): boolean {
  try {
    if (existsSync(path)) return true;
    const folder = join(path, '..');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (readdirSync(folder).length >= MOST_FILES) return false;
    writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    return true;
  } catch {
    // A full disk is told of by the store; what counts is that the others go on.
    return false;
  }
}

function nameOf(input: Input): string {
  switch (input.is) {
    case 'node.news':
      return `${input.entries.map(({ type }) => type).join(', ')} of node ${input.node}`;
    case 'command':
      return `the command ${input.command.verb}`;
    default:
      if ('node' in input) return `${input.is} of node ${input.node}`;
      return 'project' in input && input.project !== null ? `${input.is} of ${input.project}` : input.is;
  }
}

function taskOf(input: Input, { attempts }: State): string | null {
  if (input.is === 'command' && 'task' in input.command) return input.command.task;
  const [entry] = input.is === 'node.news' ? input.entries : [];
  const about = entry ?? input;
  const token = 'token' in about ? about.token : null;
  if (token !== null) return attempts.get(token)?.task ?? null;
  return 'tokens' in input && input.tokens[0] !== undefined
    ? (attempts.get(input.tokens[0])?.task ?? null)
    : null;
}

/** Sets and maps as lists. */
function plain(_key: string, value: unknown): unknown {
  return value instanceof Set || value instanceof Map ? [...(value as Iterable<unknown>)] : value;
}
