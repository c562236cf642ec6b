import { type CodeEntry, EXIT } from '../exit.ts';

/** Codes about what may be spent. */
export const BUDGET_CODES = {
  E_BUDGET_LOW: {
    title: 'four fifths of a budget are used',
    exit: EXIT.unfinished,
    explain:
      'Of a bound in `budget` of dispatch.yaml (all projects, or a key) or of project.yaml (the project, or each task over all its attempts), 80 % or more are used. Work goes on until nothing is left. `dispatch budget` shows what was used, by day, project, executor and key; `dispatch budget raise` or an edit of the file gives more. Attempts whose agents told nothing count as what was reserved for them.',
  },
  E_BUDGET_GONE: {
    title: 'a budget leaves no room, so no new work starts',
    exit: EXIT.unfinished,
    explain:
      'An attempt starts only where what was used, what live attempts hold reserved and what it is expected to use itself stay within every bound: of the home, of its project, of its key, for the day and for good, and of the task itself over all its attempts (`budget: { task: … }` in project.yaml), which holds up nobody else. What runs goes on. `dispatch why <task>` names the bound and the figures; `dispatch budget raise` or an edit of `budget` in dispatch.yaml or project.yaml gives more, and a controller that runs takes it up. A bound for the day is new at midnight (`report.timezone`).',
  },
} as const satisfies Record<string, CodeEntry>;
