import { type CodeEntry, EXIT } from '../exit.ts';

/** Codes of the gates (`E_GATE_` and the gate's name) and of the agents they judge. */
export const GATE_CODES = {
  E_GATE_COMMIT: {
    title: 'the agent changed nothing',
    exit: EXIT.unfinished,
    explain:
      'The branch has no commit, or its commits cancel each other out. An agent that says it is done without a change has not done the task. See its last words with `dispatch logs`; if there was nothing to do, cancel the task.',
  },
  E_GATE_SCOPE: {
    title: 'the branch changes files that the task does not claim',
    exit: EXIT.unfinished,
    explain:
      'Every changed path, deletions and both sides of a rename included, must match `modifies` of the spec or `gates.extras` of project.yaml: the claim is what keeps two agents out of one file. A protected path must be listed in `modifies` literally; a glob does not reach it. Paths that differ only by case or Unicode form are different paths. Widen `modifies` if the task cannot do without the file, then `dispatch retry`.',
  },
  E_GATE_CONTENT: {
    title: 'the branch holds something that may not be in the repository',
    exit: EXIT.unfinished,
    explain:
      'Submodules, symbolic links that leave the tree, names that git takes for its own files, odd file modes, two names that are one file where case does not count, and source files that are not text are refused whatever the spec says: they do harm when the tree is checked out, or hide a change from the other gates.',
  },
  E_GATE_PLACEHOLDER: {
    title: 'the branch adds unfinished work',
    exit: EXIT.unfinished,
    explain:
      'An added line says that something is not done (TODO, FIXME, XXX, "not implemented", a placeholder) or a function without a body was added. Lines that were there before do not count. A function that is empty on purpose says so in a comment inside it. A line that has to stay is allowed by an entry in `gates.placeholder.allow` of project.yaml: path, text and the reason.',
  },
  E_GATE_VERIFY: {
    title: 'the verify command fails',
    exit: EXIT.unfinished,
    explain:
      'The command ran on a clean checkout of the commit and ended with another code than 0. What it printed is kept with the attempt: `dispatch logs`. If it passes in your own checkout, look for files that are ignored or not committed. A command that is missing, killed or out of time is a broken gate and not counted against the task.',
  },
  E_GATE_PROVES_NOTHING: {
    title: 'the verify command cannot go red',
    exit: EXIT.unfinished,
    explain:
      "Before work starts, every verify command of the project runs once on the base, where it has to be green, and once on a copy in which every tracked file is replaced by rubbish, where it has to go red. Only what makes it run is kept: the script that it runs, Makefiles, package manifests, configuration, lockfiles. This one was green on the rubbish, so it would let anything in: it runs no tests, loses their exit code (`… || true`, a pipe without `pipefail`, `exit 0`), tests another place, or looks at nothing that is in the repository. Mend the command and start again; run it by hand in a checkout in which you emptied the sources to see the same. What was shown holds until the command, the files that it runs, or the project's gate settings change. A repository that has no tests yet, and a command that is green all the same, looks just so: add a first test, or let the command fail when it finds none. A command that is red on the base already, such as one for tests that the tasks are to write, does not keep work from starting; that is noted, and it is tried again at the next start when the base is another. Where a gate is not meant to judge files, say so in project.yaml, `gates: { control: { skip: the reason } }`, or for one start with `dispatch start <project> --skip-control <reason>`; the report shows the reason.",
  },
  E_AGENT_REFUSED: {
    title: "the agent's provider refused the call",
    exit: EXIT.auth,
    explain:
      'The key is missing, wrong or expired, the plan has ended, or the model is not known there. Nothing is wrong with the task. Put the right key into the file that the executor names on the node (mode 0600), then `dispatch retry`.',
  },
  E_AGENT_LIMITED: {
    title: "the agent's provider is over its limit",
    exit: EXIT.unfinished,
    explain:
      'Too many calls at once or in a period (429), or an overload (529). Attempts wait and try again by themselves. Fewer slots for the executor, or another key, help when it lasts.',
  },
} as const satisfies Record<`E_${string}`, CodeEntry>;
