/** What an attempt has used up to now, as far as its agent told, and whether that is too much. */
import { LiveUsage } from '../src/executors/live-usage.ts';
import { isRead, totalUsage } from '../src/executors/outcome.ts';
import type { Usage } from '../src/model/attempt.ts';
import type { ExecutorDef } from '../src/model/executor.ts';
import { tokensIn } from '../src/model/usage.ts';
import type { WorkOrder } from '../src/protocol/order.ts';
import { usageFile } from './agent-words.ts';
import { readEnds } from './ends.ts';
import type { Status } from './record.ts';

/** Bytes of a round's log that are read. */
const EVENTS_BYTES = 8 * 1024 * 1024;

/** With a round that did not come to its end. */
export function usedSoFar(
  dir: string,
  work: Pick<WorkOrder, 'cage' | 'executor'>,
  status: Pick<Status, 'usage' | 'round' | 'logFrom'>,
): Usage | null {
  const { executor } = work;
  if (!isRead(executor)) return soFar(executor, status, usageFile(dir, work));
  const live = new LiveUsage(executor);
  live.read(readEnds(`${dir}/agent.log`, status.logFrom, EVENTS_BYTES));
  return soFar(executor, status, live.usage);
}

/** Of all rounds: what was known before this one, and what this one says. A lower bound where a round told nothing. */
export function soFar(
  executor: Pick<ExecutorDef, 'kind' | 'call'>,
  status: Pick<Status, 'usage' | 'round'> | null,
  usage: Usage | null,
): Usage | null {
  const before = status?.usage ?? null;
  if (usage === null || before === null) return usage ?? before;
  return (
    totalUsage(executor, { before, said: { usage }, first: status?.round === 1, resumed: true }) ?? usage
  );
}

export function isOver(limitTokens: number | null | undefined, usage: Usage | null): boolean {
  const tokens = usage === null ? null : tokensIn(usage);
  return limitTokens != null && tokens !== null && tokens > limitTokens;
}
