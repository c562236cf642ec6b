/** What the harness and the programs under test tell each other, by files of one directory. */

/**
 * `killed before`, `killed after`: the process dies by SIGKILL at the call's border. `EIO`: the call does not happen and
 * says so. `ENOSPC`: the same; a write has written half. `unsure`: the call happens, and is reported as failed by EIO.
 */
export const MODES = ['killed before', 'killed after', 'EIO', 'ENOSPC', 'unsure'] as const;
export type Mode = (typeof MODES)[number];

/** Null: any. */
export type Targets = Readonly<Record<string, readonly number[]>> | null;

export type Gaps = Readonly<Record<string, number>> & { readonly other: number };

export interface Plan {
  /** Only what happens to files below it counts. */
  readonly base: string;
  /** Null: calls are counted and nothing happens to them. */
  readonly mode: Mode | null;
  /** Points at which it is to happen, by name and ordinal: `supervisor@here journal/# fdatasync` -> [3, 17]. */
  readonly targets: Targets;
  /** Each name at most once in the run of a program on a place: as many different ones as possible. */
  readonly once: boolean;
  /** Calls of a role between two that are hit, so that a program gets on in between; `other` for those not named. */
  readonly gaps: Gaps;
  /** Share of that before the first that is hit, in [0, 1). */
  readonly skip: number;
}

export const PLAN_FILE = 'plan.json';

/** One line of a role's log: a call that was reached, and whether something happened to it. */
export interface Reached {
  readonly name: string;
  /** From 1, in this role and run. */
  readonly ordinal: number;
  readonly hit: boolean;
}

export function reachedLine({ name, ordinal, hit }: Reached): string {
  return `${hit ? '!' : '.'}\t${ordinal}\t${name}\n`;
}

/** Lines that are whole; the last one may have been cut by a kill. */
export function readReached(text: string): Reached[] {
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const [mark, ordinal, name] = line.split('\t');
      return name === undefined ? [] : [{ name, ordinal: Number(ordinal), hit: mark === '!' }];
    });
}
