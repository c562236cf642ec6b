/** One task of the review queue as a person reads it: everything on one page, the reasons first. */
import { placeOf } from '../../model/second-look.ts';
import { formatDuration } from '../../model/time.ts';
import { effectOf } from '../../review/queue.ts';
import { wordLines } from '../agent-word.ts';
import type { Paint } from '../render/colour.ts';
import { safeLine, safeText } from '../render/safe-text.ts';
import { cut } from '../render/table.ts';
import { wrap } from '../render/wrap.ts';
import type { Dossier, FileSummary, Who } from './dossier.ts';

export interface ScreenSize {
  readonly columns: number;
  /** Lines that the page may have; null: all. What is shortened says so. */
  readonly rows: number | null;
}

const FILES_SHOWN = 12;
const FINDINGS_SHOWN = 10;
const SPEC_SHOWN = 40;
const WORD_SHOWN = 14;

/** Lines for a terminal; nothing in them obeys an agent. */
export function dossierLines(dossier: Dossier, now: number, size: ScreenSize, paint: Paint): string[] {
  const { task, title, priority, why, since, acceptance, gates, diff, findings, who, word, at } = dossier;
  const head = `P${priority} ${task}  ${safeLine(title)}`;
  const fixed = [
    paint.bold(cut(head, size.columns)),
    `waits since ${formatDuration(now - since)}; ${where(dossier)}`,
    ...section(
      'Why you are asked',
      why.map(({ text }) => text),
    ),
    ...section(
      'Acceptance',
      acceptance.map((text) => `☐ ${text}`),
    ),
    ...section('Word of the agent', word === null ? [] : shortened(wordLines(word), WORD_SHOWN)),
    ...section('Diff', diff === null ? ['the work is not in the hub any more'] : diffLines(diff)),
    ...section('Gates', gates),
    ...section(
      'Found by a second model',
      findings
        .slice(0, FINDINGS_SHOWN)
        .map(
          (found) =>
            `${placeOf(found)} ${found.severity} ${Math.round(found.confidence * 100)} %: ${found.message}`,
        ),
    ),
    ...section('Who', [whoLine(who)]),
    ...section('Then', [`approve: ${effectOf(at, true)}`, `reject: ${effectOf(at, false)}`]),
  ];
  const lines = fixed.flatMap((line) => folded(line, size.columns));
  const room = size.rows === null ? SPEC_SHOWN : Math.max(3, size.rows - lines.length - 2);
  const spec = safeText(dossier.spec)
    .split('\n')
    .flatMap((line) => folded(`  ${line}`, size.columns));
  const more = spec.length > room ? [`  … ${spec.length - room} more lines in the spec`] : [];
  const page = [...lines.slice(0, 2), 'Spec', ...spec.slice(0, room), ...more, ...lines.slice(2)];
  return page.map((line) => (HEADS.has(line) ? paint.cyan(line) : line));

  function section(name: string, texts: readonly string[]): string[] {
    return texts.length === 0 ? [] : [name, ...texts.map((text) => `  ${safeLine(text)}`)];
  }
}

const HEADS = new Set([
  'Spec',
  'Why you are asked',
  'Acceptance',
  'Word of the agent',
  'Diff',
  'Gates',
  'Found by a second model',
  'Who',
  'Then',
]);

function shortened(lines: readonly string[], most: number): string[] {
  const more = lines.length - most;
  return more > 0 ? [...lines.slice(0, most), `… ${more} more lines`] : [...lines];
}

function where({ at, commit, project }: Dossier): string {
  const short = commit === null ? 'its work' : commit.slice(0, 12);
  if (at === 'merged') return `${short} has merged into integration of ${project}`;
  return at === 'branch'
    ? `${short} has passed its gates and has not merged`
    : `${short} came back from the merge queue`;
}

function diffLines(files: readonly FileSummary[]): string[] {
  const sum = (key: 'added' | 'removed'): number => files.reduce((total, file) => total + file[key], 0);
  const shown = files.slice(0, FILES_SHOWN).map(({ path, added, removed, unread }) => {
    return unread === null ? `+${added} −${removed}  ${path}` : `${path}: ${unread}`;
  });
  const more = files.length - shown.length;
  return [
    `${files.length} file${files.length === 1 ? '' : 's'}, +${sum('added')} −${sum('removed')}`,
    ...shown,
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

function whoLine({ executor, node, credential, attempts, rounds, workMs, tokens }: Who): string {
  const cost = tokens.costUsd === null ? 'cost unknown' : `$${tokens.costUsd.toFixed(2)}`;
  const used = tokens.total === null ? 'tokens unknown' : `${tokens.total.toLocaleString('en')} tokens`;
  const key = credential === null ? '' : ` with ${credential}`;
  const tries = `${attempts} attempt${attempts === 1 ? '' : 's'}`;
  return `${executor}${key} on ${node}; ${tries}, ${rounds === 1 ? '1 round' : `${rounds ?? 'unknown'} rounds`}, ${formatDuration(workMs)}; ${used}, ${cost}`;
}

/** Lines no wider than the terminal, with the indent kept. */
function folded(line: string, columns: number): string[] {
  const indent = /^ */u.exec(line)?.[0] ?? '';
  return wrap(line.trim(), Math.max(20, columns - indent.length))
    .split('\n')
    .map((part) => indent + part);
}
