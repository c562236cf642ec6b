import { type CodeEntry, EXIT } from '../exit.ts';

/** Codes raised by the command line itself. */
export const CLI_CODES = {
  E_USAGE: {
    title: 'the command line is not understood',
    exit: EXIT.usage,
    explain:
      'A verb, an option or an argument is unknown, missing or of the wrong form. `dispatch help <verb>` shows examples.',
  },
  E_INTERNAL: {
    title: 'dispatch itself failed',
    exit: EXIT.internal,
    explain:
      'A defect of dispatch, not of your files. Nothing was half done: every change of state is one transaction. Run the same command again; if it repeats, report the printed text.',
  },
  E_NO_HOME: {
    title: 'no dispatch home here',
    exit: EXIT.notFound,
    explain:
      'A home is a directory with nodes.json and specs/. dispatch looks for one from the current directory upwards, or takes --home or DISPATCH_HOME. `dispatch init` makes one.',
  },
  E_NOT_FOUND: {
    title: 'no such project, task or node',
    exit: EXIT.notFound,
    explain: 'The name is not known in this home. The message names the nearest one that is.',
  },
} as const satisfies Record<`E_${string}`, CodeEntry>;
