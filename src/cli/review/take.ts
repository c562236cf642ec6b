/**
 * A person takes a task's work over, and hands it back. It comes back as an attempt of its own whose program does nothing
 * but merge the person's commit, so that a person's work passes the same gates as an agent's, on the newest base.
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { homePaths } from '../../controller/paths.ts';
import { checkOutWork, takeIn, uncommitted } from '../../git/handed.ts';
import { DispatchError } from '../../model/error.ts';
import type { CommitId, TaskKey } from '../../model/ids.ts';
import type { QueueItem } from '../../review/queue.ts';
import type { Context } from '../context.ts';
import { safeLine } from '../render/safe-text.ts';
import type { HomeView } from '../view.ts';

export interface Taken {
  readonly task: TaskKey;
  readonly dir: string;
  readonly branch: string;
}

/** @param into directory, by default `<home>/taken/<project>/<task>`. @throws DispatchError E_WRONG_STATE, E_USAGE. */
export async function takeOver(
  context: Context,
  { home }: HomeView,
  item: QueueItem,
  into: string | undefined,
): Promise<Taken> {
  notMerged(item);
  const { task, project, id, token } = item;
  const dir = placeFor(context, home, item, into);
  if (existsSync(dir))
    throw new DispatchError('E_USAGE', `${dir} is there already`, {
      fix: `dispatch review ${task} --hand-back   (or: --take --into another directory)`,
    });
  const branch = `dispatch/${id}`;
  await mkdir(dirname(dir), { recursive: true });
  if (into === undefined) await ignoreTaken(home);
  await checkOutWork(join(homePaths(home).repos, `${project}.git`), dir, branch, token);
  return { task, dir, branch };
}

/** A home under version control does not take a person's checkouts for its own. */
async function ignoreTaken(home: string): Promise<void> {
  await writeFile(join(home, 'taken', '.gitignore'), '*\n', { flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
}

export function takenLines({ task, dir, branch }: Taken): string[] {
  return [
    `${task} is yours: ${safeLine(dir)}, branch ${branch}; it waits until you decide`,
    `when it is right, commit there, then: dispatch review ${task} --hand-back`,
  ];
}

/** @returns the commit, which is in the hub from now on. @throws DispatchError E_WRONG_STATE, E_USAGE when nothing can be taken in. */
export async function handBack(
  context: Context,
  { home }: HomeView,
  item: QueueItem,
  from: string | undefined,
): Promise<CommitId> {
  notMerged(item);
  const dir = placeFor(context, home, item, from);
  const again = `dispatch review ${item.task} --hand-back`;
  if (!existsSync(join(dir, '.git')))
    throw new DispatchError('E_USAGE', `${dir} is no repository of yours`, {
      fix: `dispatch review ${item.task} --take   (or: --hand-back --into the directory)`,
    });
  const left = await uncommitted(dir);
  if (left !== '')
    throw new DispatchError('E_USAGE', `${dir} has changes that are not committed`, {
      why: left.split('\n').slice(0, 10).map(safeLine).join('\n'),
      fix: `commit them there, then: ${again}`,
    });
  const commit = await takeIn(join(homePaths(home).repos, `${item.project}.git`), dir, item.token);
  if (commit === null)
    throw new DispatchError('E_USAGE', `${dir} has no commit`, { fix: `commit there, then: ${again}` });
  if (commit === item.commit)
    throw new DispatchError('E_USAGE', `nothing has changed in ${dir}`, {
      fix: `dispatch review ${item.task} --approve`,
    });
  return commit;
}

/** What has merged is mended by work of its own. */
function notMerged({ at, task, project }: QueueItem): void {
  if (at !== 'merged') return;
  throw new DispatchError('E_WRONG_STATE', `${task} has merged: there is no branch to take over`, {
    fix: `dispatch review ${task} --reject REASON   or   dispatch verify ${project} --review --again --follow-up`,
  });
}

function placeFor(
  { environment }: Context,
  home: string,
  { project, id }: QueueItem,
  said: string | undefined,
): string {
  return said === undefined ? join(home, 'taken', project, id) : resolve(environment.cwd, said);
}
