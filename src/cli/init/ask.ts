import { DispatchError } from '../../model/error.ts';
import type { Context } from '../context.ts';
import type { InitOptions } from '../verbs/init.ts';

export interface ProjectAnswers {
  readonly project: string;
  readonly repo: string | null;
  readonly target: string;
  readonly verify: string | null;
}

/**
 * What the project needs to know. On a terminal it asks for what no flag said; in a script the flags and the defaults
 * are all there is, and nothing waits for an answer that cannot come.
 * @returns null when no project is wanted.
 */
export async function askForProject(
  { environment, output }: Context,
  project: string | undefined,
  options: InitOptions,
): Promise<ProjectAnswers | null> {
  if (project === undefined) return null;
  const said = {
    repo: options.repo ?? null,
    target: options.target ?? 'main',
    verify: options.verify ?? null,
  };
  const mayAsk = environment.interactive && environment.stdout.tty && !output.machine && !output.quiet;
  if (!mayAsk || (options.repo !== undefined && options.verify !== undefined)) return { project, ...said };
  const { isCancel, text } = await import('@clack/prompts');
  const ask = async (message: string, placeholder: string): Promise<string | null> => {
    const answer = await text({ message, placeholder, defaultValue: '' });
    if (isCancel(answer)) throw new DispatchError('E_DECLINED', 'stopped; nothing was changed');
    return answer.trim() === '' ? null : answer.trim();
  };
  const repo =
    said.repo ?? (await ask('Repository (path or URL; empty: none, commands decide)', '~/code/web'));
  const target = options.target ?? (repo === null ? null : await ask('Branch where results land', 'main'));
  const verify = said.verify ?? (await ask('Command that proves a task', 'npm test'));
  return { project, repo, target: target ?? 'main', verify };
}
