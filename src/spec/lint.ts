/**
 * What makes a valid spec likely to fail. Each rule reads the text as a person would and errs towards silence: a rule
 * that cries wolf is switched off by whoever reads it. Chinese and English.
 */
import type { Problem } from '../model/error.ts';
import type { TaskSpec } from '../model/spec.ts';
import { formatDuration } from '../model/time.ts';
import { compileMatcher } from '../plan/match.ts';
import { compilePattern } from '../plan/pattern.ts';
import { shown } from './problem.ts';
import { type Sections, sectionsOf } from './sections.ts';
import { isTestPath } from '../gates/test-path.ts';

export const RULES = [
  'E_LINT_UNTESTABLE',
  'E_LINT_WIDE',
  'E_LINT_NO_TESTS',
  'E_LINT_CONTRADICTION',
  'E_LINT_NO_DONTS',
  'E_LINT_LARGE',
] as const;
export type Rule = (typeof RULES)[number];

export type LintFinding = Problem & { readonly code: Rule };

/** How large a spec is, in classes that history can be kept of. */
export const SIZES = ['small', 'middle', 'large'] as const;
export type SizeClass = (typeof SIZES)[number];

/** Longest span that one attempt should take. */
const FIFTEEN_MINUTES_MS = 15 * 60_000;
const MANY_CRITERIA = 8;
const MANY_PATHS = 10;

/** All that is doubtful about a spec. `usualMs`: how long specs of its size took; null: not known. */
export function lint(
  spec: TaskSpec,
  text: string,
  usualMs: (size: SizeClass) => { readonly ms: number; readonly of: number } | null = () => null,
): LintFinding[] {
  const sections = sectionsOf(text);
  const found = (code: Rule, near: string | null, message: string, fix: string): LintFinding => {
    return { code, severity: 'warning', file: spec.file, ...placeOf(text, near), message, fix };
  };
  return [
    ...untestable(sections, found),
    ...wide(spec, found),
    ...missingTests(spec, sections, found),
    ...contradictions(spec, sections, found),
    ...(sections.dont === null || sections.dont === ''
      ? [found('E_LINT_NO_DONTS', null, 'nothing says what to leave alone', 'add a section `## Don’t`')]
      : []),
    ...large(spec, sections, usualMs, found),
  ];
}

/** The class of a spec by its criteria and paths. */
export function sizeOf(spec: TaskSpec, text: string): SizeClass {
  return sizeOfCount(criteria(sectionsOf(text).acceptance).length + spec.modifies.length);
}

type Found = (code: Rule, near: string | null, message: string, fix: string) => LintFinding;

const VAGUE =
  /\b(?:works?|properly|correctly|appropriate(?:ly)?|nice(?:ly)?|clean(?:ly)?|good|fast|robust(?:ly)?|as expected|user[- ]friendly|reasonabl[ey]|etc)\b|正常|合理|良好|友好|适当|等等|尽量|完善|正确地?(?:工作|运行)/iu;
/** Something that can be observed: code, a path, a number, a quotation, or a verb of observing. */
const CHECKABLE =
  /`[^`]+`|[\w-]+\/[\w./-]+|\d|["“「][^"”」]+["”」]|\b(?:returns?|prints?|exits?|fails?|passes|raises?|throws?|rejects?|refuses?|equals?|contains?|lists?|shows?|logs?|responds?|tests?)\b|返回|输出|退出|失败|通过|抛出|报错|拒绝|等于|包含|显示|测试|用例/iu;

function untestable({ acceptance }: Sections, found: Found): LintFinding[] {
  const all = criteria(acceptance);
  const vague = all.filter((one) => VAGUE.test(one) && !CHECKABLE.test(one));
  if (all.length > 0 && vague.length === 0 && !all.some((one) => CHECKABLE.test(one)))
    return [
      found(
        'E_LINT_UNTESTABLE',
        all[0] ?? null,
        'no criterion names anything that can be observed',
        'name a command and what it prints, or the test that shows it',
      ),
    ];
  return vague.map((one) =>
    found(
      'E_LINT_UNTESTABLE',
      one,
      `nothing can check ${shown(one)}`,
      'say what is observed: a command, a value, a test',
    ),
  );
}

function wide({ modifies }: TaskSpec, found: Found): LintFinding[] {
  return modifies
    .filter(isWide)
    .map((pattern) =>
      found(
        'E_LINT_WIDE',
        pattern,
        `${shown(pattern)} takes in a whole top-level folder or more`,
        'name the files and folders that the goal is about',
      ),
    );
}

/** `**`, `src/**`, `src/`; not `tests/**`, where new files are hard to foresee. */
function isWide(pattern: string): boolean {
  if (isTestPath(`${pattern.replace(/[*?[{].*$/s, '').replace(/\/$/, '')}/x`)) return false;
  return compilePattern(pattern).exact.some(
    ({ path, folder, segments }) =>
      path === null && folder.length <= 1 && segments.some(({ is }) => is === 'deep'),
  );
}

const ASKS_FOR_TESTS =
  /\b(?:add|write|extend|cover(?:ed)?|new|unit)\b[^.\n]{0,40}\btests?\b|\btests?\b[^.\n]{0,30}\b(?:cover|are (?:added|written)|exist)|(?:新增|编写|补充|添加|增加)[^。\n]{0,20}(?:测试|用例)|单元测试/iu;

function missingTests(spec: TaskSpec, { goal, acceptance }: Sections, found: Found): LintFinding[] {
  const asked = [goal, acceptance]
    .map((part) => ASKS_FOR_TESTS.exec(part ?? '')?.[0])
    .find((text) => text !== undefined);
  if (asked === undefined || spec.modifies.length === 0) return [];
  if ([...spec.modifies, ...spec.expands].some((pattern) => isWide(pattern) || mayBeTest(pattern))) return [];
  const fix = 'add the test files to `modifies`';
  return [found('E_LINT_NO_TESTS', asked, `${shown(asked)}: no path of \`modifies\` is one of tests`, fix)];
}

/** A pattern of tests by its folder or its name; `src/x/**` may hold tests beside the code. */
function mayBeTest(pattern: string): boolean {
  if (/\/$|\*\*/.test(pattern)) return true;
  return compilePattern(pattern).exact.some(({ path, folder }) =>
    isTestPath(path ?? `${folder.join('/')}/x`),
  );
}

function contradictions(spec: TaskSpec, { acceptance, dont }: Sections, found: Found): LintFinding[] {
  const mine = new Set(spec.modifies);
  const inside = compileMatcher([...spec.modifies, ...spec.expands]);
  const donts = criteria(dont);
  const forbidden = donts.flatMap((one) =>
    pathsIn(one)
      // "Do not touch x beyond y" and "only in x" are limits, not prohibitions.
      .filter(
        (path) => mine.has(path) && !/\b(?:beyond|except|only|other|else|outside)\b|除|以外|只/iu.test(one),
      )
      .map((path) =>
        found(
          'E_LINT_CONTRADICTION',
          one,
          `\`modifies\` lists ${shown(path)}, and the don’ts forbid it`,
          'take it out of one of the two',
        ),
      ),
  );
  const outside = criteria(acceptance).flatMap((one) =>
    pathsIn(one)
      .filter(
        (path) => isTestPath(path) && !inside(path) && spec.modifies.length > 0 && ASKS_FOR_TESTS.test(one),
      )
      .map((path) =>
        found(
          'E_LINT_CONTRADICTION',
          one,
          `the acceptance asks for ${shown(path)}, which is outside of \`modifies\``,
          'add it to `modifies`',
        ),
      ),
  );
  const noTests = donts.find((one) =>
    /\b(?:do not|don.?t|never|no)\b[^.\n]{0,20}\b(?:add|write)\b[^.\n]{0,12}\btests?\b|不要?(?:新增|编写|写|加)[^。\n]{0,6}测试/iu.test(
      one,
    ),
  );
  const asksTests = noTests !== undefined && ASKS_FOR_TESTS.test(acceptance ?? '');
  return [
    ...forbidden,
    ...outside,
    ...(asksTests
      ? [
          found(
            'E_LINT_CONTRADICTION',
            noTests,
            'the acceptance asks for tests, and the don’ts forbid them',
            'take one of the two out',
          ),
        ]
      : []),
  ];
}

function large(
  spec: TaskSpec,
  { acceptance }: Sections,
  usualMs: (size: SizeClass) => { readonly ms: number; readonly of: number } | null,
  found: Found,
): LintFinding[] {
  const fix = 'split it';
  const count = criteria(acceptance).length;
  if (spec.estimateMs !== null && spec.estimateMs > FIFTEEN_MINUTES_MS)
    return [found('E_LINT_LARGE', 'estimate:', `the estimate is ${formatDuration(spec.estimateMs)}`, fix)];
  if (count > MANY_CRITERIA)
    return [found('E_LINT_LARGE', criteria(acceptance)[0] ?? null, `${count} acceptance criteria`, fix)];
  if (spec.modifies.length > MANY_PATHS)
    return [found('E_LINT_LARGE', 'modifies:', `${spec.modifies.length} paths in \`modifies\``, fix)];
  const usual = usualMs(sizeOfCount(count + spec.modifies.length));
  if (usual === null || usual.ms <= FIFTEEN_MINUTES_MS) return [];
  const took = `specs of this size took ${formatDuration(usual.ms)} (median of ${usual.of})`;
  return [found('E_LINT_LARGE', 'modifies:', took, fix)];
}

function sizeOfCount(size: number): SizeClass {
  return size <= 5 ? 'small' : size <= 10 ? 'middle' : 'large';
}

/** The items of a section's list; a section without a list is one item for each line. */
function criteria(section: string | null): string[] {
  const lines = (section ?? '').split('\n').filter((line) => line.trim() !== '');
  const items = lines.filter((line) => ITEM.test(line));
  return (items.length > 0 ? items : lines).map((line) => line.replace(ITEM, '').trim());
}

const ITEM = /^\s*(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?/;

/** Texts that look like paths of files: with a slash or an extension, in backticks or bare. */
function pathsIn(text: string): string[] {
  const found = text.match(/[\w@.*-]+(?:\/[\w@.*-]+)+\/?|\b[\w-]+\.[a-z]{1,4}\b/g) ?? [];
  return found.map((path) => path.replace(/[.,;:]+$/, ''));
}

/** Where a text stands first; the top of the file when it is nowhere. */
function placeOf(text: string, near: string | null): { line: number; col: number } {
  const at = near === null ? -1 : text.indexOf(near);
  if (near === null || at < 0) return { line: 1, col: 1 };
  const before = text.slice(0, at);
  return { line: before.split('\n').length, col: at - before.lastIndexOf('\n') };
}
