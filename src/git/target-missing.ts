import { DispatchError } from '../model/error.ts';
import { nearest } from '../spec/nearest.ts';
import type { UpstreamBranches } from './upstream.ts';

/** Branches named in the message. */
const SHOWN = 8;

/** Why the target cannot be used: the repository has no branch at all, or none of that name, and which it may mean. */
export function targetMissing(
  repo: string,
  target: string,
  { heads, head }: UpstreamBranches,
): DispatchError {
  if (heads.size === 0) {
    return new DispatchError('E_REPO_EMPTY', `the repository has no commit on any branch`, {
      where: repo,
      fix: `make a first commit on ${target}, for instance: git commit --allow-empty -m 'Start'`,
    });
  }
  const names = [...heads.keys()].toSorted();
  const meant = nearest(target, names) ?? (head !== null && heads.has(head) ? head : (names[0] ?? ''));
  const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : '';
  return new DispatchError('E_TARGET_MISSING', `there is no branch ${target} in the repository`, {
    where: repo,
    why: `it has: ${names.slice(0, SHOWN).join(', ')}${more}`,
    fix: `did you mean \`target: ${meant}\` in project.yaml?`,
  });
}
