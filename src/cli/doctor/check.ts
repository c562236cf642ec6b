/** One thing that can be missing, and how it stands. */
export interface Check {
  /** Stable, `here.git`, `node.mac2.disk`. */
  readonly id: string;
  readonly state: 'ok' | 'warn' | 'fail';
  /** What was looked at and what was found. */
  readonly what: string;
  /** Why it matters; null when all is well. */
  readonly why: string | null;
  /** The exact command or edit that mends it. */
  readonly fix: string | null;
}

export function ok(id: string, what: string): Check {
  return { id, state: 'ok', what, why: null, fix: null };
}

export function warn(id: string, what: string, why: string, fix: string | null): Check {
  return { id, state: 'warn', what, why, fix };
}

export function fail(id: string, what: string, why: string, fix: string | null): Check {
  return { id, state: 'fail', what, why, fix };
}

/** First two numbers of a version, `tmux 3.3a` -> [3, 3]; null when there are none. */
export function versionIn(text: string): readonly [number, number] | null {
  const found = /(\d+)\.(\d+)/u.exec(text);
  return found === null ? null : [Number(found[1]), Number(found[2])];
}

export function atLeast(version: readonly [number, number], least: readonly [number, number]): boolean {
  return version[0] > least[0] || (version[0] === least[0] && version[1] >= least[1]);
}
