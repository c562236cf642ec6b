/**
 * Which points there are, and which of them were hit in which mode; kept in a file, so that a pass can go on after an
 * interruption. The file says with which commit each point was hit.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type Mode, MODES, type Reached, type Targets } from './points/plan.ts';

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

/** What is kept. `hits`: by mode, name and ordinal, the place of a commit in `commits`. */
interface Kept {
  readonly version: 2;
  readonly commits: readonly string[];
  readonly points: Readonly<Record<string, number>>;
  readonly hits: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>>;
  readonly beyond: number;
  readonly runs: number;
  readonly minutes: number;
  readonly violations: readonly string[];
}

/** Of one mode: how many there are, and how many were hit. */
export interface Share {
  readonly points: number;
  readonly hit: number;
  readonly names: number;
  readonly namesHit: number;
}

export class Coverage {
  readonly #isApt: (name: string, mode: Mode) => boolean;
  readonly #commits: string[];
  readonly #points: Map<string, number>;
  readonly #hits = new Map<Mode, Map<string, Map<number, number>>>();
  /** Points that were hit and that the first run did not meet: programs that die do some things more often. */
  #beyond: number;
  #runs: number;
  #minutes: number;
  readonly #violations: string[];

  /** @param isApt whether a step can break in a mode. */
  constructor(isApt: (name: string, mode: Mode) => boolean, kept: Kept | null = null) {
    this.#isApt = isApt;
    this.#commits = [...(kept?.commits ?? [])];
    this.#points = new Map(Object.entries(kept?.points ?? {}));
    this.#beyond = kept?.beyond ?? 0;
    this.#runs = kept?.runs ?? 0;
    this.#minutes = kept?.minutes ?? 0;
    this.#violations = [...(kept?.violations ?? [])];
    for (const mode of MODES) {
      const names = Object.entries(kept?.hits[mode] ?? {});
      const numbered = names.map(
        ([name, ordinals]) =>
          [name, new Map(Object.entries(ordinals).map(([ordinal, at]) => [Number(ordinal), at]))] as const,
      );
      this.#hits.set(mode, new Map(numbered));
    }
  }

  /** What the file says; nothing yet when there is none. @throws Error when it is of another form. */
  static read(file: string, isApt: (name: string, mode: Mode) => boolean): Coverage {
    if (!existsSync(file)) return new Coverage(isApt);
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Kept;
    if (kept.version !== 2) throw new Error(`${file}: no coverage that this program knows; remove it`);
    return new Coverage(isApt, kept);
  }

  write(file: string): void {
    const hits = Object.fromEntries(
      [...this.#hits].map(([mode, names]) => [
        mode,
        Object.fromEntries([...names].map(([name, ordinals]) => [name, Object.fromEntries(ordinals)])),
      ]),
    );
    const kept: Kept = {
      version: 2,
      commits: this.#commits,
      points: Object.fromEntries(this.#points),
      hits,
      beyond: this.#beyond,
      runs: this.#runs,
      minutes: Math.round(this.#minutes * 10) / 10,
      violations: this.#violations,
    };
    writeFileSync(`${file}.new`, `${JSON.stringify(kept)}\n`);
    renameSync(`${file}.new`, file);
  }

  /** Points that a run in which nothing broke has met; those that an earlier one met as well stay. */
  found(points: Enumeration): void {
    for (const [name, count] of points) this.#points.set(name, Math.max(this.#points.get(name) ?? 0, count));
  }

  /** @returns how many points were hit for the first time. */
  note(reached: readonly Reached[], commit: string): number {
    if (!this.#commits.includes(commit)) this.#commits.push(commit);
    const at = this.#commits.indexOf(commit);
    let fresh = 0;
    for (const { name, ordinal, hit } of reached) {
      if (hit === null) continue;
      if (ordinal > (this.#points.get(name) ?? 0)) {
        this.#beyond += 1;
        continue;
      }
      const names = this.#hits.get(hit) ?? new Map<string, Map<number, number>>();
      const ordinals = names.get(name) ?? new Map<number, number>();
      if (!ordinals.has(ordinal)) fresh += 1;
      this.#hits.set(hit, names.set(name, ordinals.set(ordinal, at)));
    }
    return fresh;
  }

  /** A run is over; what was wrong after it. */
  over(violations: readonly string[], minutes: number): void {
    this.#runs += 1;
    this.#minutes += minutes;
    this.#violations.push(...violations);
  }

  get points(): Enumeration {
    return this.#points;
  }

  get commits(): readonly string[] {
    return this.#commits;
  }

  get beyond(): number {
    return this.#beyond;
  }

  /** Over all that the file has seen: runs, their minutes one after the other, and what was wrong. */
  get history(): {
    readonly runs: number;
    readonly minutes: number;
    readonly violations: readonly string[];
  } {
    return { runs: this.#runs, minutes: this.#minutes, violations: this.#violations };
  }

  share(mode: Mode): Share {
    const apt = [...this.#points].filter(([name]) => this.#isApt(name, mode));
    const names = this.#hits.get(mode);
    const hit = apt.map(([name]) => names?.get(name)?.size ?? 0);
    return {
      points: sizeOf(new Map(apt)),
      hit: hit.reduce((sum, count) => sum + count, 0),
      names: apt.length,
      namesHit: hit.filter((count) => count > 0).length,
    };
  }

  /** How many points each name has left in a mode. */
  left(mode: Mode): Readonly<Record<string, number>> {
    const entries = [...this.#points].map(([name]) => [name, this.#missing(name, mode).length] as const);
    return Object.fromEntries(entries.filter(([, count]) => count > 0));
  }

  /**
   * What is to be hit next. @param isBroad names first: only those of which a mode has not hit a single point.
   * @param draw chance: of the modes that a point has still to be hit in, one is taken.
   */
  next(modes: readonly Mode[], isBroad: boolean, draw: () => number): Targets {
    const targets: Record<string, [number, Mode][]> = {};
    for (const [name, count] of this.#points) {
      const open = isBroad
        ? modes.filter((mode) => (this.#hits.get(mode)?.get(name)?.size ?? 0) === 0)
        : modes;
      const left = new Map(open.map((mode) => [mode, new Set(this.#missing(name, mode))]));
      for (let ordinal = 1; ordinal <= count; ordinal += 1) {
        const wanted = open.filter((mode) => left.get(mode)?.has(ordinal) === true);
        const mode = wanted[Math.floor(draw() * wanted.length)];
        if (mode !== undefined) (targets[name] ??= []).push([ordinal, mode]);
      }
    }
    return targets;
  }

  #missing(name: string, mode: Mode): number[] {
    if (!this.#isApt(name, mode)) return [];
    const hit = this.#hits.get(mode)?.get(name);
    const all = Array.from({ length: this.#points.get(name) ?? 0 }, (_, index) => index + 1);
    return all.filter((ordinal) => hit?.has(ordinal) !== true);
  }
}
