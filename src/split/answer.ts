/** What a model is asked for when it splits a direction, and the spec file that each part of its answer becomes. */
import * as z from 'zod';

const texts = z.array(z.string());

/** Lenient in form, because a wrong value is best told by the validator that judges every spec, with its place. */
export const splitAnswer = z.object({
  specs: z.array(
    z.object({
      task_id: z.string().describe('S12-login-form: the next free number, then what it is, in a-z 0-9 -'),
      title: z.string().describe('One line.'),
      goal: z.string().describe('What is there when it is done.'),
      constraints: texts.describe('What holds on the way: interfaces, names, style, limits.'),
      acceptance: texts.describe('What a program or a person can check, one thing each.'),
      donts: texts.describe('What must not be touched or done.'),
      modifies: texts.describe('Paths and globs that it may change, its tests included.'),
      depends_on: texts.describe('task_ids that must have merged before.'),
      verify: z.string().nullable().describe('The command that proves it; null: the project’s own.'),
      priority: z.number().nullable().describe('0 most urgent to 3; null: 2.'),
      estimate: z.string().nullable().describe('Span of one attempt, 10m.'),
    }),
  ),
});

export type SplitAnswer = z.infer<typeof splitAnswer>;
export type ProposedSpec = SplitAnswer['specs'][number];

/** Sections of a proposed spec that say nothing. */
export function emptySections(spec: ProposedSpec): string[] {
  const said = (list: readonly string[]): boolean => list.some((text) => text.trim() !== '');
  return [
    ...(spec.goal.trim() === '' ? ['goal'] : []),
    ...(said(spec.constraints) ? [] : ['constraints']),
    ...(said(spec.acceptance) ? [] : ['acceptance']),
    ...(said(spec.donts) ? [] : ['donts']),
  ];
}

export interface SpecFileOptions {
  readonly project: string;
  /** Which words its sections are headed by. */
  readonly chinese: boolean;
  /** A person approves before it merges. */
  readonly review: boolean;
}

/** The file of a proposed spec. */
export function specFile(spec: ProposedSpec, { project, chinese, review }: SpecFileOptions): string {
  const heads = chinese ? CHINESE : ENGLISH;
  const front = [
    `task_id: ${value(spec.task_id)}`,
    `project: ${value(project)}`,
    ...(spec.priority === null ? [] : [`priority: ${value(spec.priority)}`]),
    `depends_on: ${value(spec.depends_on)}`,
    `modifies: ${value(spec.modifies)}`,
    ...(spec.verify === null || spec.verify.trim() === '' ? [] : [`verify: ${value(spec.verify)}`]),
    ...(review ? ['review: true'] : []),
    ...(spec.estimate === null || spec.estimate.trim() === '' ? [] : [`estimate: ${value(spec.estimate)}`]),
  ];
  const sections = [
    `# ${plain(spec.title).replaceAll(/\s+/g, ' ').trim() || plain(spec.task_id)}`,
    `## ${heads.goal}\n${paragraph(spec.goal)}`,
    `## ${heads.constraints}\n${bullets(spec.constraints)}`,
    `## ${heads.acceptance}\n${bullets(spec.acceptance)}`,
    `## ${heads.donts}\n${bullets(spec.donts)}`,
  ];
  return `---\n${front.join('\n')}\n---\n${sections.map((section) => section.trimEnd()).join('\n\n')}\n`;
}

const ENGLISH = { goal: 'Goal', constraints: 'Constraints', acceptance: 'Acceptance', donts: "Don't" };
const CHINESE = { goal: '目标', constraints: '约束', acceptance: '验收标准', donts: '不要做' };

/** Whether a text is written in Chinese, so that its specs are. */
export function isChinese(text: string): boolean {
  return /\p{Script=Han}/u.test(text);
}

/** JSON is YAML, and no text can end its quotes. */
function value(data: unknown): string {
  return Array.isArray(data)
    ? `[${data.map((item) => JSON.stringify(item)).join(', ')}]`
    : JSON.stringify(data);
}

function bullets(items: readonly string[]): string {
  return items
    .filter((item) => item.trim() !== '')
    .map((item) => `- ${paragraph(item.replace(/^\s*[-*]\s+/, '')).replaceAll('\n', '\n  ')}`)
    .join('\n');
}

/** Text whose lines cannot be read as headings, which would end the section. */
function paragraph(text: string): string {
  return plain(text)
    .trim()
    .replaceAll(/^( {0,3})(#{1,6}(?=[ \t]|$)|=+[ \t]*$|-+[ \t]*$)/gm, '$1\\$2');
}

/** Without what a terminal or an agent's log would obey. */
function plain(text: string): string {
  const unix = text.replaceAll('\r\n', '\n');
  // oxlint-disable-next-line no-control-regex -- exactly these are removed
  return unix.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, '');
}
