/**
 * Bytes of an attempt's log, as an iterable. A reader that is slower than the log must not stop the node's one stream
 * (a person holds a terminal with Ctrl-S), and must not fill memory: when it falls behind, the request is stopped and
 * asked again later from where the reader is.
 */
import type { Token } from '../model/ids.ts';
import type { Session } from './session.ts';

/** Bytes that wait for a slow reader. */
const BUFFERED = 1 << 20;

/** `ended`: the log is over. `behind`: ask again from where the reader is. */
export type LogEnd = 'ended' | 'behind';

/** One request for a log. Yields what comes; its return value says why it is over. @throws what the session throws. */
export async function* readLog(
  session: Session,
  token: Token,
  from: number,
  follow: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, LogEnd> {
  const queue: Buffer[] = [];
  let queued = 0;
  let behind = false;
  let over: { readonly error: unknown } | null = null;
  let wake = (): void => {};
  const pending = session.begin(
    { op: 'log', token, from, follow },
    {
      timeoutMs: follow ? null : undefined,
      onChunk: (bytes) => {
        if (bytes === null || behind) return;
        if (queued + bytes.length > BUFFERED) {
          behind = true;
          stop();
        } else {
          queue.push(bytes);
          queued += bytes.length;
        }
        wake();
      },
    },
  );
  const stop = (): void => void session.call({ op: 'stop', request: pending.id }).catch(() => {});
  const settle = (error: unknown): void => {
    over = { error };
    wake();
  };
  pending.reply.then(
    () => settle(null),
    (error: unknown) => settle(error),
  );
  const aborted = (): void => wake();
  signal?.addEventListener('abort', aborted, { once: true });
  try {
    for (;;) {
      const bytes = queue.shift();
      if (bytes !== undefined) {
        queued -= bytes.length;
        yield bytes;
      } else if (signal?.aborted === true) return 'ended';
      else if (behind) return 'behind';
      else if (over !== null) return endOf(over);
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    signal?.removeEventListener('abort', aborted);
    if (over === null && session.over === null) stop();
  }
}

function endOf(over: { readonly error: unknown }): LogEnd {
  if (over.error !== null) throw over.error;
  return 'ended';
}
