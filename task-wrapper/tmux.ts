/**
 * The worker's own tmux server: own socket, own configuration, an environment without anything of the person who
 * started it. Sessions are made through one control-mode client, which saves a process per session (2.1 ms against
 * 3.5); when that client is gone the command line does the same.
 *
 * Commands hold only names of ours and paths of safe characters (see root.ts), so tmux's parser has nothing to
 * interpret; a command given as several words is executed without a shell.
 *
 * `window-size manual` would crash tmux 3.3a here (new-session -d with that option set globally), so it is set on the
 * windows that people attach to, after they exist.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { JournalFact } from '../src/protocol/messages.ts';
import { silenceLoginRecords, withoutLoginRecords } from './login-records.ts';
import type { Root } from './root.ts';
import { TmuxSocket } from './tmux-socket.ts';
import { StoppedServer } from './tmux-stopped.ts';

const run = promisify(execFile);

const CONFIG = [
  'set -g default-shell /bin/sh',
  'set -g default-terminal screen',
  'set -g default-size 200x50',
  'set -g history-limit 0',
  'set -g remain-on-exit off',
  'set -g destroy-unattached off',
  'set -g update-environment ""',
  'set-environment -gu LD_LIBRARY_PATH',
  'set -g automatic-rename off',
  'set -g set-titles off',
  'set -g status off',
  'set -s escape-time 0',
  '',
].join('\n');

/** Session that the supervisor itself runs in. */
export const SUPERVISOR = 'supervisor';
/** Before the control client is tried again. */
const RECONNECT_MS = 500;
const CLI_TIMEOUT_MS = 20_000;
/** A server that has been stopped for so long is told to go on: well before a command that waits for it is given up. */
export const STOPPED_MS = 10_000;

/** What every process on this tmux server starts from. */
export function cleanEnv(): Record<string, string> {
  const { PATH, HOME, LANG, USER, LOGNAME, TZ, TMPDIR } = process.env;
  const env: Record<string, string> = {
    PATH: PATH ?? '/usr/local/bin:/usr/bin:/bin',
    TERM: 'screen',
    LANG: LANG ?? 'C.UTF-8',
  };
  for (const [name, value] of Object.entries({ HOME, USER, LOGNAME, TZ, TMPDIR }))
    if (value !== undefined) env[name] = value;
  return env;
}

/** Arguments that name this server; attaching by hand needs them too. */
export function serverArgs(root: Root): string[] {
  return ['-S', root.tmuxSocket, '-f', `${root.run}/tmux.conf`];
}

/** Runs one tmux command, starting the server when none lives. @throws Error with tmux's own words. */
export async function tmux(root: Root, args: readonly string[]): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      const env = { ...cleanEnv(), ...withoutLoginRecords(root) };
      return (await run('tmux', [...serverArgs(root), ...args], { env, timeout: CLI_TIMEOUT_MS })).stdout;
    } catch (error) {
      // A server that is just leaving still accepts a connection, then drops it.
      if (
        tries < 5 &&
        /server exited|lost server|no server running/.test(String(error)) &&
        args[0] === 'new-session'
      )
        continue;
      throw error;
    }
  }
}

/** Everything that the server reads when it starts. */
export function writeConfig(root: Root): void {
  silenceLoginRecords(root);
  writeFileSync(`${root.run}/tmux.conf`, CONFIG, { mode: 0o600 });
}

/** For a server that a service keeps running: it was started without the configuration, or with an older one. */
export async function applyConfig(root: Root): Promise<void> {
  await tmux(root, ['source-file', `${root.run}/tmux.conf`]).catch(() => {
    // A supervisor that was started by hand has no server yet; the first session starts it with the file.
  });
}

interface Waiting {
  readonly resolve: (lines: string[]) => void;
  readonly reject: (error: Error) => void;
}

class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

export interface TmuxListener {
  /** Sessions have come or gone, or the server has. */
  readonly onChange: () => void;
  /** The server that the supervisor lived in is gone for good. Called once. */
  readonly onLost: () => void;
  /** Its socket was lost, or is there again. */
  readonly tell: (fact: JournalFact) => void;
}

export class Tmux {
  readonly #root: Root;
  readonly #listener: TmuxListener;
  readonly #socket: TmuxSocket;
  readonly #stopped: StoppedServer;
  /** Started, and perhaps not attached yet. */
  #connecting: ChildProcess | null = null;
  /** Attached: commands go here. */
  #client: ChildProcess | null = null;
  #waiting: Waiting[] = [];
  #rest = '';
  /** Lines of the reply being read; null between replies. */
  #reply: string[] | null = null;
  #ours = false;
  #wasAttached = false;
  #failures = 0;
  #closed = false;

  /** @param stoppedMs see STOPPED_MS. */
  constructor(root: Root, listener: TmuxListener, stoppedMs = STOPPED_MS) {
    this.#root = root;
    this.#listener = listener;
    this.#socket = new TmuxSocket(root, listener.tell);
    this.#stopped = new StoppedServer(root, listener.tell, stoppedMs);
  }

  /** Connects the control client to the supervisor's own session. Without one (no tmux, started by hand) the command line serves. */
  connect(): void {
    if (this.#closed) return;
    if (this.#socket.mend()) {
      // To attach without a socket would start a second server.
      this.#connectLater();
      return;
    }
    const client = spawn(
      'tmux',
      [
        ...serverArgs(this.#root),
        '-C',
        'attach-session',
        '-f',
        'no-output,ignore-size',
        '-t',
        `=${SUPERVISOR}`,
      ],
      {
        env: cleanEnv(),
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    );
    this.#connecting = client;
    client.stdout?.on('data', (bytes: Buffer) => this.#read(bytes.toString('latin1')));
    client.stdin?.on('error', () => {});
    client.once('error', () => this.#gone(client));
    client.once('exit', () => this.#gone(client));
  }

  /**
   * A detached session that runs argv as it is, without a shell. One of that name that is there already is as good: it
   * was asked for twice, or the client died in the middle and nobody knew. (launch.sh runs a step once, whoever asks.)
   */
  async newSession(name: string, argv: readonly string[]): Promise<void> {
    const args = ['new-session', '-d', '-s', name, ...argv];
    await this.#command(args)
      .catch((error: unknown) => {
        if (!(error instanceof ClientGone)) throw error;
        return tmux(this.#root, args);
      })
      .catch((error: unknown) => {
        if (!String(error).includes('duplicate session')) throw error;
      });
  }

  async hasSession(name: string): Promise<boolean> {
    try {
      await this.#command(['has-session', '-t', `=${name}`]);
      return true;
    } catch {
      return false;
    }
  }

  async killSession(name: string): Promise<void> {
    try {
      await this.#command(['kill-session', '-t', `=${name}`]);
    } catch {
      // It has ended by itself.
    }
  }

  async sessions(): Promise<string[]> {
    const out = await tmux(this.#root, ['list-sessions', '-F', '#{session_attached} #{session_name}']);
    return out.split('\n').filter((line) => line !== '');
  }

  /** Leaves the server before the process ends: a client that is still attached would keep it. */
  close(): void {
    this.#closed = true;
    this.#socket.stop();
    this.#stopped.stop();
    this.#connecting?.stdin?.end('detach-client\n');
    this.#client = null;
  }

  async #command(args: readonly string[]): Promise<string[]> {
    const client = this.#client;
    if (client === null || !args.every((word) => /^[A-Za-z0-9_.,/=-]+$/.test(word))) {
      return (await tmux(this.#root, args)).split('\n');
    }
    return await this.#write(client, args.join(' '));
  }

  /**
   * One line to the control client, in tmux's own syntax. A server that gives no answer costs the client its life, so that
   * nobody waits for ever. @throws ClientGone when it ends before the reply.
   */
  #write(client: ChildProcess, line: string): Promise<string[]> {
    return new Promise<string[]>((resolve, reject) => {
      const late = setTimeout(() => client.kill('SIGKILL'), CLI_TIMEOUT_MS);
      const done = (then: () => void): void => {
        clearTimeout(late);
        then();
      };
      this.#waiting.push({
        resolve: (lines) => done(() => resolve(lines)),
        reject: (error) => done(() => reject(error)),
      });
      client.stdin?.write(`${line}\n`);
    });
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  /** `%begin <time> <number> <flags>` … `%end` or `%error`; flag 1 marks replies to this client's own commands. */
  #line(line: string): void {
    if (this.#reply !== null) {
      if (/^%(?:end|error) \d+ \d+ \d+$/.test(line)) this.#endReply(line.startsWith('%end'));
      else this.#reply.push(line);
    } else if (line.startsWith('%begin ')) {
      this.#reply = [];
      this.#ours = line.endsWith(' 1');
    } else if (line === '%sessions-changed') {
      this.#listener.onChange();
    }
  }

  #endReply(ok: boolean): void {
    const reply = this.#reply ?? [];
    this.#reply = null;
    if (!this.#ours) {
      // The reply to the attach itself: from here on commands are understood.
      if (ok) this.#attached();
      return;
    }
    const waiting = this.#waiting.shift();
    if (ok) waiting?.resolve(reply);
    else waiting?.reject(new Error(reply.join('; ')));
  }

  #attached(): void {
    const client = this.#connecting;
    this.#client = client;
    this.#wasAttached = true;
    this.#failures = 0;
    if (client === null) return;
    // Asked over the line that stands: the socket may be lost at this very moment, and this is who has to mend it.
    this.#write(client, "display-message -p '#{pid}'").then(
      ([pid]) => {
        if (this.#closed) return;
        this.#socket.keep(Number(pid));
        this.#stopped.keep(Number(pid));
      },
      // It is gone again already, and the next attach asks again.
      () => {},
    );
  }

  #gone(client: ChildProcess): void {
    if (this.#connecting !== client) return;
    this.#connecting = null;
    this.#client = null;
    this.#rest = '';
    this.#reply = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(new ClientGone());
    if (this.#closed) return;
    this.#listener.onChange();
    // Once attached, a second failure in a row means that there is no session of the supervisor's any more; unless the
    // server lives and only its socket is gone.
    if (!this.#socket.mend()) this.#failures += 1;
    if (this.#wasAttached && this.#failures === 2) this.#listener.onLost();
    else this.#connectLater();
  }

  #connectLater(): void {
    setTimeout(() => this.connect(), RECONNECT_MS).unref();
  }
}
