/** One spec file: text to TaskSpec. What only shows beside the other specs (ids, dependencies, paths) is in check-project.ts. */
import { createHash } from 'node:crypto';
import type { Problem } from '../model/error.ts';
import { isName, type ProjectName, type TaskId, taskId } from '../model/ids.ts';
import type { Priority, ProjectConfig, TaskSpec } from '../model/spec.ts';
import { parseDuration } from '../model/time.ts';
import { checkForm } from './check-form.ts';
import { readFrontMatter } from './front-matter.ts';
import { nearest } from './nearest.ts';
import { type Position, shown } from './problem.ts';
import { type SpecInput, specSchema } from './schema.ts';
import { sectionsOf, titleOf } from './sections.ts';
import type { Source } from './source.ts';

export interface SpecContext {
  /** The folder the file lies in. */
  readonly project: ProjectName;
  /** null when project.yaml itself is broken: then nothing is held against it. */
  readonly config: ProjectConfig | null;
  /** From project.yaml, for specs that name none. */
  readonly budgetTokens: number | null;
}

/** A text with its place. */
export interface Placed {
  readonly text: string;
  readonly at: Position;
}

/** What a file says, as far as it could be understood, so that one mistake does not hide or cause others. */
export interface ParsedSpec {
  readonly file: string;
  readonly text: string;
  /** null: the file has errors. */
  readonly spec: TaskSpec | null;
  readonly id: Placed | null;
  readonly dependsOn: readonly Placed[];
  readonly modifies: readonly Placed[];
  readonly expands: readonly Placed[];
  readonly problems: readonly Problem[];
}

/** Reads one spec. `file` is shown in problems and kept in the spec: the path relative to the home. */
export function parseSpec(text: string, file: string, context: SpecContext): ParsedSpec {
  const front = readFrontMatter(text, file);
  if ('problems' in front) {
    return {
      file,
      text,
      spec: null,
      id: scrapedId(text),
      dependsOn: [],
      modifies: [],
      expands: [],
      problems: front.problems,
    };
  }
  const { source, body } = front;
  const emptyFile = source.value === null ? { ...source, value: {} } : source;
  const form = checkForm(specSchema, emptyFile);
  const problems = [
    ...form.problems,
    ...projectProblems(source, context),
    ...executorProblems(source, context),
    ...modifiesProblems(source, context),
    ...verifyProblems(source, context),
    ...acceptanceProblems(source, body, text),
  ];
  const faulty = form.value === null || problems.some(({ severity }) => severity === 'error');
  return {
    file,
    text,
    spec: faulty || form.value === null ? null : specOf(form.value, { text, file, body, context }),
    id: textsAt(source, 'task_id').find(({ text: id }) => isName(id)) ?? null,
    dependsOn: textsAt(source, 'depends_on'),
    modifies: textsAt(source, 'modifies'),
    expands: textsAt(source, 'expands'),
    problems,
  };
}

/** The id of a file whose front matter cannot be parsed, so that those who depend on it are not blamed as well. */
function scrapedId(text: string): Placed | null {
  const found = /^task_id:[ \t]*["']?([A-Za-z0-9._-]+)/m.exec(text);
  if (found?.[1] === undefined || !isName(found[1])) return null;
  return { text: found[1], at: { line: text.slice(0, found.index).split('\n').length, col: 1 } };
}

interface Origin {
  readonly text: string;
  readonly file: string;
  readonly body: string;
  readonly context: SpecContext;
}

function specOf(input: SpecInput, { text, file, body, context }: Origin): TaskSpec {
  const { project, config, budgetTokens } = context;
  const id = taskId(input.task_id);
  const priority = (input.priority ?? 2) as Priority;
  const policy = config?.review ?? 'never';
  return {
    project,
    id,
    title: titleOf(sectionsOf(body)) ?? id,
    priority,
    dependsOn: [...new Set(input.depends_on ?? [])] as TaskId[],
    modifies: [...new Set(input.modifies ?? [])],
    expands: [...new Set(input.expands ?? [])],
    executor: input.executor ?? config?.executor ?? 'claude',
    verify: input.verify ?? config?.verify ?? null,
    timeoutMs: milliseconds(input.timeout) ?? config?.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    retries: input.retries ?? config?.retries ?? DEFAULT_RETRIES,
    // A policy is the project's to set: a spec may ask for more review, never for less.
    review: input.review === true || policy === 'always' || (policy === 'p0' && priority === 0),
    budgetTokens: input.budget?.tokens ?? budgetTokens,
    estimateMs: milliseconds(input.estimate),
    digest: createHash('sha256').update(text).digest('hex'),
    file,
  };
}

export const DEFAULT_TIMEOUT_MS = 30 * 60_000;
export const DEFAULT_RETRIES = 3;

export function milliseconds(span: string | number | undefined): number | null {
  return span === undefined ? null : parseDuration(span);
}

/** The texts at a key, be it one text or a list; numbers and the like as they were written. */
function textsAt(source: Source, key: string): Placed[] {
  const value = get(source, key);
  const texts: Placed[] = [];
  const values: unknown[] = Array.isArray(value) ? value : [value];
  for (const [index, item] of values.entries()) {
    const path = Array.isArray(value) ? [key, index] : [key];
    const text = typeof item === 'string' ? item : source.written(path);
    if (text !== null) texts.push({ text, at: source.at(path) });
  }
  return texts;
}

function get(source: Source, key: string): unknown {
  const { value } = source;
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMap && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

function projectProblems(source: Source, { project }: SpecContext): Problem[] {
  const [named] = textsAt(source, 'project');
  if (named === undefined || named.text === project || !isName(named.text)) return [];
  return [
    {
      code: 'E_SPEC_PROJECT_NAME',
      severity: 'error',
      file: source.file,
      ...named.at,
      message: `the spec says project ${shown(named.text)} and lies in the folder of ${shown(project)}`,
      expected: project,
      got: named.text,
      fix: `write "${project}", or move the file to specs/${named.text}/`,
    },
  ];
}

function executorProblems(source: Source, { config }: SpecContext): Problem[] {
  const [named] = textsAt(source, 'executor');
  if (config === null || named === undefined || Object.hasOwn(config.executors, named.text)) return [];
  const known = Object.keys(config.executors);
  const near = nearest(named.text, known);
  return [
    {
      code: 'E_SPEC_UNKNOWN_EXECUTOR',
      severity: 'error',
      file: source.file,
      ...named.at,
      message: `no executor is called ${shown(named.text)}`,
      expected: `one of ${known.join(', ')}`,
      got: named.text,
      fix: near === null ? 'define it under `executors` in project.yaml' : `did you mean "${near}"?`,
    },
  ];
}

function modifiesProblems(source: Source, { config }: SpecContext): Problem[] {
  const value = get(source, 'modifies');
  const absent = value === undefined || value === null || (Array.isArray(value) && value.length === 0);
  if (!absent || config === null || config.repo === null) return [];
  const missing = value === undefined;
  return [
    {
      code: 'E_SPEC_NO_MODIFIES',
      severity: 'error',
      file: source.file,
      ...source.at(['modifies']),
      message: missing
        ? '`modifies` is missing: the task may change nothing'
        : '`modifies` is empty: the task may change nothing',
      expected: 'at least one path or glob',
      fix: 'list what the task may change: modifies: ["src/feature/**", "test/feature/**"]',
    },
  ];
}

/** Commands that pass whatever the agent did. Whole commands only: `make test || exit 1` is a real one. */
const ALWAYS_PASSES = /^(?::|true|exit 0|echo\b[^;&|]*|.*\|\|\s*(?::|true|exit 0))\s*$/s;

function verifyProblems(source: Source, { config }: SpecContext): Problem[] {
  const [named] = textsAt(source, 'verify');
  if (named !== undefined) {
    if (config?.repo === null || !ALWAYS_PASSES.test(named.text.trim())) return [];
    return [
      {
        code: 'E_SPEC_VERIFY_ALWAYS_PASSES',
        severity: 'warning',
        file: source.file,
        ...named.at,
        message: '`verify` passes whatever the agent did',
        got: shown(named.text),
        fix: 'give the command that runs the tests',
      },
    ];
  }
  if (config === null || config.repo === null || config.verify !== null) return [];
  return [
    {
      code: 'E_SPEC_NO_VERIFY',
      severity: 'error',
      file: source.file,
      ...source.at(['verify']),
      message: 'no command proves this task',
      expected: '`verify` here or in project.yaml',
      fix: 'add for example `verify: make test`',
    },
  ];
}

function acceptanceProblems(source: Source, body: string, text: string): Problem[] {
  const { acceptance } = sectionsOf(body);
  if (acceptance !== null && acceptance !== '') return [];
  const empty = acceptance !== null;
  return [
    {
      code: 'E_SPEC_NO_ACCEPTANCE',
      severity: 'error',
      file: source.file,
      line: empty
        ? acceptanceLine(text)
        : Math.max(1, text.split('\n').length - (text.endsWith('\n') ? 1 : 0)),
      col: 1,
      message: empty ? 'the acceptance section is empty' : 'the spec has no acceptance section',
      expected: 'a section `## Acceptance` or `## 验收标准` with text in it',
      fix: 'say how anyone can see that the task is done',
    },
  ];
}

function acceptanceLine(text: string): number {
  const index = text.split('\n').findIndex((line) => /^ {0,3}#{1,6}[ \t].*(?:验收|acceptance)/i.test(line));
  return index < 0 ? 1 : index + 1;
}
