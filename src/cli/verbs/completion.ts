import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { printCompletionScript, SHELLS } from '../completion.ts';
import type { Context } from '../context.ts';
import { nearest } from '../../spec/nearest.ts';

/** Prints the script that makes a shell complete verbs, options and the names of this home. */
export async function completion(_context: Context, wanted: string): Promise<ExitCode> {
  const shell = SHELLS.find((one) => one === wanted);
  if (shell === undefined) {
    const near = nearest(wanted, SHELLS);
    throw new DispatchError('E_USAGE', `no completion for ${JSON.stringify(wanted)}`, {
      fix:
        near === null ? `one of ${SHELLS.join(', ')}` : `did you mean ${near}?   dispatch completion ${near}`,
    });
  }
  printCompletionScript(shell);
  return EXIT.ok;
}
