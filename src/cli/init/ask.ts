import { DispatchError } from '../../model/error.ts';
import type { Context } from '../context.ts';
import type { ProjectAnswers } from './answers.ts';
import { commandsIn } from './commands.ts';
import { absoluteRepo, currentBranch, enclosingRepository } from './repository.ts';

export interface InitOptions {
  readonly repo?: string;
  readonly target?: string;
  readonly verify?: string;
  /** Write what the repository lacks of the two commands, without asking. */
  readonly yes?: boolean;
}

type Ask = (message: string, placeholder: string) => Promise<string | null>;

/**
 * What the project needs to know. On a terminal it asks for what no flag said; in a script the flags and the defaults
 * are all there is, and nothing waits for an answer that cannot come.
 * @returns null when no project is wanted.
 */
export async function askForProject(
  context: Context,
  project: string | undefined,
  options: InitOptions,
): Promise<ProjectAnswers | null> {
  if (project === undefined) return null;
  const { cwd, userHome } = context.environment;
  const ask = asker(context, options);
  const said =
    options.repo ??
    (await ask(
      'Repository (path or URL; empty: none, commands decide)',
      (await enclosingRepository(cwd)) ?? '~/code/web',
    ));
  const repo = said === null ? null : absoluteRepo(said, cwd, userHome);
  const usual = (repo === null ? null : await currentBranch(repo)) ?? 'main';
  const target =
    options.target ?? (repo === null ? null : await ask('Branch where results land', usual)) ?? usual;
  const found = repo === null ? null : commandsIn(repo).test;
  const verify = options.verify ?? (await ask('Command that proves a task', found ?? 'npm test')) ?? found;
  return { project, repo, target, verify };
}

/** Asks on a terminal; elsewhere, and when the flags have said enough, every answer is none. */
function asker({ environment, output }: Context, options: InitOptions): Ask {
  const mayAsk = environment.interactive && environment.stdout.tty && !output.machine && !output.quiet;
  if (!mayAsk || (options.repo !== undefined && options.verify !== undefined)) return async () => null;
  return async (message, placeholder) => {
    const { isCancel, text } = await import('@clack/prompts');
    const answer = await text({ message, placeholder, defaultValue: '' });
    if (isCancel(answer)) throw new DispatchError('E_DECLINED', 'stopped; nothing was changed');
    return answer.trim() === '' ? null : answer.trim();
  };
}
