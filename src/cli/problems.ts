import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../model/error.ts';
import { renderProblem } from '../spec/problem.ts';
import type { Paint } from './render/colour.ts';
import { safeText } from './render/safe-text.ts';

/** Problems as a person reads them, each with the line it stands on. `texts`: files that are on no disk. */
export async function problemsText(
  home: string,
  problems: readonly Problem[],
  paint: Paint,
  texts: ReadonlyMap<string, string> = new Map(),
): Promise<string> {
  const sources = new Map<string, string | undefined>(texts);
  const parts: string[] = [];
  for (const problem of problems) {
    if (!sources.has(problem.file)) {
      sources.set(problem.file, await readFile(join(home, problem.file), 'utf8').catch(() => undefined));
    }
    parts.push(painted(problem, sources.get(problem.file), paint));
  }
  return parts.map((part) => `${part}\n`).join('\n');
}

function painted(problem: Problem, source: string | undefined, paint: Paint): string {
  const [first = '', ...rest] = safeText(renderProblem(problem, source)).split('\n');
  const tone = problem.severity === 'error' ? paint.red : paint.yellow;
  const head = `${problem.severity}[${problem.code}]`;
  return [first.replace(head, tone(paint.bold(head))), ...rest].join('\n');
}

/** `2 errors, 1 warning`. */
export function problemCounts(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
  return `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
}
