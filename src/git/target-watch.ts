/**
 * What the target had must stay on it. `refs/dispatch/seen/<branch>` is the newest tip of the target that dispatch has seen
 * or put there, and only ever grows: a target that stands somewhere else was moved back or rewritten by somebody. The
 * name keeps what was taken away, and stays until a person says what counts.
 *
 * Integration is the hub's own, and nobody has to move it: `refs/dispatch/landed` follows it, and brings it back.
 */
import { DispatchError } from '../model/error.ts';
import type { CommitId, ProjectName, TaskId } from '../model/ids.ts';
import { HUB_ENV, isHub } from './hub-dir.ts';
import { INTEGRATION, isAncestor, LANDED, moveRef, readRef, seenRef, TARGET } from './refs.ts';
import { mergeBases } from './merge-tree.ts';
import type { RepoPlace } from './repo-place.ts';
import { landedMerges, tasksIn } from './trailers.ts';

/** The target does not contain any more what it had. */
export interface LostTarget {
  readonly was: CommitId;
  readonly now: CommitId;
  /** Merged by dispatch, and not on the target any more. */
  readonly tasks: readonly TaskId[];
}

/** To be called with each tip that was fetched. @returns null when it has all that it had. */
export async function watchTarget(
  repo: RepoPlace,
  branch: string,
  tip: CommitId,
): Promise<LostTarget | null> {
  const seen = await readRef(repo, seenRef(branch));
  if (seen === tip) return null;
  if (seen === null || (await isAncestor(repo, seen, tip))) {
    await moveRef(repo, seenRef(branch), tip, seen ?? 'absent');
    return null;
  }
  // Another repository altogether: whoever merges says so.
  if ((await mergeBases(repo, seen, tip)).length === 0) return null;
  return { was: seen, now: tip, tasks: tasksIn(await landedMerges(repo, tip, seen, false)) };
}

/** From now on this is what the target has: it was put there, or a person has accepted it. */
export async function knowTarget(repo: RepoPlace, branch: string, tip: CommitId): Promise<void> {
  await moveRef(repo, seenRef(branch), tip, null);
}

/** As of the last fetch, and without one. */
export async function lostTargetIn(dir: string, branch: string): Promise<LostTarget | null> {
  if (!isHub(dir)) return null;
  const repo = { gitDir: dir, env: HUB_ENV };
  const tip = await readRef(repo, TARGET);
  const seen = await readRef(repo, seenRef(branch));
  if (tip === null || seen === null || (await isAncestor(repo, seen, tip))) return null;
  return { was: seen, now: tip, tasks: tasksIn(await landedMerges(repo, tip, seen, false)) };
}

/** Integration stands behind what has landed on it: it goes there again. @returns where it is. */
export async function keepLanded(repo: RepoPlace, integration: CommitId): Promise<CommitId> {
  const landed = await readRef(repo, LANDED);
  if (landed === integration) return integration;
  if (landed === null || (await isAncestor(repo, landed, integration))) {
    await moveRef(repo, LANDED, integration, null);
    return integration;
  }
  if (await isAncestor(repo, integration, landed)) {
    await moveRef(repo, INTEGRATION, landed, integration);
    return landed;
  }
  const short = (id: CommitId): string => id.slice(0, 12);
  const why = `somebody has moved ${INTEGRATION} to ${short(integration)}, which lacks what has landed (${short(landed)})`;
  throw new DispatchError('E_HUB_BROKEN', 'integration was rewritten', {
    where: repo.gitDir,
    why,
    fix: `git -C ${repo.gitDir} update-ref ${INTEGRATION} ${landed}`,
  });
}

/** @param target the branch. */
export function targetRewound(
  { was, now, tasks }: LostTarget,
  { target, project, dir }: { readonly target: string; readonly project: ProjectName; readonly dir: string },
): DispatchError {
  return new DispatchError('E_TARGET_REWOUND', rewoundText({ was, now, tasks }, target), {
    where: dir,
    why: 'somebody has moved the branch back or rewritten it; the hub keeps what it had',
    fix: rewoundFix(project),
  });
}

/** `main does not contain any more what it had: it was at … (with S01, S02) and is at …`. */
export function rewoundText({ was, now, tasks }: LostTarget, target: string): string {
  const shown = tasks.slice(0, 5).join(', ');
  const lost =
    tasks.length === 0
      ? ''
      : `, and lacks ${shown}${tasks.length > 5 ? ` and ${tasks.length - 5} more` : ''}`;
  return `${target} does not contain any more what it had: it was at ${was.slice(0, 12)} and is at ${now.slice(0, 12)}${lost}`;
}

export function rewoundFix(project: ProjectName): string {
  return `dispatch queue release ${project} --accept-target, then dispatch collect ${project} brings it back, and dispatch revert <task> leaves a task out`;
}
