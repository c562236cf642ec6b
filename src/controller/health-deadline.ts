import { formatDuration } from '../model/time.ts';

/** What the look gives, or an error when it does not end in time; it is told to stop, and not waited for. */
export async function checkNothingHangs(
  look: (signal: AbortSignal) => Promise<string> | string,
  deadlineMs: number,
): Promise<string> {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => {
      stop.abort();
      fail(new Error(`no answer within ${formatDuration(deadlineMs)}`));
    }, deadlineMs);
  });
  try {
    const looking = Promise.resolve().then(() => look(stop.signal));
    // Nobody waits for one that comes late.
    looking.catch(() => undefined);
    return await Promise.race([looking, late]);
  } finally {
    clearTimeout(timer);
  }
}
