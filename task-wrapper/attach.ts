/**
 * Windows for people. The agent's own session shows only what is written to its terminal, because its output goes to the
 * log; so a session of its own follows the log, and people attach to that one, read-only. It ends when nobody needs it
 * (see `sweepViews`). A question that waits on the terminal itself (a password, a host key) is in the live session.
 */
import type { Token } from '../src/model/ids.ts';
import type { Root } from './root.ts';
import { serverArgs, tmux, type Tmux } from './tmux.ts';

/** The command line that attaches to the view, made now when it is not there. */
export async function prepareView(root: Root, server: Tmux, token: Token, log: string): Promise<string[]> {
  const name = `v_${token}`;
  if (!(await server.hasSession(name))) {
    await server.newSession(name, ['/usr/bin/env', 'tail', '-n', '1000', '-F', log]);
    // Else the first client that attaches resizes the window.
    await tmux(root, ['set-option', '-w', '-t', `=${name}:`, 'window-size', 'manual']);
  }
  return ['tmux', ...serverArgs(root).slice(0, 2), 'attach-session', '-r', '-t', `=${name}`];
}

/** The command line that attaches to the running step's own session; null: it is gone. Its window keeps its size. */
export async function liveSession(
  root: Root,
  server: Tmux,
  session: string,
  write: boolean,
): Promise<string[] | null> {
  if (!(await server.hasSession(session))) return null;
  await tmux(root, ['set-option', '-w', '-t', `=${session}:`, 'window-size', 'manual']);
  const argv = ['tmux', ...serverArgs(root).slice(0, 2), 'attach-session'];
  return [...argv, ...(write ? [] : ['-r']), '-t', `=${session}`];
}

/** Ends views that nobody is attached to. */
export async function sweepViews(server: Tmux): Promise<void> {
  for (const line of await server.sessions()) {
    const [attached, name] = line.split(' ');
    if (attached === '0' && name?.startsWith('v_')) await server.killSession(name);
  }
}
