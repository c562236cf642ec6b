/**
 * A window for people. The agent's own session shows nothing, because its output goes to the log; so a session of its
 * own follows the log, and people attach to that one, read-only. It ends when nobody needs it (see `sweepViews`).
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

/** Ends views that nobody is attached to. */
export async function sweepViews(server: Tmux): Promise<void> {
  for (const line of await server.sessions()) {
    const [attached, name] = line.split(' ');
    if (attached === '0' && name?.startsWith('v_')) await server.killSession(name);
  }
}
