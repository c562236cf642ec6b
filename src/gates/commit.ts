import type { Finding } from '../model/attempt.ts';
import type { BranchFacts } from './facts.ts';

/** A branch that changes nothing proves nothing, whatever its agent says about it. */
export function commitFindings(facts: BranchFacts): Finding[] {
  if (facts.commits > 0 && facts.changed.length > 0) return [];
  return [
    {
      gate: 'commit',
      path: null,
      line: null,
      message:
        facts.commits === 0
          ? 'there is no commit: nothing was changed'
          : 'the commits cancel each other out: nothing is different from the base',
      fix: 'Do the work that the spec asks for in the working tree; saying that it is done counts for nothing.',
    },
  ];
}
