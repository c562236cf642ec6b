/** What the end of an agent's output says of where it is. */
import { jsonLines } from './json-lines.ts';
import { isRecord } from './usage.ts';

/** The last event, by its type and what it carries: `assistant/tool_use`, `item.started/command_execution`; null: there is none. */
export function lastEventOf(log: string): string | null {
  let last: string | null = null;
  for (const event of jsonLines(log)) {
    if (typeof event.type !== 'string') continue;
    const carried = carriedBy(event);
    last = (carried === null ? event.type : `${event.type}/${carried}`).slice(0, 60);
  }
  return last;
}

function carriedBy({ message, item, part, subtype }: Readonly<Record<string, unknown>>): string | null {
  const content = isRecord(message) && Array.isArray(message.content) ? message.content.at(-1) : null;
  for (const carried of [content, item, part])
    if (isRecord(carried) && typeof carried.type === 'string') return carried.type;
  return typeof subtype === 'string' ? subtype : null;
}

/** Lines at the end that are looked at, and how many of them must be the same few. */
const WINDOW = 40;
const LEAST = 24;
/** A loop of a call, its answer and a word in between. */
const MOST_DIFFERENT = 3;
const SHOWN = 120;

/** The line that makes up the end of the output together with at most two others; null: what it says goes on. */
export function repeatsIn(log: string): { readonly line: string; readonly times: number } | null {
  const lines = log
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-WINDOW);
  if (lines.length < LEAST) return null;
  const counts = new Map<string, number>();
  for (const line of lines) {
    const same = withoutIds(line);
    counts.set(same, (counts.get(same) ?? 0) + 1);
  }
  if (counts.size > MOST_DIFFERENT) return null;
  const [line = '', times = 0] = [...counts].toSorted(([, a], [, b]) => b - a)[0] ?? [];
  return { line: line.slice(0, SHOWN), times };
}

/** Events that differ in nothing but their numbers and names say the same; a program's own figures are its progress. */
function withoutIds(line: string): string {
  if (!line.startsWith('{')) return line;
  return line
    .replace(/\b[a-z]{2,10}_[A-Za-z0-9]{8,}\b/g, '#')
    .replace(/\b[0-9a-f]{4,}(?:-[0-9a-f]{4,})*\b|\d+/gi, '#');
}
