/**
 * Makes the output of a program fit for an agent or a person: no control sequences, the first and the last lines, and
 * from what is left out the lines that name a failing test.
 */

/** Longest single line kept; one minified line must not push out everything else. */
const LINE_BYTES = 2000;
/** Share of the space for the end of the text, where most programs put their summary. */
const TAIL_SHARE = 0.5;
/** Share of the space for failing tests' names out of the middle. */
const NAMES_SHARE = 0.25;

/** A line that names a failed test or an error, in the formats of the common test runners and compilers. */
const FAILING =
  /^\s*(?:FAIL(?:ED)?\b|FAILURES?\b|ERROR\b|not ok\b|--- FAIL\b|✗|✘|✕|×|❯.*\bfailed\b|●\s|\d+\)\s|E\s{2,}\S|(?:Assertion|Type|Reference|Syntax|Name|Key|Value|Import)Error\b|error(?:\[\w+\])?:|test .+ \.\.\. FAILED|thread '.*' panicked|.+:\d+(?::\d+)?:? (?:fatal )?error\b|.+\(\d+,\d+\): error\b|.+ (?:FAILED|ERROR)\s*(?:\[\s*\d+%\])?$)/;

/**
 * At most `maxBytes` bytes of UTF-8. Returns the text itself, cleaned, when it fits; else its first lines, a line that
 * says how much is left out with the failing lines of that part, and its last lines. Never cuts inside a character.
 */
export function shorten(text: string, maxBytes: number): string {
  const clean = stripControls(text);
  if (bytes(clean) <= maxBytes) return clean;
  const lines = clean.split('\n').map((line) => cut(line, LINE_BYTES));
  const room = maxBytes - bytes(omission(lines.length, 0)) - 2;
  if (room <= 0) return cut(clean, maxBytes, '');

  const tail = takeLines(lines.toReversed(), room * TAIL_SHARE).reverse();
  const middleAndHead = lines.slice(0, lines.length - tail.length);
  const head = takeLines(middleAndHead, room * (1 - TAIL_SHARE - NAMES_SHARE));
  const middle = middleAndHead.slice(head.length);
  if (middle.length === 0) return lines.join('\n');
  const names = takeLines([...new Set(middle.filter((line) => FAILING.test(line)))], room * NAMES_SHARE);
  return [...head, omission(middle.length - names.length, names.length), ...names, ...tail].join('\n');
}

/**
 * Without terminal control: escape sequences (CSI, OSC, DCS and the short ones), backspaces, carriage returns that draw
 * over a line (what was drawn last stays), and every other control character but tab and newline. Characters that
 * change the direction of text go as well: they make a line read differently from what it says.
 */
export function stripControls(text: string): string {
  return text
    .replace(ESCAPES, '')
    .replace(/\r+\n/g, '\n')
    .split('\n')
    .map((line) => (line.includes('\r') ? lastDrawn(line) : line))
    .join('\n')
    .replace(CONTROLS, '')
    .replace(/\p{Surrogate}/gu, '\ufffd');
}

const ESCAPES =
  // oxlint-disable-next-line no-control-regex
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c|$)|\u001b[ -/]*[0-~]?/g;
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function lastDrawn(line: string): string {
  return line.split('\r').findLast((part) => part !== '') ?? '';
}

function takeLines(lines: readonly string[], room: number): string[] {
  let used = 0;
  const taken: string[] = [];
  for (const line of lines) {
    used += bytes(line) + 1;
    if (used > room) break;
    taken.push(line);
  }
  return taken;
}

function omission(lines: number, names: number): string {
  return names === 0
    ? `[... ${lines} lines left out ...]`
    : `[... ${lines} lines left out; of them these name failures: ...]`;
}

function cut(text: string, maxBytes: number, mark = ' [...]'): string {
  if (text.length * 3 <= maxBytes || bytes(text) <= maxBytes) return text;
  const room = maxBytes - bytes(mark);
  const whole = new TextEncoder().encode(text).subarray(0, Math.max(0, room));
  // A decoder that is told of more to come holds back an unfinished character instead of replacing it.
  return new TextDecoder().decode(whole, { stream: true }) + (room >= 0 ? mark : '');
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
