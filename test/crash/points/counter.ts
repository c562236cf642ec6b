/**
 * Counts the durable calls of a process's role in a run, across the processes that have it one after the other, and says
 * which of them something is to happen to. Each call is written down before it happens, so that it is known whatever
 * happens at it.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Mode, type Plan, PLAN_FILE, reachedLine, readReached } from './plan.ts';

// What the programs see of node:fs is replaced; this keeps what it was.
const append = appendFileSync;

export class Counter {
  readonly base: string;
  readonly #role: string;
  readonly #log: string;
  readonly #plan: Plan;
  readonly #targets = new Map<string, Set<number>>();
  readonly #counts = new Map<string, number>();
  readonly #hit = new Set<string>();
  readonly #gap: number;
  #since: number;

  /** @param dir where the plan is, and where logs go. */
  constructor(dir: string, role: string, place: string) {
    this.#plan = JSON.parse(readFileSync(join(dir, PLAN_FILE), 'utf8')) as Plan;
    this.base = this.#plan.base;
    this.#role = role;
    this.#log = join(dir, `${role}@${place}.log`);
    for (const [name, ordinals] of Object.entries(this.#plan.targets ?? {}))
      this.#targets.set(name, new Set(ordinals));
    const { gaps, skip } = this.#plan;
    this.#gap = gaps[role] ?? gaps.other;
    this.#since = Math.floor(this.#gap * (1 - skip));
    for (const { name, ordinal, hit } of existsSync(this.#log)
      ? readReached(readFileSync(this.#log, 'utf8'))
      : []) {
      this.#counts.set(name, ordinal);
      if (hit) this.#hit.add(name);
      this.#since = hit ? 0 : this.#since + 1;
    }
  }

  /** A call is about to happen. @returns what is to happen to it, if anything. */
  reach(what: string): Mode | null {
    const name = `${this.#role} ${what}`;
    const ordinal = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, ordinal);
    const { mode, once, targets } = this.#plan;
    const isMeant = targets === null || this.#targets.get(name)?.has(ordinal) === true;
    const isTarget = isMeant && !(once && this.#hit.has(name));
    const hit = mode !== null && isTarget && this.#since >= this.#gap;
    if (hit) this.#hit.add(name);
    this.#since = hit ? 0 : this.#since + 1;
    append(this.#log, reachedLine({ name, ordinal, hit }));
    return hit ? mode : null;
  }
}
