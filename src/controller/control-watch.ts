/**
 * A branch may change the files that a gate runs: a person approved that, or its spec lists them. Once it has landed, the
 * gate is another one, and has to show that it goes red before more work starts. Which branches may have done so is
 * known from the paths they change; of one that an earlier controller fetched it is not known, so it counts as one.
 */
import type { Project } from '../model/task.ts';
import type { ProjectName, Token } from '../model/ids.ts';
import { beginControl } from './control.ts';
import type { Turn } from './turn.ts';

/** @param paths the first of the changed paths, `changed` in all. */
export function watchCollected(
  { memory }: Turn,
  { project, token, changed, paths = [] }: CollectedPaths,
): void {
  const watched = memory.gatePaths.get(project);
  if (watched === undefined || paths.length < changed) return;
  if (!paths.some((path) => watched.has(path))) memory.harmless.add(token);
}

interface CollectedPaths {
  readonly project: ProjectName;
  readonly token: Token;
  readonly changed: number;
  readonly paths?: readonly string[];
}

export function watchLanded(turn: Turn, project: Project, tokens: readonly Token[]): void {
  const { harmless, gatePaths, dispatching } = turn.memory;
  const known = tokens.map((token) => harmless.delete(token));
  if (known.includes(false) && gatePaths.has(project.name) && dispatching.has(project.name))
    beginControl(turn, project);
}
