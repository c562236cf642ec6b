/**
 * Tells when an attempt shows no progress, why as far as it can be seen, and when it goes on. It only looks: whatever it
 * finds, an attempt ends by itself, by its deadline or by a person.
 *
 * A look is one pass over all processes of the machine, a few times within the span after which silence is told and at
 * most once a minute by default. What is dear (what each process sleeps in, the log's text) is looked at only where
 * something is to be told, and ever more seldom while the silence lasts. What was told is also in a file, so that another
 * supervisor neither tells it again nor forgets to take it back.
 */
import { rmSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { stallOf } from '../src/executors/stall.ts';
import { repeatsIn } from '../src/executors/stream-tail.ts';
import type { Evidence, Stall, StallCause } from '../src/model/stall.ts';
import type { Attempts, Entry } from './attempts.ts';
import { readIfThere, replaceFile } from './durable.ts';
import { readEnds, sizeOf } from './ends.ts';
import { evidenceOf } from './evidence.ts';
import { monotonicMs } from './host.ts';
import type { Journal } from './journal.ts';
import { ProcessTable, type Row } from './process-table.ts';
import { readStatus } from './record.ts';
import { attemptDir, type Root } from './root.ts';
import { stepPid } from './step.ts';

/** Looks within the span after which silence is told. */
const LOOKS = 5;
const MOST_BETWEEN_MS = 60_000;
const LEAST_BETWEEN_MS = 200;
/** Longest span between two explanations of the same silence. */
const MOST_AGAIN_MS = 15 * 60_000;
/** Attempts that are explained before others get a turn. */
const AT_ONCE = 20;
/** Bytes of a log's end in which repetitions are looked for. */
const REPEATS_BYTES = 16 * 1024;

interface Seen {
  readonly step: string;
  bytes: number;
  /** Monotonic milliseconds: when the log was last seen to have grown, or the step began. */
  grewAt: number;
  /** Of the group at the last look, and when that was. */
  cpuMs: number;
  cpuAt: number | null;
  /** Own CPU time of each process at the last look. */
  own: ReadonlyMap<number, number>;
  repeatsSince: number | null;
  repeats: Evidence['repeats'];
  told: StallCause | null;
  /** When it is explained next, and how long after that again. */
  next: number;
  wait: number;
}

export class StallWatch {
  readonly #root: Root;
  readonly #attempts: Attempts;
  readonly #journal: Journal;
  readonly #seen = new WeakMap<Entry, Seen>();
  #passAt = 0;
  #passing = false;

  constructor(root: Root, attempts: Attempts, journal: Journal) {
    this.#root = root;
    this.#attempts = attempts;
    this.#journal = journal;
  }

  /** Called once in a while; does nothing until the next look is due. */
  tick(): void {
    const now = monotonicMs();
    const watched = [...this.#attempts.live()].filter(({ stallMs }) => stallMs !== null);
    for (const entry of watched) this.#retract(entry);
    if (this.#passing || watched.length === 0 || now < this.#passAt) return;
    const shortest = Math.min(...watched.map(({ stallMs }) => stallMs ?? Number.POSITIVE_INFINITY));
    this.#passAt = now + Math.max(LEAST_BETWEEN_MS, Math.min(MOST_BETWEEN_MS, shortest / LOOKS));
    this.#passing = true;
    void this.#pass(watched)
      .catch((error: unknown) => void process.stderr.write(`stalls: ${String(error)}\n`))
      .finally(() => {
        this.#passing = false;
      });
  }

  /** What it does at this moment, stalled or not; null while none of its commands runs. */
  async look(entry: Entry): Promise<Stall | null> {
    const seen = this.#seenOf(entry);
    if (seen === null) return null;
    const table = await ProcessTable.read();
    if (entry.step !== seen.step) return null;
    return this.#explain(entry, seen, table, this.#rowsOf(entry, table));
  }

  async #pass(watched: readonly Entry[]): Promise<void> {
    const table = await ProcessTable.read();
    const due: { entry: Entry; seen: Seen; rows: readonly Row[]; cpu: Evidence['cpu'] }[] = [];
    for (const entry of watched) {
      const seen = this.#seenOf(entry);
      if (seen === null) continue;
      const rows = this.#rowsOf(entry, table);
      const now = monotonicMs();
      const cpu = cpuSince(seen, rows, now);
      this.#noteLog(entry, seen, now);
      // The silence of a step counts from when there is something that could break it.
      if (rows.length === 0) seen.grewAt = now;
      if (isStalled(entry, seen, now) && now >= seen.next) due.push({ entry, seen, rows, cpu });
      else remember(seen, rows, now);
    }
    for (const [at, { entry, seen, rows }] of due.entries()) {
      if (at % AT_ONCE === AT_ONCE - 1) await breathe();
      if (entry.outcome !== null || entry.step !== seen.step) continue;
      const stall = this.#explain(entry, seen, table, rows);
      const now = monotonicMs();
      remember(seen, rows, now);
      seen.next = now + seen.wait;
      seen.wait = Math.min(MOST_AGAIN_MS, seen.wait * 2);
      if (stall.cause !== seen.told) this.#tell(entry, seen, stall);
    }
  }

  /** The log has grown again after a stall was told. One that repeats itself grows all the time. */
  #retract(entry: Entry): void {
    const seen = this.#seen.get(entry);
    if (seen === undefined || seen.told === null || seen.told === 'looping' || entry.step !== seen.step)
      return;
    const bytes = this.#bytesOf(entry, seen.step);
    if (bytes === seen.bytes) return;
    seen.bytes = bytes;
    seen.grewAt = monotonicMs();
    this.#takeBack(entry, seen);
  }

  #takeBack(entry: Entry, seen: Seen): void {
    seen.told = null;
    this.#freshen(entry, seen);
    rmSync(this.#marker(entry), { force: true });
    this.#journal.append({ type: 'attempt.moved', token: entry.token });
  }

  #tell(entry: Entry, seen: Seen, stall: Stall): void {
    seen.told = stall.cause;
    replaceFile(this.#marker(entry), `${seen.step} ${stall.cause} ${seen.bytes}`);
    this.#journal.append({ type: 'attempt.stalled', token: entry.token, stall });
  }

  #noteLog(entry: Entry, seen: Seen, now: number): void {
    const bytes = this.#bytesOf(entry, seen.step);
    if (bytes === seen.bytes) return;
    seen.bytes = bytes;
    seen.grewAt = now;
    const log = this.#logOf(entry, seen.step);
    seen.repeats = repeatsIn(readEnds(log, Math.max(0, sizeOf(log) - REPEATS_BYTES), REPEATS_BYTES));
    seen.repeatsSince = seen.repeats === null ? null : (seen.repeatsSince ?? now);
    if (seen.told === null) this.#freshen(entry, seen);
    else if (seen.told !== 'looping' || seen.repeats === null) this.#takeBack(entry, seen);
  }

  #freshen(entry: Entry, seen: Seen): void {
    seen.next = 0;
    seen.wait = Math.min(MOST_BETWEEN_MS, entry.stallMs ?? MOST_BETWEEN_MS);
  }

  #explain(entry: Entry, seen: Seen, table: ProcessTable, rows: readonly Row[]): Stall {
    const dir = attemptDir(this.#root, entry.token);
    const now = monotonicMs();
    const agent = seen.step.endsWith('a') ? entry.agent : null;
    const scene = {
      table,
      rows,
      before: seen.own,
      cpu: cpuSince(seen, rows, now),
      quietMs: now - seen.grewAt,
      logBytes: seen.bytes,
      repeats:
        seen.repeatsSince !== null && now - seen.repeatsSince >= (entry.stallMs ?? 0) ? seen.repeats : null,
      log: this.#logOf(entry, seen.step),
      from: agent === null ? 0 : (readStatus(dir)?.logFrom ?? 0),
      script: `${dir}/${seen.step}.sh`,
      agent,
    };
    return stallOf(agent, evidenceOf(scene));
  }

  /** What is known of the running step; null while none runs. */
  #seenOf(entry: Entry): Seen | null {
    const { step } = entry;
    if (step === null || entry.outcome !== null) return null;
    const known = this.#seen.get(entry);
    if (known?.step === step) return known;
    const told = toldBefore(readIfThere(this.#marker(entry)), step);
    const seen: Seen = {
      step,
      // What it has printed since takes the stall back.
      bytes: told?.bytes ?? this.#bytesOf(entry, step),
      // How long an adopted one has been silent is not known: it counts from now.
      grewAt: Math.max(entry.stepSince, known?.grewAt ?? 0),
      cpuMs: 0,
      cpuAt: null,
      own: new Map(),
      repeatsSince: null,
      repeats: null,
      told: told?.cause ?? null,
      next: 0,
      wait: 0,
    };
    this.#freshen(entry, seen);
    this.#seen.set(entry, seen);
    return seen;
  }

  #rowsOf(entry: Entry, table: ProcessTable): Row[] {
    const leader = stepPid(`${attemptDir(this.#root, entry.token)}/${entry.step}`);
    return leader === null || leader <= 1 ? [] : table.under(leader);
  }

  /** A verify command of a work attempt has a log of its own. */
  #logOf(entry: Entry, step: string): string {
    const dir = attemptDir(this.#root, entry.token);
    return entry.kind === 'work' && step.endsWith('v') ? `${dir}/${step}.log` : `${dir}/agent.log`;
  }

  #bytesOf(entry: Entry, step: string): number {
    return sizeOf(this.#logOf(entry, step));
  }

  #marker({ token }: Entry): string {
    return `${attemptDir(this.#root, token)}/stalled`;
  }
}

/** What this or an earlier supervisor told of the step, and how long the log was then. */
function toldBefore(marker: string | null, step: string): { cause: StallCause; bytes: number } | null {
  const [of, cause, bytes] = (marker ?? '').split(' ');
  return of === step && bytes !== undefined ? { cause: cause as StallCause, bytes: Number(bytes) } : null;
}

function isStalled({ stallMs }: Entry, { grewAt, repeatsSince }: Seen, now: number): boolean {
  if (stallMs === null) return false;
  return now - grewAt >= stallMs || (repeatsSince !== null && now - repeatsSince >= stallMs);
}

function cpuSince({ cpuMs, cpuAt }: Seen, rows: readonly Row[], now: number): Evidence['cpu'] {
  if (cpuAt === null) return null;
  return { usedMs: Math.max(0, totalOf(rows) - cpuMs), overMs: Math.max(0, now - cpuAt) };
}

function remember(seen: Seen, rows: readonly Row[], now: number): void {
  seen.cpuMs = totalOf(rows);
  seen.cpuAt = now;
  seen.own = new Map(rows.map(({ pid, ownMs }) => [pid, ownMs]));
}

function totalOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}
