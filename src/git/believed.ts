/**
 * A git whose failure is an answer: what was asked about is damaged, missing, or no such thing. git ends with the same
 * code when the machine fails it, so it is believed only when it says the same twice.
 *
 * This file is bundled into the node-side program too, so it stands on run.ts alone.
 */
import { git, GitError, type GitOptions, type GitResult } from './run.ts';

/** Of a git that fails each time in other words. */
const MOST_TRIES = 3;

/**
 * @param options made anew for each try where an input can be read only once.
 * @returns also a failure, with git's code and words. @throws GitError as `git` when it is none to be believed.
 */
export async function believedGit(
  args: readonly string[],
  options: GitOptions | (() => GitOptions),
): Promise<GitResult> {
  let said: string | null = null;
  for (let tries = 1; ; tries += 1) {
    try {
      return await git(args, typeof options === 'function' ? options() : options);
    } catch (error) {
      if (!(error instanceof GitError) || error.why !== 'exit' || error.code === null) throw error;
      const { code, stderr } = error;
      if (stderr === said) return { code, stdout: Buffer.alloc(0), stderr };
      if (tries === MOST_TRIES) throw error;
      said = stderr;
    }
  }
}
