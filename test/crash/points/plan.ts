/** What the harness and the programs under test tell each other, by files of one directory. */

/**
 * `killed before`, `killed after`: the process dies by SIGKILL at the call's border. `EIO`: the call does not happen and
 * says so. `ENOSPC`: the same; a write has written half. `unsure`: the call happens, and is reported as failed by EIO.
 */
export const MODES = ['killed before', 'killed after', 'EIO', 'ENOSPC', 'unsure'] as const;
export type Mode = (typeof MODES)[number];

export const isKill = (mode: Mode): boolean => mode.startsWith('killed');

/** Points at which something is to happen, by name and ordinal, and what: `supervisor journal/# fdatasync` -> [[3, 'EIO']]. */
export type Targets = Readonly<Record<string, readonly (readonly [ordinal: number, mode: Mode])[]>>;

/** Calls of a role between two that are hit, so that a program gets on in between; `other` for those not named. */
export type Gaps = Readonly<Record<string, number>> & { readonly other: number };

export interface Plan {
  /** Only what happens to files below it counts. */
  readonly base: string;
  /** One mode: any point breaks so. Null: calls are counted and nothing happens to them. */
  readonly targets: Targets | Mode | null;
  /** Each name at most once in the run of a program on a place: as many different ones as possible. */
  readonly once: boolean;
  /** After a kill, and after a call that failed. */
  readonly gaps: { readonly kill: Gaps; readonly failure: Gaps };
  /** In [0, 1): the share of a gap before the first that is hit, and which node takes which half of the points. */
  readonly skip: number;
  /** Nodes that have the same points: each takes its share of them. */
  readonly nodes: readonly string[];
}

export const PLAN_FILE = 'plan.json';

/** One line of a role's log: a call that was reached, and what happened to it. */
export interface Reached {
  readonly name: string;
  /** From 1, in this role and run. */
  readonly ordinal: number;
  readonly hit: Mode | null;
}

/** How a line of a log says it; a full stop: nothing happened. */
export const MARKS: Readonly<Record<Mode, string>> = {
  'killed before': 'b',
  'killed after': 'a',
  EIO: 'i',
  ENOSPC: 's',
  unsure: 'u',
};

export function reachedLine({ name, ordinal, hit }: Reached): string {
  return `${hit === null ? '.' : MARKS[hit]}\t${ordinal}\t${name}\n`;
}

/** Lines that are whole; the last one may have been cut by a kill. */
export function readReached(text: string): Reached[] {
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const [mark, ordinal, name] = line.split('\t');
      const hit = MODES.find((mode) => MARKS[mode] === mark) ?? null;
      return name === undefined ? [] : [{ name, ordinal: Number(ordinal), hit }];
    });
}
