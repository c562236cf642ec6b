import { codeEntry } from '../../model/codes/index.ts';
import type { Problem } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { listProjects, loadHome, loadProject } from '../../spec/load.ts';
import type { Context } from '../context.ts';
import { problemCounts, problemsText } from '../problems.ts';
import { basePaths } from '../repository.ts';

export interface ValidateOptions {
  /** Warnings count as errors. */
  readonly strict?: boolean;
}

/** Says everything that is wrong in nodes.json and the projects' files. Changes nothing. */
export async function validate(
  context: Context,
  names: readonly string[],
  options: ValidateOptions,
): Promise<ExitCode> {
  const { output } = context;
  const home = context.home();
  const wanted = names.length > 0 ? [...new Set(names)] : await listProjects(home);
  const { problems: homeProblems } = await loadHome(home);
  const found = [...homeProblems];
  let specs = 0;
  for (const name of wanted) {
    const project = await loadWithBase(home, name);
    specs += project.specs.length;
    found.push(...project.problems);
  }
  const problems =
    options.strict === true ? found.map((problem) => ({ ...problem, severity: 'error' as const })) : found;
  const summary = `${wanted.length} project${wanted.length === 1 ? '' : 's'}, ${specs} valid spec${specs === 1 ? '' : 's'}: ${problemCounts(problems)}`;
  if (output.machine || output.format === 'name') {
    output.list({
      kind: 'ProblemList',
      rows: problems,
      name: ({ file }) => file,
      columns: [],
      meta: { projects: wanted, specs, valid: exitFor(problems) === EXIT.ok },
    });
  } else {
    output.write(await problemsText(home, problems, output.paint));
    output.note(problems.length === 0 ? summary : `\n${summary}`);
    for (const code of codesIn(problems)) output.note(`  dispatch explain ${code}`);
  }
  return exitFor(problems);
}

/** The repository is only known once project.yaml is read; the second reading is of files that are in memory by then. */
async function loadWithBase(home: string, name: string): ReturnType<typeof loadProject> {
  const first = await loadProject(home, name);
  if (first.config === null) return first;
  const base = await basePaths(home, first.config);
  return base === null ? first : loadProject(home, name, { basePaths: base });
}

/** A few codes to read up on; the same one is named once. */
function codesIn(problems: readonly Problem[]): string[] {
  return [...new Set(problems.map(({ code }) => code))].slice(0, 3);
}

function exitFor(problems: readonly Problem[]): ExitCode {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const missing = errors.find(({ code }) => code === 'E_PROJECT_NOT_FOUND');
  if (missing !== undefined) return codeEntry(missing.code)?.exit ?? EXIT.notFound;
  return errors.length === 0 ? EXIT.ok : EXIT.usage;
}
