/** What agents print, one JSON object a line, between anything else that lands in the same log. */
import { isRecord } from './usage.ts';

export type JsonEvent = Readonly<Record<string, unknown>>;

/** The objects in the log, in order. Lines that are none (stderr, garbage, a cut first or last line) are skipped. */
export function* jsonLines(log: string): Generator<JsonEvent> {
  for (const line of log.split('\n')) {
    // Most garbage is told apart without parsing it.
    const start = line.trimStart();
    if (!start.startsWith('{')) continue;
    let value: unknown;
    try {
      value = JSON.parse(start);
    } catch {
      continue;
    }
    if (isRecord(value)) yield value;
  }
}

/** The value at a dotted path (`usage.input_tokens`); undefined where there is none. */
export function valueAt(event: JsonEvent, path: string): unknown {
  let value: unknown = event;
  for (const name of path.split('.')) {
    if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}
