/**
 * Hears a provider's refusal while the agent still tries: a key that is refused 429 is then spared by all nodes at once,
 * not only when the attempt has ended. Reads what is new in the stream every few seconds, and says each kind at most once a
 * minute.
 */
import { isRead, readOutcome } from '../src/executors/outcome.ts';
import { withoutSecrets } from '../src/gates/secrets.ts';
import type { RefusalKind } from '../src/model/attempt.ts';
import type { Entry } from './attempts.ts';
import { readEnds, sizeOf } from './ends.ts';
import { monotonicMs } from './host.ts';
import type { Journal } from './journal.ts';
import { readStatus } from './record.ts';

/** Between two looks at one stream. */
const LOOK_MS = 2000;
/** Between two words on the same kind. */
const AGAIN_MS = 60_000;
/** Most bytes that are read of what is new; a refusal that more has followed is no longer the last word. */
const MOST_BYTES = 64 * 1024;
const MESSAGE_LENGTH = 300;
/** Without one of these a stream need not be read. Cheap; what it lets through is read properly. */
const HINT = /error|limit|refus|overload|retry|quota|unauthori|\/login|\b(?:401|402|403|429|503|529)\b/i;

interface Heard {
  readonly step: string;
  at: number;
  bytes: number;
  readonly said: Map<RefusalKind, number>;
}

export class RefusalWatch {
  readonly #journal: Journal;
  readonly #heard = new WeakMap<Entry, Heard>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** @param dir of the attempt. */
  listen(entry: Entry, dir: string): void {
    const { step, agent } = entry;
    if (entry.stallMs === null || step?.endsWith('a') !== true || agent === null || !isRead(agent)) return;
    const now = monotonicMs();
    let heard = this.#heard.get(entry);
    if (heard?.step !== step) {
      heard = { step, at: 0, bytes: readStatus(dir)?.logFrom ?? 0, said: heard?.said ?? new Map() };
      this.#heard.set(entry, heard);
    }
    if (now - heard.at < LOOK_MS) return;
    heard.at = now;
    const log = `${dir}/agent.log`;
    const size = sizeOf(log);
    // It was cut to its cap.
    if (size < heard.bytes) heard.bytes = size;
    if (size === heard.bytes) return;
    const from = Math.max(heard.bytes, size - MOST_BYTES);
    const text = readEnds(log, from, size - from);
    // What ends in the middle of a line is read again with its end.
    const end = text.lastIndexOf('\n') + 1;
    const whole = text.slice(0, end);
    heard.bytes = size - Buffer.byteLength(text.slice(end));
    if (!HINT.test(whole)) return;
    const error = readOutcome(agent, whole).apiError;
    if (error?.kind == null || now - (heard.said.get(error.kind) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS)
      return;
    heard.said.set(error.kind, now);
    const refusal = { kind: error.kind, retryAfterMs: error.retryAfterMs };
    const message = withoutSecrets(error.message).slice(0, MESSAGE_LENGTH);
    this.#journal.append({ type: 'provider.refused', token: entry.token, refusal, message });
  }
}
