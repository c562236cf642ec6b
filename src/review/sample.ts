/** Which merged tasks a second model looks at: by a hash of seed and task, so that a sample is the same each time. */
import { createHash } from 'node:crypto';
import type { TaskKey } from '../model/ids.ts';
import type { LookRules } from '../model/second-look.ts';

/** P0 always, P1 by its share, all others by theirs. @param priority 0 is the most urgent. */
export function isSampled(key: TaskKey, priority: number, { p1, others, seed }: LookRules): boolean {
  if (priority === 0) return true;
  return fraction(`${seed}\0${key}`) < (priority === 1 ? p1 : others);
}

/** Evenly spread from 0 to below 1. */
function fraction(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}
