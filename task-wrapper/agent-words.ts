/** What an agent has left behind besides its work: its last words, as far as they say why it ended, and its usage file. */
import { readUsageFile } from '../src/executors/usage.ts';
import { stripControls } from '../src/gates/shorten.ts';
import type { Usage } from '../src/model/attempt.ts';
import { cageLevel } from '../src/model/cage.ts';
import { formatDuration } from '../src/model/time.ts';
import type { WorkOrder } from '../src/protocol/order.ts';
import { limitText } from './cage-end.ts';
import { usagePlace } from './cage.ts';
import { readOwnFile } from './durable.ts';
import { readEnds, sizeOf } from './ends.ts';
import type { Status } from './record.ts';

/** Bytes of its log that are looked at. */
const WORDS_BYTES = 2000;

/** Why the round's agent ended as it did, for a person. */
export function whyEnded(of: { readonly dir: string; readonly work: WorkOrder }, status: Status): string {
  if (status.apiError !== null) return status.apiError;
  const { limit = null } = status;
  const bound = limit === null ? '' : `${limitText(limit, of.work)}; `;
  return `${bound}${howItEnded(of.dir, status)}`;
}

function howItEnded(dir: string, { logFrom, exitCode, cutAfterMs = null }: Status): string {
  if (cutAfterMs !== null)
    return `the agent's turn did not end within ${formatDuration(cutAfterMs)}, so it was ended`;
  const log = `${dir}/agent.log`;
  const last = readEnds(log, Math.max(logFrom, sizeOf(log) - WORDS_BYTES), WORDS_BYTES);
  const lines = stripControls(last).trim();
  const how = exitCode === null ? 'was ended' : `ended with exit code ${exitCode}`;
  return lines === ''
    ? `the executor ${how}`
    : `the executor ${how}; it printed last: ${lines.split('\n').slice(-5).join(' / ')}`;
}

/** Written by the agent: whatever else lies in its place is not read. */
export function usageFile(dir: string, { cage, executor }: WorkOrder): Usage | null {
  const text = readOwnFile(usagePlace(dir, cageLevel(cage, executor)).read);
  return text === null ? null : readUsageFile(text);
}
