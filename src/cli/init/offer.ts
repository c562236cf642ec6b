/** Offers what a repository lacks of the two commands; writes it only when a person says so, and over nothing. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { type RepositoryCommands, commandsIn, isCheckout, scaffoldFor } from './commands.ts';

export interface OfferedCommands extends RepositoryCommands {
  /** The file that was written, or was offered; null: nothing is missing, or there is no place for it. */
  readonly scaffold: { readonly file: string; readonly made: boolean } | null;
}

/** null: the repository is no checkout on this machine, so nothing can be said of it here. */
export async function offerCommands(
  context: Context,
  repo: string | null,
  yes: boolean,
): Promise<OfferedCommands | null> {
  if (repo === null || !isCheckout(repo)) return null;
  const scaffold = scaffoldFor(repo);
  if (scaffold === null) return { ...commandsIn(repo), scaffold: null };
  const { output } = context;
  const file = join(repo, scaffold.file);
  if (!output.machine) {
    output.note(`${repo} lacks one command that runs it or one that tests it; ${scaffold.file} would be:\n`);
    output.note(`${scaffold.text.trimEnd().replaceAll(/^/gmu, '  | ')}\n`);
  }
  const made = yes || (await agreed(context, file));
  if (made) {
    await writeFile(file, scaffold.text, { flag: 'wx' });
    if (scaffold.file === 'run.sh') await chmod(file, 0o755);
  }
  return { ...commandsIn(repo), scaffold: { file, made } };
}

/** Where nobody can be asked the answer is no. */
async function agreed({ environment, output }: Context, file: string): Promise<boolean> {
  if (!environment.interactive || !environment.stdout.tty || output.machine || output.quiet) return false;
  const { confirm } = await import('@clack/prompts');
  const answer = await confirm({ message: `Write ${file}?`, initialValue: true, output: process.stderr });
  return answer === true;
}

/** What a person reads of it. */
export function commandLines({ run, test, scaffold }: OfferedCommands, project: string): string[] {
  if (scaffold?.made === true) return [`created ${scaffold.file}: look it over and commit it`];
  const lacks = [run === null ? 'runs it' : null, test === null ? 'tests it' : null].filter(
    (what) => what !== null,
  );
  if (lacks.length === 0) return [];
  const missing = `the repository has no one command that ${lacks.join(', and none that ')} (Makefile or run.sh)`;
  return scaffold === null
    ? [`${missing}; both files are there, and are left alone`]
    : [`${missing}; dispatch init ${project} --yes writes ${scaffold.file}`];
}
