/** A notification of this machine's desktop: notify-send, or osascript on a Mac. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DispatchError } from '../../model/error.ts';
import { cut, type Message } from '../message.ts';
import { escapeMarkup } from './markup.ts';

/** More is not shown by any of them. */
const MOST_BYTES = 1000;

/** The texts are arguments, never part of the script. */
const SCRIPT = 'on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run';

/** @throws DispatchError E_SINK when there is no such program, or it fails. */
export async function notifyDesktop(
  { title, text, level }: Message,
  { platform, signal }: { readonly platform: NodeJS.Platform; readonly signal: AbortSignal },
): Promise<void> {
  const body = cut(text, MOST_BYTES);
  const urgency = level === 'P0' ? 'critical' : 'normal';
  const [program, args] =
    platform === 'darwin'
      ? ['osascript', ['-e', SCRIPT, title, body]]
      : ['notify-send', ['--app-name=dispatch', `--urgency=${urgency}`, '--', title, escapeMarkup(body)]];
  try {
    await promisify(execFile)(program, args, { signal });
  } catch (error) {
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { stderr?: string };
    const [said = ''] = stderr.trim().split('\n');
    const why =
      code === 'ENOENT'
        ? `there is no ${program} on this machine`
        : `${program} failed: ${said || String(code)}`;
    throw new DispatchError('E_SINK', signal.aborted ? `${program} did not end in time` : why);
  }
}
