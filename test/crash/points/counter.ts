/**
 * Counts the durable calls of a process's role in a run, across the processes that have it one after the other, and says
 * which of them something is to happen to. Each call is written down before it happens, so that it is known whatever
 * happens at it.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isKill, type Mode, type Plan, PLAN_FILE, type Reached, reachedLine, readReached } from './plan.ts';

// What the programs see of node:fs is replaced; this keeps what it was.
const append = appendFileSync;
/** Its multiples are spread evenly over [0, 1): gaps are not all the same, and the same again when a seed is. */
const GOLDEN = 0.618_033_988_75;

export class Counter {
  readonly base: string;
  readonly #role: string;
  readonly #place: string;
  readonly #log: string;
  readonly #plan: Plan;
  readonly #targets = new Map<string, ReadonlyMap<number, Mode>>();
  readonly #counts = new Map<string, number>();
  readonly #hit = new Set<string>();
  #hits = 0;
  #gap: number;
  #since = 0;

  /** @param dir where the plan is, and where logs go. */
  constructor(dir: string, role: string, place: string) {
    this.#plan = JSON.parse(readFileSync(join(dir, PLAN_FILE), 'utf8')) as Plan;
    this.base = this.#plan.base;
    this.#role = role;
    this.#place = place;
    this.#log = join(dir, `${role}@${place}.log`);
    const { targets, gaps, skip } = this.#plan;
    if (targets !== null && typeof targets !== 'string')
      for (const [name, modes] of Object.entries(targets)) this.#targets.set(name, new Map(modes));
    this.#gap = (gaps.failure[role] ?? gaps.failure.other) * skip;
    for (const reached of existsSync(this.#log) ? readReached(readFileSync(this.#log, 'utf8')) : [])
      this.#count(reached);
  }

  /** A call is about to happen. @returns what is to happen to it, if anything. */
  reach(what: string): Mode | null {
    const name = `${this.#role} ${what}`;
    const ordinal = (this.#counts.get(name) ?? 0) + 1;
    const hit = this.#since >= this.#gap ? this.#meant(name, ordinal) : null;
    const reached = { name, ordinal, hit };
    this.#count(reached);
    append(this.#log, reachedLine(reached));
    return hit;
  }

  #meant(name: string, ordinal: number): Mode | null {
    const { targets, once } = this.#plan;
    if (once && this.#hit.has(name)) return null;
    if (targets === null || typeof targets === 'string') return targets;
    return this.#isMine(ordinal) ? (this.#targets.get(name)?.get(ordinal) ?? null) : null;
  }

  #isMine(ordinal: number): boolean {
    const { nodes, skip } = this.#plan;
    const at = nodes.indexOf(this.#place);
    return at === -1 || (ordinal + at + Math.floor(skip * 1000)) % nodes.length === 0;
  }

  #count({ name, ordinal, hit }: Reached): void {
    this.#counts.set(name, ordinal);
    this.#since += 1;
    if (hit === null) return;
    const { gaps, skip } = this.#plan;
    const all = isKill(hit) ? gaps.kill : gaps.failure;
    this.#hit.add(name);
    this.#hits += 1;
    this.#since = 0;
    this.#gap = (all[this.#role] ?? all.other) * (0.3 + 1.4 * ((this.#hits * GOLDEN + skip) % 1));
  }
}
