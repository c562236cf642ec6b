/** Commands as a person gives them to a home in which things break: the same again, until what it is for has come about. */
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { homePaths } from '../../src/controller/paths.ts';
import { EXIT } from '../../src/model/exit.ts';
import type { State } from '../../src/model/state.ts';
import type { Reader } from '../../src/store/port.ts';
import { openReader } from '../../src/store/sqlite/reader.ts';
import type { Home } from '../cluster/home.ts';
import type { Ran } from '../cluster/running.ts';

/** A command that makes no progress any more is given up then. */
const MOST_COMMANDS = 600;
/** A command that runs so long is given anew; it need not be over by then. */
const LIMIT_MS = 120_000;
/** One that hangs whatever a person does is found out by so many in which nothing has happened. */
const MOST_CUTS = 4;
/** One that ends orderly so often in a row, and has not done what it is for, never will. */
const MOST_ORDERLY = 6;
const LOOK_MS = 250;
/** What failed in one that is kept is tried again after an hour, or when it begins: it is begun anew after this. */
const KEEP_MS = 70_000;
const FAILED = 'E_BACKUP_FAILED';
/** A defect of ours, and what nobody has given a name to. */
const UNNAMED = /\[E_INTERNAL\]|E_INTERNAL\)|^\s+at .*\(/u;

export class Commands {
  readonly #home: Home;
  readonly #env: Readonly<Record<string, string>>;
  /** What is put in front of the program that a verb runs. */
  readonly #front: (verb: string) => readonly string[];
  /** How often a command was given, and what it ended with. */
  readonly ends: Record<string, number> = {};

  constructor(home: Home, env: Readonly<Record<string, string>>, front: (verb: string) => readonly string[]) {
    this.#home = home;
    this.#env = env;
    this.#front = front;
  }

  /** @returns what was wrong with how it ended. */
  async repeat(args: readonly string[], isOver: (ran: Ran) => boolean | Promise<boolean>): Promise<string[]> {
    const found: string[] = [];
    const [verb = ''] = args;
    let last = '';
    let seen = 0;
    let cuts = 0;
    let orderly = 0;
    for (let count = 1; count <= MOST_COMMANDS && orderly < MOST_ORDERLY; count += 1) {
      const running = this.#spawn(args);
      const ran = await running.ended.catch((error: unknown) => String(error));
      if (typeof ran === 'string') {
        this.#count(`${verb} cut`);
        const events = await eventsOf(this.#home);
        cuts = events > seen ? 0 : cuts + 1;
        seen = events;
        if (cuts >= MOST_CUTS) return [...found, `${verb}: ${ran.slice(-3000)}`];
        continue;
      }
      found.push(...this.#judged(verb, ran));
      last = ran.stderr.slice(-1000);
      if (await isOver(ran)) return found;
      orderly = ran.code === EXIT.ok || ran.code === EXIT.unfinished ? orderly + 1 : 0;
      if (ran.code === EXIT.usage) return [...found, `${verb}: refused: ${ran.stderr.slice(0, 1000)}`];
    }
    const all = JSON.stringify(this.ends);
    return [...found, `${verb}: has not done what it is for: ${all}; the last: ${last}`];
  }

  /** One that runs until it is told to stop; it is begun anew whenever it ends before. @returns as `repeat`. */
  async keep(args: readonly string[], isOver: () => boolean): Promise<string[]> {
    const found: string[] = [];
    const [verb = ''] = args;
    for (let count = 1; count <= MOST_COMMANDS; count += 1) {
      const running = this.#spawn(args);
      const until = performance.now() + KEEP_MS;
      let ended = false;
      void running.ended.catch(() => {}).finally(() => (ended = true));
      const isStuck = (): boolean => performance.now() > until || running.output.includes(FAILED);
      while (!ended && !isOver() && !isStuck()) await setTimeout(LOOK_MS);
      if (!ended) running.signal('SIGTERM');
      const ran = await running.ended.catch((error: unknown) => String(error));
      if (typeof ran === 'string') this.#count(`${verb} cut`);
      else found.push(...this.#judged(verb, ran));
      if (isOver()) return found;
    }
    return [...found, `${verb}: not over after ${MOST_COMMANDS} times: ${JSON.stringify(this.ends)}`];
  }

  #spawn(args: readonly string[]) {
    const [verb = ''] = args;
    return this.#home.spawn([...args], { env: this.#env, limitMs: LIMIT_MS, front: this.#front(verb) });
  }

  #judged(verb: string, { code, stderr }: Ran): string[] {
    this.#count(`${verb} ${code ?? 'killed'}${codeIn(stderr)}`);
    const lines = stderr.split('\n').filter((text) => UNNAMED.test(text));
    return lines.map((line) => `${verb}: ended with ${code} and ${line.slice(0, 500)}`);
  }

  #count(how: string): void {
    this.ends[how] = (this.ends[how] ?? 0) + 1;
  }
}

function codeIn(stderr: string): string {
  const [, code] = /error\[(E_\w+)\]/u.exec(stderr) ?? [];
  return code === undefined ? '' : ` ${code}`;
}

export async function stateOf(home: Home): Promise<State | null> {
  return reading(home, (reader) => reader.load());
}

/** How many events there are. */
async function eventsOf(home: Home): Promise<number> {
  return (await reading(home, async (reader) => (await reader.events(0, 10_000_000)).length)) ?? 0;
}

async function reading<Found>(home: Home, look: (reader: Reader) => Promise<Found>): Promise<Found | null> {
  const { database } = homePaths(home.dir);
  if (!existsSync(database)) return null;
  try {
    const reader = await openReader(database);
    try {
      return await look(reader);
    } finally {
      await reader.close();
    }
  } catch {
    // Killed before the first migration: there is no store yet.
    return null;
  }
}
