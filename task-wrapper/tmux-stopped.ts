/**
 * A tmux server that was stopped (SIGSTOP: a debugger, a frozen job, a slip of somebody's hand) makes no session and
 * answers nobody, while what runs in it goes on. To kill it would end all of that. So it is told to go on: by the
 * supervisor when it has stood for a while, and at once by whoever is about to start a supervisor, since nobody else is
 * there to do it then. Which process it is stands in a file, because a server that is stopped cannot be asked.
 */
import type { JournalFact } from '../src/protocol/messages.ts';
import { readIfThere, replaceFile } from './durable.ts';
import { isNoSpace } from './no-space.ts';
import { isStopped, startTime } from './host.ts';
import type { Root } from './root.ts';

/** How often it is looked at before it has stood for too long. */
const LOOKS = 4;

export class StoppedServer {
  readonly #root: Root;
  readonly #tell: (fact: JournalFact) => void;
  readonly #stoppedMs: number;
  readonly #timer: NodeJS.Timeout;
  /** Text of the record of the server that was reached last; null: none was, by this process. */
  #known: string | null = null;
  /** Looks in a row that found it stopped. Counted, not timed: a machine that stood still as a whole has not looked. */
  #stood = 0;

  /** @param stoppedMs a server that has stood for so long, milliseconds, is told to go on. */
  constructor(root: Root, tell: (fact: JournalFact) => void, stoppedMs: number) {
    this.#root = root;
    this.#tell = tell;
    this.#stoppedMs = stoppedMs;
    this.#timer = setInterval(() => this.#look(), stoppedMs / LOOKS).unref();
  }

  /** The server that was reached just now. */
  keep(pid: number): void {
    this.#known = `${pid}\n${startTime(pid) ?? ''}\n`;
    this.#note();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#note();
    const pid = stoppedServer(this.#root);
    this.#stood = pid === null ? 0 : this.#stood + 1;
    if (pid === null || this.#stood < LOOKS) return;
    const seconds = Math.round(this.#stoppedMs / 1000);
    const detail = `the server (process ${pid}) was stopped, for ${seconds} s at least`;
    this.#tell({ type: 'tmux.lost', what: 'server', detail });
    process.kill(pid, 'SIGCONT');
    this.#tell({ type: 'tmux.mended', what: 'server', detail: 'it goes on, by SIGCONT' });
  }

  /** For whoever comes when it cannot be asked. */
  #note(): void {
    const file = recordOf(this.#root);
    if (this.#known === null || readIfThere(file) === this.#known) return;
    try {
      replaceFile(file, this.#known);
    } catch (error) {
      // With the next look; what a full disk must not do is end the supervisor.
      if (!isNoSpace(error)) throw error;
    }
  }
}

/** The server goes on if it stands: it is about to be asked for a session. */
export function continueServer(root: Root): void {
  const pid = stoppedServer(root);
  if (pid !== null) process.kill(pid, 'SIGCONT');
}

/** Process id of the server if it is stopped. */
function stoppedServer(root: Root): number | null {
  const [pid = '', start] = (readIfThere(recordOf(root)) ?? '').split('\n');
  const server = Number(pid);
  return server > 1 && isStopped(server) && startTime(server) === start ? server : null;
}

function recordOf(root: Root): string {
  return `${root.run}/tmux-server`;
}
