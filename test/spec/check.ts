import { builtinExecutors } from '../../src/executors/builtin.ts';
import type { ErrorCode } from '../../src/model/codes/index.ts';
import type { Problem } from '../../src/model/error.ts';
import { projectName } from '../../src/model/ids.ts';
import { type ParsedProject, parseProject } from '../../src/spec/parse-project.ts';
import { type ParsedSpec, parseSpec } from '../../src/spec/parse-spec.ts';

export const CLAW = projectName('clawmarketing');

/** A project with a repository and a verify of its own. */
export const PROJECT = 'repo: ../app\nverify: make test\n';

export function configure(yaml: string): ParsedProject {
  return parseProject(yaml, 'specs/clawmarketing/project.yaml', CLAW, builtinExecutors());
}

/** Reads a spec's text as a file of the project with this configuration. */
export function read(
  text: string,
  project: string = PROJECT,
  file = 'specs/clawmarketing/S01.md',
): ParsedSpec {
  const { config, budgetTokens } = configure(project);
  if (config === null) throw new Error('the configuration itself is wrong');
  return parseSpec(text, file, { project: CLAW, config, budgetTokens });
}

/** A valid spec with these lines of front matter more, or instead where a key is given again. */
export function spec(...lines: string[]): string {
  const keys = new Set(lines.map((line) => line.split(':')[0]));
  const usual = ['task_id: S01', 'modifies: ["src/**"]'].filter((line) => !keys.has(line.split(':')[0]));
  return `---\n${[...usual, ...lines].join('\n')}\n---\n## Goal\nDo it.\n## Acceptance\n- done\n`;
}

/** `E_CODE line:col` of each problem. */
export function places(problems: readonly Problem[]): string[] {
  return problems.map(({ code, line, col }) => `${code} ${line}:${col}`);
}

export function codes(problems: readonly Problem[]): ErrorCode[] {
  return problems.map(({ code }) => code);
}
