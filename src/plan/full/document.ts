/** The plan of a whole project as the parts of specs/<project>/PLAN.md: milestones, files with owners, contract, risks. */
import type { CheckedContract } from '../../contract/check.ts';
import type { TaskId } from '../../model/ids.ts';
import { formatDuration } from '../../model/time.ts';
import { fingerprintLine, planFingerprint } from '../fingerprint.ts';
import type { Plan } from '../plan.ts';
import { gapsOf, isFromNothing } from './gaps.ts';
import { LEAST_MILESTONES, type Milestone, milestonesOf } from './milestones.ts';
import { type Part, withParts } from './parts.ts';
import { fileTree, type TreeRow } from './tree.ts';
import { code, languageOf, type Words, WORDS } from './words.ts';

export interface FullPlan {
  readonly plan: Plan;
  /** Files of the commit that tasks start from; null: not known. */
  readonly base: ReadonlySet<string> | null;
  /** null: there is none. */
  readonly contract: CheckedContract | null;
}

/** Rows of a table or tree before the rest is only counted. */
const ROWS = 300;

/** The whole file. @param before as it is now; null: there is none. What a person wrote in it stays. */
export function planDocument(full: FullPlan, before: string | null): string {
  const { plan } = full;
  const specs = [...plan.specs.values()];
  const words = WORDS[languageOf(specs.map(({ title }) => title))];
  const milestones = milestonesOf(plan);
  const gaps = gapsOf(specs, full.base, full.contract !== null && full.contract.interfaces.length > 0);
  const parts: Part[] = [
    { name: 'summary', text: summary(full, milestones, words) },
    {
      name: 'milestones',
      text: milestonePart(
        full,
        milestones,
        gaps.map((gap) => words.gaps[gap]),
        words,
      ),
    },
    { name: 'tree', text: treePart(fileTree(specs, full.base), words) },
    { name: 'contract', text: contractPart(full, words) },
    {
      name: 'risks',
      text: riskPart(full, isFromNothing(full.base) ? gaps.map((gap) => words.gaps[gap]) : [], words),
    },
  ];
  return withParts(before, words.title(plan.project), parts);
}

function summary({ plan }: FullPlan, milestones: readonly Milestone[], words: Words): string {
  const { specs, critical, widest } = plan;
  return [
    fingerprintLine(planFingerprint([...specs.values()])),
    words.written,
    '',
    words.summary(specs.size, milestones.length, formatDuration(critical.ms), widest.tasks.length),
  ].join('\n');
}

function milestonePart(
  { plan, base }: FullPlan,
  milestones: readonly Milestone[],
  gaps: readonly string[],
  words: Words,
): string {
  const rows = milestones.map(({ number, folder, tasks, after, verify }) => [
    `M${number}`,
    [folder === '' ? '' : code(folder), text(titlesOf(plan, tasks))].filter((part) => part !== '').join(' '),
    tasks.map(code).join(', '),
    after.map((one) => `M${one}`).join(', ') || '-',
    formatDuration(Math.max(0, ...tasks.map((id) => ownSpan(plan, id)))),
    verify.map(code).join(', ') || '-',
  ]);
  const few =
    isFromNothing(base) && milestones.length < LEAST_MILESTONES
      ? [
          '',
          words.tooFew(milestones.length, LEAST_MILESTONES),
          '',
          ...(gaps.length === 0 ? [words.nothingMissing] : gaps).map((gap) => `- ${gap}`),
        ]
      : [];
  return [`## ${words.headings.milestones}`, '', ...table(words.milestoneHead, rows, words), ...few].join(
    '\n',
  );
}

/** What the longest chain loses when the task is done. */
function ownSpan({ chainMs, specs }: Plan, id: TaskId): number {
  const behind = [...specs.values()].filter(({ dependsOn }) => dependsOn.includes(id));
  const rest = Math.max(0, ...behind.map((spec) => chainMs.get(spec.id) ?? 0));
  return (chainMs.get(id) ?? 0) - rest;
}

/** Titles named in a row. */
const TITLES = 3;

function titlesOf({ specs }: Plan, tasks: readonly TaskId[]): string {
  const titles = tasks.map((id) => specs.get(id)?.title ?? id);
  const more = titles.length - TITLES;
  return `${titles.slice(0, TITLES).join('; ')}${more > 0 ? ` (+${more})` : ''}`;
}

function treePart(rows: readonly TreeRow[], words: Words): string {
  const lines = rows.slice(0, ROWS).map(({ depth, name, owners, is, unowned }) => {
    const path = `${'  '.repeat(depth)}${name}`.replaceAll(/[`\n]/gu, ' ').replaceAll('<!--', '<!- -');
    const notes = [
      owners.join(', '),
      is === 'new' ? `(${words.fresh})` : '',
      unowned > 0 && owners.length === 0 ? `(${words.unowned(unowned)})` : '',
    ].filter((part) => part !== '');
    return notes.length === 0 ? path : `${path.padEnd(40)}  ${notes.join(' ')}`;
  });
  const more = rows.length > ROWS ? ['', words.more(rows.length - ROWS)] : [];
  return [`## ${words.headings.tree}`, '', '````text', ...lines, '````', ...more].join('\n');
}

function contractPart({ plan, contract }: FullPlan, words: Words): string {
  const head = `## ${words.headings.contract}`;
  if (contract === null || contract.interfaces.length === 0) return [head, '', words.noContract].join('\n');
  const { interfaces, resources, problems } = contract;
  const rows = interfaces.map(({ name, request, response }) => [
    code(name),
    request.map(code).join(', ') || '-',
    response.map(code).join(', ') || '-',
  ]);
  const data = resources.map(({ name, fields }) => [
    code(name),
    fields.map(({ name: field, type }) => `${code(field)} ${type}`).join(', ') || '-',
  ]);
  return [
    `## ${words.headings.model}`,
    '',
    ...table(words.modelHead, data, words),
    '',
    head,
    '',
    ...table(words.apiHead, rows, words),
    ...(problems.length === 0 ? [] : ['', words.problems(problems.length, plan.project)]),
  ].join('\n');
}

function riskPart({ plan, contract }: FullPlan, gaps: readonly string[], words: Words): string {
  const rows = [
    ...plan.risks.map((risk) => words.risk(risk)),
    ...((contract?.problems.length ?? 0) > 0 ? [words.contractRisk] : []),
    ...gaps.map((gap) => words.gapRisk(gap)),
  ];
  const body = rows.length === 0 ? [words.noRisks] : table(words.riskHead, rows, words);
  return [`## ${words.headings.risks}`, '', ...body].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[], words: Words): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const more = rows.length > ROWS ? ['', words.more(rows.length - ROWS)] : [];
  return [line(head), line(head.map(() => '---')), ...rows.slice(0, ROWS).map(line), ...more];
}

/** Plain text: nothing in it is markup, a link, a comment or a cell. */
function text(plain: string): string {
  return plain.replaceAll(/[\\`*_[\]<>|&~]/gu, '\\$&').replaceAll('\n', ' ');
}
