import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { homePaths } from '../../controller/paths.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Context } from '../context.ts';
import { safeLine } from '../render/safe-text.ts';

export interface RestoreOptions {
  readonly files?: boolean;
  readonly fromHubs?: boolean;
}

/** Puts a backup back while no controller runs. Exit 3 when something that has landed could not be recorded. */
export async function restore(
  context: Context,
  typed: string | undefined,
  options: RestoreOptions,
): Promise<ExitCode> {
  if ((typed === undefined) !== (options.fromHubs === true) || (options.fromHubs === true && options.files))
    throw new DispatchError('E_USAGE', 'name a backup, or say --from-hubs alone', {
      fix: 'dispatch backup --list',
    });
  if (typed === undefined) return fromHubs(context);
  const { environment, output } = context;
  const home = context.home();
  const places = { home, ...homePaths(home) };
  const { restoreBackup } = await import('../../backup/restore.ts');
  const named = resolve(environment.cwd, typed);
  const restored = await restoreBackup(places, {
    file: existsSync(named) ? named : join(places.backups, typed),
    files: options.files === true,
    now: new Date(),
  });
  const { manifest, aside, files, refs, tasks, problems } = restored;
  const code = problems.length === 0 ? EXIT.ok : EXIT.unfinished;
  if (output.machine) {
    const { at, events, epoch } = manifest;
    output.envelope('Restored', { at, events, epoch, aside, files, refs, tasks, problems });
    return code;
  }
  output.line(`the state of ${manifest.at} is back: ${manifest.events} events`);
  if (aside !== null) output.line(safeLine(`the state of before is in ${aside}`));
  if (files.length > 0) output.line(safeLine(`files that came back: ${files.join(', ')}`));
  if (refs.length > 0) output.line(`${refs.length} names came back into hubs`);
  if (tasks.length > 0) output.line(safeLine(`landed since, and recorded so: ${tasks.join(', ')}`));
  for (const problem of problems) output.line(safeLine(problem));
  output.note('next: dispatch rescue (work that this state does not know), then dispatch start or serve');
  return code;
}

/** Makes a new store without a backup. */
async function fromHubs(context: Context): Promise<ExitCode> {
  const { output } = context;
  const home = context.home();
  const { rebuildStore } = await import('../../backup/rebuild.ts');
  const { aside, tasks, problems } = await rebuildStore({ home, ...homePaths(home) }, new Date());
  const code = problems.length === 0 ? EXIT.ok : EXIT.unfinished;
  if (output.machine) {
    output.envelope('Rebuilt', { aside, tasks, problems });
    return code;
  }
  output.line('there is a new store: it knows specs/, and what the hubs say has landed');
  if (aside !== null) output.line(safeLine(`the state of before is in ${aside}`));
  if (tasks.length > 0) output.line(safeLine(`landed, and recorded so: ${tasks.join(', ')}`));
  for (const problem of problems) output.line(safeLine(problem));
  output.note('next: dispatch rescue (work that this state does not know), then dispatch start or serve');
  return code;
}
