/**
 * The node's journal: append-only JSON lines, one growing number, written by the supervisor alone. Nothing is told to a
 * controller before it is on disk. Entries that arrive while the disk is busy share the next fdatasync, so the cost per
 * entry falls as the load grows.
 *
 * On disk it is a row of segments named by their first number. After a crash the last line may be torn: reading stops
 * at the first line that is not the next number, and the file is cut there. Segments whose entries are all durable at
 * the controller are removed, the newest never, so numbers go on growing.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import type { JournalEntry, JournalFact } from '../src/protocol/messages.ts';
import { readIfThere, replaceFileDurably, syncDirectory } from './durable.ts';

const write = promisify(fs.write);
const datasync = promisify(fs.fdatasync);

const SEGMENT_BYTES = 1024 * 1024;
/** Between two tries when the disk is full. */
const RETRY_MS = 1000;

export class Journal {
  readonly id: string;
  readonly #dir: string;
  readonly #segments: number[];
  readonly #listeners = new Set<() => void>();
  /** Entries on disk that no controller has acknowledged, oldest first. */
  #entries: JournalEntry[];
  /** Given numbers, not on disk yet. */
  #pending: JournalEntry[] = [];
  #fd: number;
  #size: number;
  #seq: number;
  #flushing: Promise<void> | null = null;
  #closed = false;

  constructor(dir: string) {
    this.#dir = dir;
    this.id = journalId(dir);
    this.#segments = segmentsOf(dir);
    this.#entries = this.#segments.flatMap((first) => readSegment(segmentPath(dir, first), first));
    this.#seq = this.#entries.at(-1)?.seq ?? (this.#segments.at(-1) ?? 1) - 1;
    if (this.#segments.length === 0) this.#segments.push(1);
    const active = segmentPath(dir, this.#segments.at(-1) ?? 1);
    this.#fd = fs.openSync(active, 'a', 0o600);
    this.#size = fs.fstatSync(this.#fd).size;
  }

  /** Highest number on disk. */
  get seq(): number {
    return this.#seq - this.#pending.length - this.#inFlight;
  }

  /** Highest number given, on disk or not. */
  get last(): number {
    return this.#seq;
  }

  /** Lowest number that the segments still hold; everything from here on is known. */
  get first(): number {
    return this.#segments[0] ?? 1;
  }

  /** Lowest number that no controller has acknowledged; one more than the highest when there is none. */
  get unacknowledged(): number {
    return this.#entries[0]?.seq ?? this.seq + 1;
  }

  /** Entries on disk with a number above `seq` that have not been acknowledged, at most `limit`. */
  after(seq: number, limit: number): readonly JournalEntry[] {
    const first = this.#entries[0]?.seq ?? 0;
    const from = Math.max(0, seq + 1 - first);
    return this.#entries.slice(from, from + limit);
  }

  /** All entries that are held, for rebuilding. */
  get held(): readonly JournalEntry[] {
    return this.#entries;
  }

  append(fact: JournalFact): void {
    this.#seq += 1;
    this.#pending.push({ seq: this.#seq, at: Date.now(), ...fact });
    this.#flushing ??= this.#flush();
  }

  /** Resolves when everything appended so far is on disk. */
  async settled(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing;
  }

  /** Called after entries became durable. */
  onDurable(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Forgets entries up to `seq`. `keep` is given the entries of each segment before the segment is removed, to save
   * what only the journal knows.
   */
  acknowledge(seq: number, keep: (entries: readonly JournalEntry[]) => void): void {
    const upTo = Math.min(seq, this.seq);
    const first = this.#entries[0]?.seq ?? upTo + 1;
    if (upTo >= first) this.#entries.splice(0, upTo - first + 1);
    while (this.#segments.length > 1 && (this.#segments[1] ?? 0) <= upTo + 1) {
      const path = segmentPath(this.#dir, this.#segments[0] ?? 0);
      keep(readSegment(path, this.#segments[0] ?? 0));
      fs.unlinkSync(path);
      this.#segments.shift();
    }
  }

  async close(): Promise<void> {
    await this.settled();
    this.#closed = true;
    fs.closeSync(this.#fd);
  }

  #inFlight = 0;

  async #flush(): Promise<void> {
    // One turn of the loop gathers what belongs to the same burst.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#pending.length > 0 && !this.#closed) {
      const group = this.#pending;
      this.#pending = [];
      this.#inFlight = group.length;
      await this.#writeGroup(Buffer.from(group.map((entry) => `${JSON.stringify(entry)}\n`).join('')));
      this.#inFlight = 0;
      for (const entry of group) this.#entries.push(entry);
      if (this.#size > SEGMENT_BYTES) this.#rotate();
      for (const listener of this.#listeners) listener();
    }
    this.#flushing = null;
  }

  /** A full disk is waited out: nothing was told to anybody, so nothing is lost. */
  async #writeGroup(bytes: Buffer): Promise<void> {
    for (;;) {
      try {
        for (let at = 0; at < bytes.length; ) at += (await write(this.#fd, bytes, at)).bytesWritten;
        await datasync(this.#fd);
        this.#size += bytes.length;
        return;
      } catch (error) {
        process.stderr.write(`journal: ${String(error)}\n`);
        fs.ftruncateSync(this.#fd, this.#size);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #rotate(): void {
    const first = (this.#entries.at(-1)?.seq ?? 0) + 1;
    const fd = fs.openSync(segmentPath(this.#dir, first), 'a', 0o600);
    syncDirectory(this.#dir);
    fs.closeSync(this.#fd);
    this.#fd = fd;
    this.#size = 0;
    this.#segments.push(first);
  }
}

function journalId(dir: string): string {
  const path = `${dir}/id`;
  const known = readIfThere(path)?.trim();
  if (known) return known;
  const id = randomBytes(16).toString('hex');
  replaceFileDurably(path, `${id}\n`);
  return id;
}

function segmentPath(dir: string, first: number): string {
  return `${dir}/${String(first).padStart(15, '0')}.jsonl`;
}

function segmentsOf(dir: string): number[] {
  return fs
    .readdirSync(dir)
    .filter((name) => /^\d{15}\.jsonl$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
}

/** The entries up to the first line that is not whole; the file is cut behind them. */
function readSegment(path: string, first: number): JournalEntry[] {
  const bytes = fs.readFileSync(path);
  const entries: JournalEntry[] = [];
  let good = 0;
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, good)) {
    const entry = parseEntry(bytes.toString('utf8', good, end));
    if (entry?.seq !== first + entries.length) break;
    entries.push(entry);
    good = end + 1;
  }
  if (good < bytes.length) fs.truncateSync(path, good);
  return entries;
}

function parseEntry(line: string): JournalEntry | null {
  try {
    return JSON.parse(line) as JournalEntry;
  } catch {
    return null;
  }
}
