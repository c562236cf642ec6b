/**
 * Points inside of SQLite, by its system calls on the files of the store: the program is run under strace, which breaks
 * the n-th call of a kind on a file, at most one in the life of a process. `sqlite:start wal fsync/3`: in `dispatch
 * start`, the third fsync of the log of the store. What is done and reported as failed is asked at COMMIT, where it can be
 * made without a kernel (points/preload.ts).
 *
 * A copy is written to a place with a name of its own each time: there the n-th call on any file is meant (`any`).
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rngOf } from '../chance.ts';
import type { Mode, Reached, Targets } from '../points/plan.ts';

const CALLS = 'pwrite64,fsync,fdatasync,ftruncate,unlink';
/** Transactions are written like the ones before them: what breaks in the first breaks in all. */
const MOST_OF_A_KIND = 16;
/** Where the store is, for those that work on it, and not on a copy. */
const FILES: Readonly<Record<string, string>> = {
  db: 'home/.dispatch/state.db',
  wal: 'home/.dispatch/state.db-wal',
  shm: 'home/.dispatch/state.db-shm',
  journal: 'home/.dispatch/state.db-journal',
};
const ON_COPIES: ReadonlySet<string> = new Set(['backup', 'restore']);

interface Target {
  readonly name: string;
  readonly verb: string;
  readonly file: string;
  readonly call: string;
  readonly number: string;
  readonly mode: Mode;
}

export class SqlitePoints {
  readonly #base: string;
  readonly #dir: string;
  readonly #targets: readonly Target[] | null;
  readonly #rng: () => number;
  readonly #tried = new Map<Target, string>();
  #runs = 0;

  /** @param targets null: what there is is counted. @param seed of their order, in [0, 1). */
  constructor(base: string, targets: Targets | null, seed: number) {
    this.#base = base;
    this.#dir = join(base, 'sqlite-points');
    this.#targets = targets === null ? null : targetsIn(targets);
    this.#rng = rngOf(Math.floor(seed * 2 ** 31));
    mkdirSync(this.#dir, { recursive: true });
    copyFileSync(fileURLToPath(new URL('after.sh', import.meta.url)), join(this.#dir, 'after.sh'));
  }

  /** What is put in front of a program; nothing when it is to run as it is. */
  front(verb: string): string[] {
    this.#runs += 1;
    const log = join(this.#dir, `${verb}.${this.#runs}`);
    if (this.#targets === null)
      return ['strace', '-D', '-y', '-qq', '-o', log, ...this.#watched(verb, 'any'), '-e', `trace=${CALLS}`];
    const left = this.#targets.filter((target) => target.verb === verb && !this.#tried.has(target));
    // Now and then it gets further than the first transactions.
    const target = this.#rng() < 0.7 ? left[Math.floor(this.#rng() * left.length)] : undefined;
    if (target === undefined) return [];
    this.#tried.set(target, log);
    const { file, call, number, mode } = target;
    const how = { 'killed before': 'signal=KILL', 'killed after': 'delay_exit=1000000' }[mode as string];
    const rule = `inject=${call}:${how ?? `error=${mode}`}:when=${number}`;
    const rest = [...this.#watched(verb, file), '-e', `trace=${call}`, '-e', rule];
    if (mode !== 'killed after') return ['strace', '-D', '-y', '-qq', '-o', log, ...rest];
    // The number of the shell is the one of the program: strace is beside it.
    const piped = `exec strace -D -y -qq -o "|sh ${this.#dir}/after.sh ${log} $$" "$@"`;
    return ['sh', '-c', piped, 'strace', ...rest];
  }

  reached(): Reached[] {
    if (this.#targets === null)
      return readdirSync(this.#dir)
        .filter((name) => !name.endsWith('.sh'))
        .flatMap((name) => this.#seenIn(name));
    return [...this.#tried].map(([{ name, mode }, log]) => {
      const said = existsSync(log) ? readFileSync(log, 'utf8') : '';
      const isHit = /\(INJECTED\)|\(DELAYED\)/u.test(said) || (mode === 'killed before' && isKilled(said));
      return { name, ordinal: 1, hit: isHit ? mode : null };
    });
  }

  #watched(verb: string, file: string): string[] {
    if (ON_COPIES.has(verb)) return [];
    const paths = Object.entries(FILES).filter(([name]) => file === 'any' || file === name);
    return paths.flatMap(([, path]) => ['-P', join(this.#base, path)]);
  }

  #seenIn(log: string): Reached[] {
    const [verb = ''] = log.split('.');
    const counts = new Map<string, number>();
    const names: string[] = [];
    for (const line of readFileSync(join(this.#dir, log), 'utf8').split('\n')) {
      const [, call, rest = ''] = /^(\w+)\((.*)$/u.exec(line) ?? [];
      if (call === undefined) continue;
      const path = /^(?:\d+<([^>]*)>|"([^"]*)")/u.exec(rest)?.slice(1).find(Boolean) ?? '';
      const known = Object.entries(FILES).find(([, inside]) => path === join(this.#base, inside))?.[0];
      const file = ON_COPIES.has(verb) ? 'any' : known;
      if (file === undefined) continue;
      const key = `${file} ${call}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (count <= MOST_OF_A_KIND) names.push(`sqlite:${verb} ${key}/${count}`);
    }
    return names.map((name) => ({ name, ordinal: 1, hit: null }));
  }
}

/** A call of SQLite that can be broken in this mode. */
export function isAptForSqlite(name: string, mode: Mode): boolean {
  return mode !== 'unsure' && !(mode === 'ENOSPC' && /(?:fsync|fdatasync|unlink)\/\d+$/u.test(name));
}

/** A kill from elsewhere ends the trace without a call that was not answered. */
function isKilled(said: string): boolean {
  return /^\w+\(.*= \?\n\+\+\+ killed by SIGKILL/mu.test(said);
}

function targetsIn(targets: Targets): Target[] {
  return Object.entries(targets).flatMap(([name, modes]) => {
    const [role = '', file = '', what = ''] = name.split(' ');
    const mode = modes[0]?.[1];
    if (!role.startsWith('sqlite:') || mode === undefined) return [];
    const [call = '', number = '1'] = what.split('/');
    return [{ name, verb: role.slice('sqlite:'.length), file, call, number, mode }];
  });
}
