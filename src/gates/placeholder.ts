/**
 * The placeholder gate: work that only says it is done. It looks at added lines alone, so what was there before is
 * nobody's fault now, and prefers a missed remark to a false alarm: a gate that cries wolf gets switched off.
 */
import type { Finding } from '../model/attempt.ts';
import type { PlaceholderAllow } from '../model/spec.ts';
import { compileMatcher } from '../plan/match.ts';
import type { AddedLine } from './facts.ts';
import { type Language, languageOf } from './language.ts';
import { markerIn, unmask } from './markers.ts';
import { mayNotBeImplemented } from './python.ts';
import type { RunLine } from './run-line.ts';
import { showPath } from './show-path.ts';
import { type SplitLine, splitLines } from './split-line.ts';
import { emptyFunctions } from './stubs.ts';

/** At most one finding per line, in the order of the lines. */
export function placeholderFindings(
  added: readonly AddedLine[],
  allow: readonly PlaceholderAllow[],
): Finding[] {
  const allowed = allowance(allow);
  return runsOf(added)
    .flatMap(findingsOfRun)
    .filter(({ finding, text }) => !allowed(finding.path ?? '', text))
    .map(({ finding }) => finding);
}

interface Found {
  readonly finding: Finding;
  /** The line, for the allow-list. */
  readonly text: string;
}

function findingsOfRun(run: readonly AddedLine[]): Found[] {
  const path = run[0]?.path ?? '';
  const language = languageOf(path);
  if (language.kind === 'skip') return [];
  const texts = run.map((line) => unmask(line.text));
  // No person wrote a line that long; what is looked for in it costs time in proportion to its length.
  const long = (text: string): boolean => text.length > LONG_LINE;
  const splits =
    language.kind === 'code'
      ? splitLines(
          texts.map((text) => (long(text) ? '' : text)),
          language.syntax,
        )
      : texts.map(plain);
  const lines: RunLine[] = run.map(({ line }, at) => ({
    line,
    text: texts[at] ?? '',
    split: splits[at] ?? plain(),
  }));
  const empty = new Map(
    language.kind === 'code'
      ? emptyFunctions(lines, language.syntax, path).map((one) => [one.line, one.name])
      : [],
  );
  return lines.flatMap(({ line, text, split }, at): Found[] => {
    const finding = (message: string, fix: string): Found[] => [
      {
        finding: { gate: 'placeholder', path, line, message: `${showPath(path)}:${line} ${message}`, fix },
        text: run[at]?.text ?? '',
      },
    ];
    const marker = mayNotBeImplemented(lines, at)
      ? null
      : markerIn(text, split, splits[at - 1] ?? null, long(text) ? UNKNOWN : language);
    if (marker !== null) return finding(`says that something is not done: ${showText(marker)}`, FINISH);
    const name = empty.get(line);
    return name === undefined ? [] : finding(`has a function without a body: ${showText(name)}`, FILL);
  });
}

const LONG_LINE = 2000;
const UNKNOWN: Language = { kind: 'unknown' };
const FINISH = 'Do what the remark leaves open, then remove it. Do not only reword it.';
const FILL = 'Write the body. If it is empty on purpose, say why in a comment inside it.';

function plain(): SplitLine {
  return { code: '', comment: '', strings: [] };
}

function allowance(allow: readonly PlaceholderAllow[]): (path: string, text: string) => boolean {
  const entries = allow
    .filter((entry) => entry.text !== '')
    .map((entry) => ({ text: entry.text, matches: compileMatcher([entry.path]) }));
  return (path, text) => entries.some((entry) => text.includes(entry.text) && entry.matches(path));
}

/** Consecutive lines of one file. */
function runsOf(added: readonly AddedLine[]): AddedLine[][] {
  const runs: AddedLine[][] = [];
  let last: AddedLine | undefined;
  for (const line of added) {
    if (last !== undefined && last.path === line.path && last.line + 1 === line.line) runs.at(-1)?.push(line);
    else runs.push([line]);
    last = line;
  }
  return runs;
}

function showText(text: string): string {
  return JSON.stringify(text.trim().slice(0, 80));
}
