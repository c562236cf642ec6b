/** Git bundles over a session: from a file, into a file, with backpressure both ways, so memory stays flat. */
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { DispatchError } from '../model/error.ts';
import type { CommitId, ProjectName, Token } from '../model/ids.ts';
import { CHUNK } from '../protocol/frame.ts';
import type { Session, SessionTimings } from './session.ts';

/**
 * Sends a bundle into the project's mirror on the node. Returns when it is there.
 * @throws NodeRefusal, or DispatchError E_NODE_TIMEOUT or E_NODE_DISCONNECTED; repeating it is harmless.
 */
export async function putBundle(
  session: Session,
  timings: SessionTimings,
  order: { readonly project: ProjectName; readonly commits: readonly CommitId[]; readonly epoch: number },
  file: string,
): Promise<void> {
  const pending = session.begin({ op: 'mirror.put', ...order }, { timeoutMs: timings.transferIdleMs });
  const source = createReadStream(file, { highWaterMark: CHUNK });
  try {
    // A refusal may come while the bytes are still on their way.
    await Promise.race([session.sendChunks(pending, source), pending.reply]);
    await pending.reply;
  } finally {
    source.destroy();
  }
}

/**
 * Fetches the bundle with an attempt's result into `file`, which appears only when it is complete.
 * @param wanted `bundle.get`: the result; `work.get`: whatever there is. `have`: commits that the hub holds already.
 * @returns the commit that the node says is the result.
 * @throws NodeRefusal, DispatchError E_NODE_TIMEOUT or E_NODE_DISCONNECTED, or the file's own error.
 */
export async function getBundle(
  session: Session,
  timings: SessionTimings,
  wanted: {
    readonly op: 'bundle.get' | 'work.get';
    readonly token: Token;
    readonly have: readonly CommitId[];
  },
  file: string,
): Promise<CommitId> {
  const part = `${file}.part`;
  const sink = new ChunkFile(session, createWriteStream(part, { mode: 0o600 }));
  const pending = session.begin(wanted, {
    timeoutMs: timings.transferIdleMs,
    onChunk: (bytes) => {
      pending.extend(timings.transferIdleMs);
      sink.take(bytes);
    },
  });
  try {
    const { head } = await Promise.race([pending.reply, sink.failed]);
    await Promise.race([sink.complete, session.closed.then((reason) => Promise.reject(reason))]);
    await rename(part, file);
    return head;
  } catch (error) {
    void session.call({ op: 'stop', request: pending.id }).catch(() => {});
    await sink.drop();
    await rm(part, { force: true });
    throw error;
  }
}

/** Writes chunks to a file; while the disk is slower than the line, the session stops reading. */
class ChunkFile {
  /** Settles when the end of the transfer has come and everything is written. */
  readonly complete: Promise<void>;
  /** Never resolves. */
  readonly failed: Promise<never>;
  readonly #session: Session;
  readonly #file: WriteStream;
  #release: (() => void) | null = null;

  constructor(session: Session, file: WriteStream) {
    this.#session = session;
    this.#file = file;
    this.complete = finished(file);
    this.failed = this.complete.then(
      () => new Promise<never>(() => {}),
      (error: unknown) => Promise.reject(writeProblem(error)),
    );
    // A stream that has been ended emits no more 'drain', so the end releases the session as well, well or badly.
    this.complete.then(
      () => this.#resume(),
      () => this.#resume(),
    );
    this.failed.catch(() => {});
    file.on('drain', () => this.#resume());
  }

  take(bytes: Buffer | null): void {
    if (this.#file.destroyed || this.#file.writableEnded) return;
    if (bytes === null) this.#file.end();
    else if (!this.#file.write(bytes)) this.#release ??= this.#session.hold();
  }

  /** Settles when the file is closed: one that is only being opened would otherwise appear after it was removed. */
  async drop(): Promise<void> {
    const file = this.#file;
    const closed = file.closed ? null : new Promise<void>((resolve) => file.once('close', () => resolve()));
    file.destroy();
    this.#resume();
    await closed;
  }

  #resume(): void {
    this.#release?.();
    this.#release = null;
  }
}

function writeProblem(error: unknown): unknown {
  if (error instanceof DispatchError) return error;
  if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') return error;
  return new DispatchError('E_NO_SPACE', 'no space left here for what a node sends', { cause: error });
}
