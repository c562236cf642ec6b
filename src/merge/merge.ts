import { type Area, type AreaFacts, areasId } from '../model/area.ts';
import type { Conflict } from '../model/conflict.ts';
import type { CommitId } from '../model/ids.ts';
import { bordersOf, touchedBy } from './areas.ts';
import type { HubEffectOf, HubResult } from './door.ts';
import type { HubWork } from './work.ts';

/**
 * Merges a collected branch onto integration or onto the top of the stack, as a commit that no branch points to yet. A
 * conflict with integration is an answer, with the tasks on the other side of it, and goes back to an agent. One with
 * what is only on its way there is not, for that may never land: the branch waits, and no gate run is spent on it. The
 * reverse of what has landed is merged the same way, as a branch that begins where the work came in and takes it back.
 */
export async function merge(effect: HubEffectOf<'merge'>, work: HubWork): Promise<HubResult> {
  const { key, token, onto, aside, beside, undoes } = effect;
  const { hub, attempt } = work;
  const { task, title } = attempt(token);
  const label = { task, token, title, ...(undoes === undefined ? {} : { undoes: true as const }) };
  const head = undoes === undefined ? effect.head : await hub.reverse(undoes, label);
  const merged = await hub.merge(onto, head, label);
  if (!merged.clean) return await refused(effect, head, merged.paths, work);
  for (const other of beside) {
    const conflicts = await conflictsOn(other, head, work);
    if (conflicts !== null) return { is: 'merge.waits', key, token, onto: other, conflicts };
  }
  const { commit, tree } = merged;
  const areas = await areaFacts(onto, commit, effect.areas, work);
  return { is: 'merge.made', key, token, onto, commit, tree, aside, ...areas };
}

/** Read off the merge itself: what a branch changed besides is in what it stands on already. */
async function areaFacts(
  onto: CommitId,
  commit: CommitId,
  areas: readonly Area[] | undefined,
  { hub }: HubWork,
): Promise<{ areas?: AreaFacts }> {
  const of = areasId(areas);
  if (areas === undefined || of === undefined) return {};
  const { touched, within } = touchedBy(await hub.changedBetween(onto, commit), areas);
  const projected = await hub.project(commit, touched, bordersOf(areas).sees);
  return { areas: { of, within, touched: projected.map(({ name: area, ...made }) => ({ area, ...made })) } };
}

async function refused(
  { key, token, onto, undoes }: HubEffectOf<'merge'>,
  head: CommitId,
  paths: readonly string[],
  work: HubWork,
): Promise<HubResult> {
  const tip = await work.hub.integration();
  const landed =
    tip === onto ? await work.hub.conflictTasks(paths, head, onto) : await conflictsOn(tip, head, work);
  if (landed !== null) {
    const own = undoes === undefined ? null : work.attempt(token).task;
    // What is taken back did change these paths: it is not in its own way.
    const conflicts = landed.map(({ path, tasks }) => ({
      path,
      tasks: tasks.filter((task) => task !== own),
    }));
    return { is: 'merge.conflict', key, token, onto: tip, conflicts };
  }
  const conflicts = await work.hub.conflictTasks(paths, head, onto);
  return { is: 'merge.waits', key, token, onto, conflicts };
}

/** The files on which a branch does not go together with a commit, with the tasks on the other side; null when it does. */
export async function conflictsOn(
  onto: CommitId,
  head: CommitId,
  { hub }: HubWork,
): Promise<readonly Conflict[] | null> {
  const merged = await hub.fits(onto, head);
  return merged.clean ? null : await hub.conflictTasks(merged.paths, head, onto);
}
