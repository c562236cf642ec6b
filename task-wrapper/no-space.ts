/** Whether something could not be done for want of room on the disk, as Node.js, git or tmux say it. */
export function isNoSpace(error: unknown): boolean {
  return /ENOSPC|EDQUOT|No space left/.test(error instanceof Error ? error.message : String(error));
}
