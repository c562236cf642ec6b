import { type CodeEntry, EXIT } from '../exit.ts';

/** Codes of what makes a spec likely to fail, though it is valid. Each costs points of its score, and more where such specs have failed before. */
export const LINT_CODES = {
  E_LINT_UNTESTABLE: {
    title: 'an acceptance criterion that nothing can check',
    exit: EXIT.unfinished,
    explain:
      'Words such as "works properly" or "合理" leave it to the agent what done means, and the agent says done. Name what is observed: a command and its output, a status, a value, the test that shows it.',
  },
  E_LINT_WIDE: {
    title: 'a spec may change far more than it needs',
    exit: EXIT.unfinished,
    explain:
      'A pattern that takes in a whole top-level folder, or the repository, locks all of it while the task runs, and lets the agent wander. Name the files and folders that the goal is about.',
  },
  E_LINT_NO_TESTS: {
    title: 'a spec asks for tests that it may not write',
    exit: EXIT.unfinished,
    explain:
      'The goal or the acceptance asks for tests, and no path of `modifies` is one of tests: the agent writes them and is refused, or leaves them out and fails. Add the test files to `modifies`.',
  },
  E_LINT_CONTRADICTION: {
    title: 'a spec forbids what it asks for',
    exit: EXIT.unfinished,
    explain:
      'The don’ts name a path that `modifies` lists, or forbid tests that the acceptance asks for, or the acceptance names a test file outside of `modifies`. The agent obeys one of the two. Take one of them out.',
  },
  E_LINT_NO_DONTS: {
    title: 'a spec does not say what to leave alone',
    exit: EXIT.unfinished,
    explain:
      'Agents tidy up, rename and upgrade unless they are told not to. A few lines under "Don’t" keep the diff to what was meant.',
  },
  E_LINT_LARGE: {
    title: 'a spec is too large for fifteen minutes',
    exit: EXIT.unfinished,
    explain:
      'Many criteria, many paths, or an estimate beyond fifteen minutes: the longer an attempt, the more often it fails, and the longer others wait for its files. Where there is history, the message says how long specs of this size took. Split it.',
  },
} as const satisfies Record<`E_${string}`, CodeEntry>;
