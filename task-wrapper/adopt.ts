/**
 * Takes over what an earlier supervisor left: compares the attempts' files with what the journal says, and makes both
 * agree. Each end is in the journal exactly once:
 *
 * - an end in the journal stands, whatever the files say;
 * - a result file whose end the journal would still hold, but does not, was written just before a crash: its end is journaled now;
 * - an attempt of another boot whose step left no record is lost, and so is one that the journal knows and the disk does not.
 */
import { readdirSync, rmSync } from 'node:fs';
import { isToken, type Token } from '../src/model/ids.ts';
import type { Outcome } from '../src/model/attempt.ts';
import type { Attempts } from './attempts.ts';
import { readBootId } from './host.ts';
import type { Journal } from './journal.ts';
import {
  isPlain,
  readCancel,
  readOrder,
  readResult,
  readStatus,
  type Recorded,
  writeResult,
} from './record.ts';
import { attemptDir, type Root } from './root.ts';
import { hasBegun, stepEnd } from './step.ts';
import { existsSync } from 'node:fs';

export function adopt(root: Root, journal: Journal, attempts: Attempts): void {
  const known = readJournal(journal);
  const lost = (token: Token, why: 'rebooted' | 'killed' | 'wiped'): Outcome => {
    const outcome: Outcome = { kind: 'lost', why };
    journal.append({ type: 'attempt.ended', token, outcome });
    return outcome;
  };

  const here = new Set<Token>();
  for (const token of readdirSync(root.attempts)) {
    if (!isToken(token)) continue;
    const dir = attemptDir(root, token);
    const order = readOrder(dir);
    if (order === null) {
      // A claim that was cut short. Nobody was told of it, unless the disk lost what the journal kept.
      rmSync(dir, { recursive: true, force: true });
      continue;
    }
    here.add(token);
    const outcome = known.ended.get(token) ?? unjournaled(dir, journal, token) ?? null;
    if (outcome !== null) {
      attempts.add(order, outcome);
      continue;
    }
    if (!known.running.has(token) && order.node.seq + 1 >= journal.first)
      journal.append({ type: 'attempt.running', token });
    if (order.node.bootId !== readBootId() && cutByReboot(dir, order)) {
      const end = lost(token, 'rebooted');
      if (!isPlain(order)) writeResult(dir, { outcome: end, after: journal.last, journaled: true }, false);
      attempts.add(order, end);
      continue;
    }
    attempts.add(order, null);
    const cancel = readCancel(dir);
    if (cancel !== null) attempts.cancel(token, cancel);
  }
  for (const token of known.running) {
    if (
      !here.has(token) &&
      !known.ended.has(token) &&
      !existsSync(`${root.done}/${token}`) &&
      !existsSync(`${root.trash}/${token}`)
    )
      lost(token, 'wiped');
  }
}

interface Known {
  readonly running: ReadonlySet<Token>;
  readonly ended: ReadonlyMap<Token, Outcome>;
}

function readJournal(journal: Journal): Known {
  const running = new Set<Token>();
  const ended = new Map<Token, Outcome>();
  for (const entry of journal.held) {
    if (entry.type === 'attempt.running') running.add(entry.token);
    else if (entry.type === 'attempt.ended') ended.set(entry.token, entry.outcome);
  }
  return { running, ended };
}

/** The end that a result file knows. When the journal still reaches back to where it would stand, it is journaled now. */
function unjournaled(dir: string, journal: Journal, token: Token): Outcome | null {
  const result = readResult(dir);
  if (result === null) return null;
  if (!result.journaled && result.after + 1 >= journal.first)
    journal.append({ type: 'attempt.ended', token, outcome: result.outcome });
  return result.outcome;
}

/** A step that had begun and left no record died with the machine. */
function cutByReboot(dir: string, order: Recorded): boolean {
  const status = readStatus(dir);
  const kind = status?.phase === 'verify' || order.work.kind === 'gate' ? 'v' : 'a';
  const step = `${dir}/${status?.round ?? 1}${kind}`;
  return hasBegun(step) && stepEnd(step) === null;
}
