/**
 * Keeps the socket of the tmux server where clients find it. Cleaners of temporary directories remove sockets; the
 * server lives on then and nobody can reach it any more, while a client that is asked for a session would start a second
 * server beside it. On SIGUSR1 the server makes its socket again (tmux(1)).
 */
import { existsSync } from 'node:fs';
import type { JournalFact } from '../src/protocol/messages.ts';
import { startTime } from './host.ts';
import type { Root } from './root.ts';

const EVERY_MS = 1000;

export class TmuxSocket {
  readonly #root: Root;
  readonly #tell: (fact: JournalFact) => void;
  #server: { readonly pid: number; readonly start: string } | null = null;
  #lost = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(root: Root, tell: (fact: JournalFact) => void) {
    this.#root = root;
    this.#tell = tell;
  }

  /** The server that was reached just now. */
  keep(pid: number): void {
    const start = startTime(pid);
    this.#server = start === null ? null : { pid, start };
    this.#timer ??= setInterval(() => this.#look(), EVERY_MS).unref();
  }

  /** True when the server lives without a socket; it has been asked to make it again. */
  mend(): boolean {
    const server = this.#server;
    if (server === null || existsSync(this.#root.tmuxSocket) || startTime(server.pid) !== server.start)
      return false;
    if (!this.#lost) {
      this.#lost = true;
      const detail = `the server (process ${server.pid}) lives and its socket ${this.#root.tmuxSocket} is gone`;
      this.#tell({ type: 'tmux.lost', what: 'socket', detail });
    }
    process.kill(server.pid, 'SIGUSR1');
    return true;
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    if (this.mend() || !this.#lost || !existsSync(this.#root.tmuxSocket)) return;
    this.#lost = false;
    this.#tell({
      type: 'tmux.mended',
      what: 'socket',
      detail: 'the server made its socket again on SIGUSR1',
    });
  }
}
