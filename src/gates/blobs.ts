/**
 * Files that nobody can look into: too large for a review, or kept somewhere else. A branch may not make the repository
 * heavy for everybody, nor bring content in that no gate has seen.
 */
import type { Finding } from '../model/attempt.ts';
import type { GateSettings } from '../model/spec.ts';
import type { BranchFacts } from './facts.ts';
import { showPath } from './show-path.ts';

export interface BlobRules {
  readonly modifies: readonly string[];
  readonly gates: GateSettings;
}

/** Findings about large files, unread ones, and Git LFS pointers, whose content is on another server. */
export function blobFindings(facts: BranchFacts, { modifies, gates }: BlobRules): Finding[] {
  // What was not read may well be text.
  const unseen = new Set(facts.unread);
  const binary = new Set(facts.binary.filter((path) => !unseen.has(path)));
  const large = [...facts.sizes].flatMap(([path, bytes]): Finding[] => {
    const limit = binary.has(path) ? gates.largestBinaryKb : gates.largestFileKb;
    if (bytes <= limit * 1024) return [];
    const what = binary.has(path) ? 'a file that is not text' : 'a file';
    return [
      finding(
        path,
        `has ${Math.ceil(bytes / 1024)} KiB; ${what} may have ${limit}`,
        'Make it smaller, produce it during the build, or keep it outside of the repository.',
      ),
    ];
  });
  const named = new Set(large.map(({ path }) => path));
  const unread = facts.unread
    .filter((path) => !named.has(path))
    .map((path) =>
      finding(
        path,
        'was not read: the branch changes too much content to be checked in one go',
        'Split the work, or leave large generated files out.',
      ),
    );
  const listed = new Set(modifies);
  const pointers = facts.pointers
    .filter((path) => !listed.has(path))
    .map(
      (path): Finding => ({
        ...finding(
          path,
          'is a Git LFS pointer: what it points to is not in the repository, and no gate has seen it',
          'Put the pointer back as it is in the base, unless a person approves it.',
        ),
        approval: true,
      }),
    );
  return [...large, ...unread, ...pointers];
}

function finding(path: string, message: string, fix: string): Finding {
  return { gate: 'content', path, line: null, message: `${showPath(path)} ${message}`, fix };
}
