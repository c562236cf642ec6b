/** The contract of a project as it is written: what is wrong with it, and what it says. Changes nothing. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type CheckedContract, type CheckedInterface, checkContract } from '../../contract/check.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { ProjectConfig } from '../../model/spec.ts';
import { alertLines, alertsOf } from '../../report/alerts.ts';
import { loadProject } from '../../spec/load.ts';
import { renderProblem } from '../../spec/problem.ts';
import type { Context } from '../context.ts';
import { problemCounts } from '../problems.ts';
import { safeLine, safeText } from '../render/safe-text.ts';
import { baseFile } from '../repository.ts';
import { viewOrNull } from '../view.ts';

export interface CheckContractOptions {
  readonly file?: string;
}

export async function checkProjectContract(
  context: Context,
  project: string,
  options: CheckContractOptions,
): Promise<ExitCode> {
  const { output } = context;
  const { file, text } = await contractText(context, project, options);
  const { interfaces, problems } = checkContract(text, file);
  if (output.machine || output.format === 'name') {
    output.list({
      kind: 'ProblemList',
      rows: problems,
      name: ({ file: path, line, col }) => `${path}:${line}:${col}`,
      columns: [],
      meta: { file, interfaces: interfaces.length },
    });
  } else {
    for (const problem of problems) output.line(`${safeText(renderProblem(problem, text))}\n`);
    output.note(`${file}: ${counted(interfaces.length)}, ${problemCounts(problems)}`);
    for (const code of new Set(problems.map((problem) => problem.code)))
      output.note(`  dispatch explain ${code}`);
  }
  return problems.length === 0 ? EXIT.ok : EXIT.usage;
}

export async function showContract(
  context: Context,
  project: string,
  options: CheckContractOptions,
): Promise<ExitCode> {
  const { output } = context;
  const { config, file, text } = await contractText(context, project, options);
  const { interfaces, problems }: CheckedContract = checkContract(text, file);
  const { contract, alerts } = await standing(context, config.name);
  output.list<CheckedInterface>({
    kind: 'InterfaceList',
    rows: interfaces,
    name: ({ name }) => safeLine(name),
    columns: [
      { title: 'interface', value: ({ name }) => name },
      { title: 'line', value: ({ line }) => String(line) },
      { title: 'request', value: ({ request }) => request.join(', ') || '-' },
      { title: 'response', value: ({ response }) => response.join(', ') || '-' },
    ],
    meta: { file, problems: problems.length, contract },
    empty: `${file} describes no interface`,
  });
  if (problems.length > 0) output.note(`${problemCounts(problems)}: dispatch contract check ${config.name}`);
  for (const line of alertLines(alerts)) output.note(safeLine(line));
  return EXIT.ok;
}

/** What the store knows of it; nothing before the first start. */
async function standing(context: Context, name: ProjectName) {
  const known = await viewOrNull(context, async ({ state }) => {
    const project = state.projects.get(name);
    if (project === undefined) return null;
    const alerts = alertsOf(state, project).filter(({ code }) => code === 'E_CONTRACT_CHANGED');
    return { contract: project.contract, alerts };
  });
  return known ?? { contract: null, alerts: [] };
}

interface ContractText {
  readonly config: ProjectConfig;
  /** As a person would type it. */
  readonly file: string;
  readonly text: string;
}

/** @throws DispatchError E_CONTRACT_MISSING, and what keeps project.yaml from being read. */
async function contractText(
  context: Context,
  name: string,
  { file }: CheckContractOptions,
): Promise<ContractText> {
  const home = context.home();
  const config = await configOf(home, name);
  if (file !== undefined) {
    const text = await readFile(resolve(context.environment.cwd, file), 'utf8').catch(() => null);
    if (text === null) throw missing(name, file, 'it cannot be read');
    return { config, file, text };
  }
  const path = config.contract;
  if (path === null) throw missing(name, `specs/${name}/project.yaml`, 'the project has no repository');
  const text = await baseFile(home, config, path);
  if (text === null)
    throw missing(name, path, 'the base has no such file, or the repository was never fetched');
  return { config, file: path, text };
}

/** Specs with errors do not matter here. */
async function configOf(home: string, name: string): Promise<ProjectConfig> {
  const { config, problems } = await loadProject(home, name);
  if (config !== null) return config;
  const [first] = problems.filter(({ severity }) => severity === 'error');
  throw new DispatchError(first?.code ?? 'E_NOT_FOUND', first?.message ?? `no project ${name}`, {
    where: `specs/${name}`,
    fix: first?.fix ?? `dispatch validate ${name}`,
  });
}

function missing(name: string, where: string, why: string): DispatchError {
  return new DispatchError('E_CONTRACT_MISSING', `${name} has no contract that could be read`, {
    where,
    why,
    fix: `dispatch contract check ${name} --file PATH`,
  });
}

function counted(interfaces: number): string {
  return `${interfaces} interface${interfaces === 1 ? '' : 's'}`;
}
