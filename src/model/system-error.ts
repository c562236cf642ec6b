/** What the operating system refused, under the name that a person can act on, wherever in a home it happened. */
import { DispatchError } from './error.ts';

/** The error to show for it; null when it is none of the system's, or one that only a defect of ours can explain. */
export function systemError(thrown: unknown): DispatchError | null {
  if (!(thrown instanceof Error) || !('code' in thrown) || !('syscall' in thrown)) return null;
  const { message, cause, path } = thrown as NodeJS.ErrnoException;
  const detail = { why: message, cause: cause ?? thrown, ...(path === undefined ? {} : { where: path }) };
  switch (thrown.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new DispatchError('E_NO_SPACE', 'no space left for a file of the home', {
        ...detail,
        fix: 'free space on that disk, and run the same command again',
      });
    case 'EIO':
    case 'EROFS':
      return new DispatchError('E_HOME_IO', 'a file of the home could not be read or written', {
        ...detail,
        fix: 'look at the system log for failures of the disk, and run the same command again',
      });
    default:
      return null;
  }
}
