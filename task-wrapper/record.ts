/**
 * What is written down about an attempt, so that any supervisor can take it over at any moment:
 *
 *   attempt.json  the order as it came, and under `node` when, on which boot and by which program it was claimed
 *   status.json   where it is; replaced before each effect. Absent: an order so plain (no tree, no verify) that its one
 *                 step's own files say everything
 *   cancel        a cancel was ordered; its content is the reason
 *   result.json   how it ended. Written at once where there is work to fetch, else when the journal drops the end
 */
import { existsSync, writeFileSync } from 'node:fs';
import type { Outcome, ProviderRefusal, Usage } from '../src/model/attempt.ts';
import type { CageLimit } from '../src/model/cage.ts';
import type { CommitId } from '../src/model/ids.ts';
import type { AttemptOrder } from '../src/protocol/order.ts';
import { readIfThere, replaceFile, replaceFileDurably } from './durable.ts';

export interface Claim {
  readonly bootId: string;
  /** Monotonic milliseconds of that boot. */
  readonly since: number;
  /** Hash and place of the program that claimed it and finishes it. */
  readonly program: string;
  readonly wrapper: string;
  /** Its launch.sh: every step of the attempt is started by the same one. */
  readonly launch: string;
  /** The journal's last number when it was claimed: its entries come after. */
  readonly seq: number;
}

export type Recorded = AttemptOrder & { readonly node: Claim };

export type Phase = 'prepare' | 'agent' | 'gates' | 'verify';

export interface Status {
  readonly phase: Phase;
  /** From 1. */
  readonly round: number;
  /** Bytes of the log before this round. */
  readonly logFrom: number;
  /** When the phase began, monotonic milliseconds of the boot. */
  readonly since: number;
  /** The session that the agent reported in its first round; null: it reported none. */
  readonly sessionId: string | null;
  /** Of the rounds so far; null when any of them is unknown. */
  readonly usage: Usage | null;
  /** Commit of the last snapshot that changed something. */
  readonly head: CommitId | null;
  /** Exit code of the round's agent step; null when the supervisor ended it. */
  readonly exitCode: number | null;
  /** Span after which the round's agent was ended because its turn did not end by itself, milliseconds; null: it was not. */
  readonly cutAfterMs?: number | null;
  /** The provider refused the agent in this round; no further round is asked for. */
  readonly apiError: string | null;
  /** What that says of the key; missing or null: nothing. */
  readonly refusal?: ProviderRefusal | null;
  /** The bound of its cage that the round's agent met; missing or null: none. */
  readonly limit?: CageLimit | null;
}

export interface Result {
  readonly outcome: Outcome;
  /** The journal's last number when this was written: the end's entry comes after. */
  readonly after: number;
  /** The entry was in the journal, which has dropped it since. */
  readonly journaled: boolean;
}

export const FIRST: Status = {
  phase: 'prepare',
  round: 1,
  logFrom: 0,
  since: 0,
  sessionId: null,
  usage: null,
  head: null,
  exitCode: null,
  apiError: null,
};

/** True for an order whose single step's files are its whole state. */
export function isPlain(order: AttemptOrder): boolean {
  return order.work.kind === 'work' && order.work.tree === null && order.work.verify === null;
}

export function writeOrder(dir: string, recorded: Recorded): void {
  writeFileSync(`${dir}/attempt.json`, JSON.stringify(recorded), { mode: 0o600 });
}

/** The order, or null when it is missing or torn: a claim that was never answered. */
export function readOrder(dir: string): Recorded | null {
  const recorded = readJson<Recorded>(`${dir}/attempt.json`);
  return recorded?.node === undefined ? null : recorded;
}

export function writeStatus(dir: string, status: Status): void {
  replaceFile(`${dir}/status.json`, JSON.stringify(status));
}

export function readStatus(dir: string): Status | null {
  return readJson<Status>(`${dir}/status.json`);
}

export function writeResult(dir: string, result: Result, durable: boolean): void {
  (durable ? replaceFileDurably : replaceFile)(`${dir}/result.json`, JSON.stringify(result));
}

export function readResult(dir: string): Result | null {
  return readJson<Result>(`${dir}/result.json`);
}

export function writeCancel(dir: string, reason: string): void {
  if (!existsSync(`${dir}/cancel`)) replaceFile(`${dir}/cancel`, reason);
}

export function readCancel(dir: string): string | null {
  return readIfThere(`${dir}/cancel`);
}

/** The controller holds the result: the files may go when it says that the attempt is forgotten. */
export function markCollected(dir: string): void {
  writeFileSync(`${dir}/collected`, '');
}

export function isCollected(dir: string): boolean {
  return existsSync(`${dir}/collected`);
}

function readJson<T>(path: string): T | null {
  const text = readIfThere(path);
  if (text === null) return null;
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}
