/**
 * What becomes of an attempt's files. Forgotten means that the controller needs nothing of it any more: its trees go to
 * the pool and the rest, which is its log, stays for a time. But work that nobody has fetched is never deleted by an
 * order: it moves to the trash as it is and stays there for a time, whoever forgot it.
 */
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import type { Outcome } from '../src/model/attempt.ts';
import type { Entry } from './attempts.ts';
import { isCollected, readOrder } from './record.ts';
import { removeTree } from './remove.ts';
import { attemptDir, type Root } from './root.ts';
import { releaseTrees } from './trees.ts';

/** How long logs of forgotten attempts and unfetched work are kept, milliseconds. */
const KEEP_MS = 7 * 24 * 3_600_000;
/** Most forgotten attempts whose logs are kept. */
const KEEP_LOGS = 5000;

/** @param entry an attempt that has ended. */
export async function retire(root: Root, entry: Entry): Promise<void> {
  const dir = attemptDir(root, entry.token);
  // Copies of logins may lie there, and it is nobody's work.
  for (const part of ['home', 'tmp']) if (existsSync(`${dir}/${part}`)) await removeTree(`${dir}/${part}`);
  if (!entry.plain) {
    if (entry.kind === 'work' && holdsWork(entry.outcome, dir) && !isCollected(dir)) {
      renameSync(dir, `${root.trash}/${entry.token}`);
      return;
    }
    await releaseTrees(root, entry.project, dir);
    for (const part of ['git', 'tree', 'check', 'gate-home', 'gate-tmp']) await removeTree(`${dir}/${part}`);
  }
  renameSync(dir, `${root.done}/${entry.token}`);
}

/**
 * Removes what has been kept long enough, oldest first; returns how many that were.
 * @param keepLogsMs for logs of forgotten attempts; unfetched work always has its full time.
 */
export async function sweep(root: Root, keepLogsMs: number = KEEP_MS): Promise<number> {
  let removed = 0;
  for (const [dir, most, keepMs] of [
    [root.done, KEEP_LOGS, keepLogsMs],
    [root.trash, Number.POSITIVE_INFINITY, KEEP_MS],
  ] as const) {
    const kept = readdirSync(dir)
      .map((name) => ({ path: `${dir}/${name}`, at: changedAt(`${dir}/${name}`) }))
      .sort((a, b) => b.at - a.at);
    for (const [index, { path, at }] of kept.entries()) {
      if (index < most && Date.now() - at <= keepMs) continue;
      await removeTree(path);
      removed += 1;
    }
  }
  return removed;
}

/** Programs that attempts which are not forgotten were claimed by. */
export function programsNeeded(root: Root): Set<string> {
  const orders = readdirSync(root.attempts).map((token) => readOrder(`${root.attempts}/${token}`));
  return new Set(orders.flatMap((order) => (order === null ? [] : [order.node.wrapper, order.node.launch])));
}

/** True when an agent may have made something that is nowhere else. */
function holdsWork(outcome: Outcome | null, dir: string): boolean {
  switch (outcome?.kind) {
    case 'done':
    case 'refused':
    case 'timeout':
    case 'overspent':
      return outcome.head !== null;
    case 'cancelled':
    case 'lost':
      return true;
    case 'failed':
      if (outcome.head !== undefined) return true;
      // What broke on the node may have broken at any time: then it counts whether an agent had been at work.
      if (outcome.cause === 'prepare') return existsSync(`${dir}/1a.run`);
      return outcome.cause === 'executor' || outcome.cause === 'gate';
    default:
      return false;
  }
}

/** ctime: a rename sets it, so it tells when the attempt was forgotten. */
function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0;
}
