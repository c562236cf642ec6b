/** Which points there are, and which of them were hit in which mode. */
import type { Mode, Reached, Targets } from './points/plan.ts';

/** How often each point's name is met in a run: its ordinals go from 1 to this. On two nodes, the larger number. */
export type Enumeration = ReadonlyMap<string, number>;

export function enumerate(reached: readonly Reached[]): Enumeration {
  const found = new Map<string, number>();
  for (const { name, ordinal } of reached) found.set(name, Math.max(found.get(name) ?? 0, ordinal));
  return found;
}

export function sizeOf(points: Enumeration): number {
  let size = 0;
  for (const count of points.values()) size += count;
  return size;
}

export class Coverage {
  readonly points: Enumeration;
  readonly #hit = new Map<Mode, Set<string>>();
  readonly #runs = new Map<Mode, number>();
  readonly #inVain = new Map<Mode, number>();
  /** Points that were hit and that the first run did not meet: programs that die do some things more often. */
  #beyond = 0;

  readonly #isApt: (name: string, mode: Mode) => boolean;

  /** @param isApt whether a step can break in a mode. */
  constructor(points: Enumeration, isApt: (name: string, mode: Mode) => boolean) {
    this.points = points;
    this.#isApt = isApt;
  }

  /** How many points there are that can break in this mode. */
  size(mode: Mode): number {
    return sizeOf(new Map([...this.points].filter(([name]) => this.#isApt(name, mode))));
  }

  note(mode: Mode, reached: readonly Reached[]): void {
    const hit = this.#hit.get(mode) ?? new Set();
    const before = hit.size;
    this.#hit.set(mode, hit);
    for (const one of reached) {
      if (!one.hit) continue;
      if (one.ordinal <= (this.points.get(one.name) ?? 0)) hit.add(`${one.name} ${one.ordinal}`);
      else this.#beyond += 1;
    }
    this.#runs.set(mode, this.runs(mode) + 1);
    this.#inVain.set(mode, hit.size > before ? 0 : this.inVain(mode) + 1);
  }

  /** How often something was broken in this mode. */
  runs(mode: Mode): number {
    return this.#runs.get(mode) ?? 0;
  }

  /** How many of the last runs have hit nothing that was not hit before. */
  inVain(mode: Mode): number {
    return this.#inVain.get(mode) ?? 0;
  }

  get beyond(): number {
    return this.#beyond;
  }

  hits(mode: Mode): number {
    return this.#hit.get(mode)?.size ?? 0;
  }

  /** Names of which this mode has not hit a single point; as targets of a plan. */
  untouched(mode: Mode): NonNullable<Targets> {
    const names = new Set<string>();
    for (const point of this.#hit.get(mode) ?? []) names.add(point.slice(0, point.lastIndexOf(' ')));
    return Object.fromEntries(Object.entries(this.missing(mode)).filter(([name]) => !names.has(name)));
  }

  /** What this mode has still to hit; as targets of a plan. */
  missing(mode: Mode): NonNullable<Targets> {
    const hit = this.#hit.get(mode);
    const targets: Record<string, number[]> = {};
    for (const [name, count] of this.points) {
      if (!this.#isApt(name, mode)) continue;
      const ordinals = Array.from({ length: count }, (_, index) => index + 1);
      const left = ordinals.filter((ordinal) => hit?.has(`${name} ${ordinal}`) !== true);
      if (left.length > 0) targets[name] = left;
    }
    return targets;
  }
}
