/** What a split is made from: the project's files, its repository as far as it is here, and the prompt. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isPendingSpec, PENDING } from '../../feed/names.ts';
import { DispatchError } from '../../model/error.ts';
import { taskKey } from '../../model/ids.ts';
import type { ProjectConfig } from '../../model/spec.ts';
import { readProject, readSpecs } from '../../spec/load.ts';
import type { ParsedSpec } from '../../spec/parse-spec.ts';
import {
  DEFAULT_PROMPT,
  type OpenSpec,
  PROMPT_FILE,
  promptProblems,
  type SplitMaterial,
} from '../../split/prompt.ts';
import type { Context } from '../context.ts';
import { problemCounts, problemsText } from '../problems.ts';
import { baseFiles, basePaths } from '../repository.ts';
import { viewOrNull } from '../view.ts';

export interface Material extends Omit<SplitMaterial, 'direction'> {
  readonly template: string;
  readonly budgetTokens: number | null;
  /** Files of the queue and of pending/. */
  readonly there: readonly ParsedSpec[];
  readonly basePaths: ReadonlySet<string> | null;
}

/** Where the repository speaks to agents. */
const AGENT_FILES = ['AGENTS.md', 'CLAUDE.md'];

/** @throws DispatchError when there is no such project, its project.yaml has errors, or the prompt cannot be used. */
export async function splitMaterial(context: Context, home: string, project: string): Promise<Material> {
  const template = await promptTemplate(context, home);
  const read = await readProject(home, project);
  if ('problem' in read) throw await refused(context, home, project, [read.problem]);
  const { config, problems, budgetTokens } = read.configured;
  if (config === null)
    throw await refused(
      context,
      home,
      project,
      problems.filter(({ severity }) => severity === 'error'),
    );
  const names = await readdir(join(home, 'specs', project, PENDING)).catch(() => []);
  const files = names.filter(isPendingSpec).sort();
  const pending = await readSpecs(
    home,
    files.map((name) => `specs/${project}/${PENDING}/${name}`),
    read,
  );
  const there = [...read.queue, ...pending];
  const paths = await basePaths(home, config);
  return {
    template,
    config,
    budgetTokens,
    there,
    basePaths: paths,
    tree: paths === null ? null : [...paths],
    contract:
      config.contract === null ? null : ((await baseFiles(home, config, [config.contract]))[0] ?? null),
    conventions: await conventions(home, config),
    open: await withMerged(context, there),
  };
}

async function conventions(home: string, config: ProjectConfig): Promise<{ path: string; text: string }[]> {
  const agents = await baseFiles(home, config, AGENT_FILES);
  const context = await baseFiles(
    home,
    config,
    config.context.filter((path) => !AGENT_FILES.includes(path)),
  );
  return [...agents.slice(0, 1), ...context];
}

async function withMerged(context: Context, there: readonly ParsedSpec[]): Promise<OpenSpec[]> {
  const merged = await viewOrNull(context, async ({ state }) => {
    const tasks = [...state.tasks.values()];
    return new Set<string>(tasks.flatMap(({ key, progress }) => (progress.at === 'merged' ? key : [])));
  });
  return there.flatMap(({ spec }) =>
    spec === null ? [] : [{ spec, merged: merged?.has(taskKey(spec.project, spec.id)) === true }],
  );
}

/** The user's own prompt when the home has one. @throws DispatchError E_PROMPT with all that is wrong in it. */
export async function promptTemplate({ output }: Context, home: string | null): Promise<string> {
  if (home === null) return DEFAULT_PROMPT;
  const text = await readFile(join(home, PROMPT_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new DispatchError('E_PROMPT', `${PROMPT_FILE} cannot be read`, { where: home, why: error.message });
  });
  if (text === null) return DEFAULT_PROMPT;
  const problems = promptProblems(text, PROMPT_FILE);
  if (problems.length === 0) return text;
  throw new DispatchError('E_PROMPT', `${PROMPT_FILE} cannot be used: ${problemCounts(problems)}`, {
    where: home,
    why: await problemsText(home, problems, output.notePaint),
    fix: `mend it, or begin again: dispatch split --print-prompt > ${PROMPT_FILE}`,
  });
}

async function refused(
  { output }: Context,
  home: string,
  project: string,
  problems: Parameters<typeof problemsText>[1],
): Promise<DispatchError> {
  const first = problems[0]?.code ?? 'E_NOT_FOUND';
  return new DispatchError(first, `${project} cannot be split into: ${problemCounts(problems)}`, {
    where: home,
    why: await problemsText(home, problems, output.notePaint),
    fix: `dispatch validate ${project}`,
  });
}
