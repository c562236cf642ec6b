/**
 * One life of a stream to a node: requests with ids and deadlines, chunks of transfers, pushed news, and a ping that
 * decides whether the link lives. It ends once, for one reason, and then every request that waits is told so.
 */
import { DispatchError } from '../model/error.ts';
import { CHUNK, encodeChunk, encodeMessage, type Frame, FrameError, FrameReader } from '../protocol/frame.ts';
import type { JournalEntry, Replies, Request, ToNode } from '../protocol/messages.ts';
import type { ByteStream } from '../transport/transport.ts';
import { parseMessage } from './incoming.ts';
import { NodeRefusal } from './refusal.ts';

export type RequestOf<Op extends Request['op']> = Extract<Request, { op: Op }>;

export interface SessionTimings {
  /** Between two pings, milliseconds. Bytes that arrive meanwhile are as good as an answer. */
  readonly pingEveryMs: number;
  /** Without a byte for so long after a ping the link is dead. */
  readonly pingDeadlineMs: number;
  /** After this machine slept: how long a connection has to prove that it still is one. */
  readonly proveMs: number;
  /** Deadline of a call that names none. */
  readonly callMs: number;
  /** A transfer may stand still for so long. */
  readonly transferIdleMs: number;
  /** After the last chunk, until the node has taken a bundle in. */
  readonly settleMs: number;
}

export const SESSION_TIMINGS: SessionTimings = {
  pingEveryMs: 5000,
  pingDeadlineMs: 10_000,
  proveMs: 5000,
  callMs: 30_000,
  transferIdleMs: 60_000,
  settleMs: 300_000,
};

/** A deadline that is noticed so late was not watched: the process was stopped, or the machine slept. */
const UNWATCHED_MS = 2000;
/** A ping waits behind the bytes of a bundle that is being sent; on a slow line that takes its time. */
const PING_PATIENCE_WHILE_SENDING = 6;

export interface CallOptions {
  /** Milliseconds until the call rejects with E_NODE_TIMEOUT; null waits as long as the link lives. */
  readonly timeoutMs?: number | null | undefined;
  /** Bytes of the transfer under this request's id; null is its end. */
  readonly onChunk?: (bytes: Buffer | null) => void;
}

/** A request that has been written and not been answered. */
export interface Pending<Op extends Request['op']> {
  readonly id: number;
  readonly reply: Promise<Replies[Op]>;
  /** Starts its deadline anew: there was progress. */
  readonly extend: (timeoutMs: number) => void;
}

interface Waiting {
  readonly op: Request['op'];
  readonly resolve: (reply: Replies[keyof Replies]) => void;
  readonly reject: (error: Error) => void;
  readonly onChunk: ((bytes: Buffer | null) => void) | undefined;
  timer: NodeJS.Timeout | undefined;
}

export class Session {
  /** Settles with the reason when the session is over and the stream has been given back. */
  readonly closed: Promise<DispatchError>;
  readonly #name: string;
  readonly #stream: ByteStream;
  readonly #timings: SessionTimings;
  readonly #reader = new FrameReader();
  readonly #waiting = new Map<number, Waiting>();
  readonly #pinger: NodeJS.Timeout;
  #onNews: ((entries: readonly JournalEntry[]) => void) | null = null;
  #newsBefore: JournalEntry[] = [];
  /** Messages of this turn of the event loop: they leave together, as one packet of the connection. */
  #outbox: Buffer[] = [];
  #nextId = 1;
  #received = 0;
  #receivedAtTick = 0;
  #pinging = false;
  #sending = 0;
  #holds = 0;
  #end: DispatchError | null = null;
  #exitCode: number | null = null;

  /** @param rest bytes that were read from the stream before it was handed over. */
  constructor(name: string, stream: ByteStream, rest: Buffer, timings: SessionTimings) {
    this.#name = name;
    this.#stream = stream;
    this.#timings = timings;
    this.closed = stream.closed.then((end) => {
      this.#exitCode = end.exitCode;
      this.end(end.problem ?? disconnected(name, end.reason));
      return this.#end ?? disconnected(name, end.reason);
    });
    stream.writable.on('error', () => {});
    this.#receive(rest);
    stream.readable.on('data', (bytes: Buffer) => this.#receive(bytes));
    stream.readable.resume();
    this.#pinger = setInterval(() => this.#pingIfSilent(), timings.pingEveryMs);
  }

  /** Null while it lives. */
  get over(): DispatchError | null {
    return this.#end;
  }

  /** Exit code of the program at the far end when it ended by itself, known once the session is over. */
  get exitCode(): number | null {
    return this.#exitCode;
  }

  /** Pushed journal entries go here from now on; those that came before are given at once. */
  onNews(listener: (entries: readonly JournalEntry[]) => void): void {
    this.#onNews = listener;
    const before = this.#newsBefore;
    this.#newsBefore = [];
    if (before.length > 0) listener(before);
  }

  /** @throws NodeRefusal, or DispatchError E_NODE_TIMEOUT or E_NODE_DISCONNECTED: then it is unknown what happened. */
  call<Op extends Request['op']>(request: RequestOf<Op>, options: CallOptions = {}): Promise<Replies[Op]> {
    return this.begin(request, options).reply;
  }

  /** Like `call`, with the id for what follows. Nothing is written when the session is over. */
  begin<Op extends Request['op']>(request: RequestOf<Op>, options: CallOptions = {}): Pending<Op> {
    const id = this.#nextId++;
    const reply = new Promise<Replies[Op]>((resolve, reject) => {
      if (this.#end !== null) return reject(this.#end);
      this.#waiting.set(id, {
        op: request.op,
        resolve: resolve as Waiting['resolve'],
        reject,
        onChunk: options.onChunk,
        timer: undefined,
      });
    });
    // Whoever only wants the id may look at the reply later.
    reply.catch(() => {});
    if (this.#end === null) {
      this.#post(encodeMessage({ id, request } satisfies ToNode));
      if (options.timeoutMs !== null) this.#deadline(id, options.timeoutMs ?? this.#timings.callMs);
    }
    return { id, reply, extend: (timeoutMs) => this.#deadline(id, timeoutMs) };
  }

  /** Sends the chunks of a transfer at the pace of the line, then its end. Stops early when the request is answered. */
  async sendChunks(pending: Pending<Request['op']>, source: AsyncIterable<Buffer>): Promise<void> {
    this.#sending += 1;
    try {
      for await (const bytes of source) {
        for (let at = 0; at < bytes.length; at += CHUNK) {
          if (!this.#waiting.has(pending.id)) return;
          pending.extend(this.#timings.transferIdleMs);
          await this.#paced(encodeChunk(pending.id, bytes.subarray(at, at + CHUNK)));
        }
      }
      if (!this.#waiting.has(pending.id)) return;
      await this.#paced(encodeChunk(pending.id, Buffer.alloc(0)));
      pending.extend(this.#timings.settleMs);
    } finally {
      this.#sending -= 1;
    }
  }

  /** Stops reading from the node until the returned function is called: whoever writes chunks away cannot keep up. */
  hold(): () => void {
    if (this.#holds++ === 0) this.#stream.readable.pause();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#received += 1;
      if (--this.#holds === 0 && this.#end === null) this.#stream.readable.resume();
    };
  }

  /** Whether it lives, asked now; it is ended when nothing comes back in time. */
  async prove(timeoutMs: number): Promise<boolean> {
    const before = this.#received;
    try {
      await this.call({ op: 'ping' }, { timeoutMs });
      return true;
    } catch {
      if (this.#received !== before && this.#end === null) return true;
      const what = `${this.#name} did not answer within ${timeoutMs / 1000} s after this machine slept`;
      this.end(new DispatchError('E_NODE_TIMEOUT', what, { where: this.#name }));
      return false;
    }
  }

  /** Ends the session; the first reason counts. */
  end(reason: DispatchError): void {
    if (this.#end !== null) return;
    this.#end = reason;
    clearInterval(this.#pinger);
    for (const [id, waiting] of this.#waiting) {
      clearTimeout(waiting.timer);
      this.#waiting.delete(id);
      waiting.reject(reason);
    }
    this.#stream.close();
  }

  #receive(bytes: Buffer): void {
    if (this.#end !== null || bytes.length === 0) return;
    this.#received += bytes.length;
    try {
      for (const frame of this.#reader.push(bytes)) this.#take(frame);
    } catch (cause) {
      const what = cause instanceof Error ? cause.message : String(cause);
      this.end(
        new DispatchError('E_NODE_PROTOCOL', `what ${this.#name} sent cannot be taken: ${what}`, {
          where: this.#name,
          cause,
        }),
      );
      // A defect of whoever listens to us must not look like a broken line: ssh2 would swallow it here.
      if (!(cause instanceof FrameError))
        process.nextTick(() => {
          throw cause;
        });
    }
  }

  #take(frame: Frame): void {
    if (this.#end !== null) return;
    if (frame.kind === 'chunk') {
      this.#waiting.get(frame.id)?.onChunk?.(frame.bytes.length === 0 ? null : frame.bytes);
      return;
    }
    const message = parseMessage(frame.body, (id) => this.#waiting.get(id)?.op ?? null);
    if ('events' in message) {
      if (this.#onNews === null) this.#newsBefore.push(...message.events);
      else this.#onNews(message.events);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    // An answer that comes after its deadline: whoever asked has been told that it is unknown.
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if ('error' in message) waiting.reject(new NodeRefusal(message.error.code, message.error.message));
    else waiting.resolve(message.reply);
  }

  /** A burst of orders would else cost a packet, a cipher and a system call each. */
  #post(bytes: Buffer): void {
    if (this.#outbox.push(bytes) === 1) process.nextTick(() => this.#flush());
  }

  #flush(): void {
    const [first, ...more] = this.#outbox;
    this.#outbox = [];
    if (first === undefined || this.#end !== null) return;
    this.#stream.writable.write(more.length === 0 ? first : Buffer.concat([first, ...more]));
  }

  async #paced(bytes: Buffer): Promise<void> {
    if (this.#end !== null) throw this.#end;
    this.#flush();
    if (this.#stream.writable.write(bytes)) return;
    const { writable } = this.#stream;
    const drained = new Promise<void>((resolve) => writable.once('drain', resolve));
    await Promise.race([drained, this.closed]);
    if (this.#end !== null) throw this.#end;
  }

  #deadline(id: number, timeoutMs: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    const due = performance.now() + timeoutMs;
    waiting.timer = setTimeout(() => {
      // The answer may lie unread in the socket: time that nobody watched is not charged.
      if (performance.now() - due > UNWATCHED_MS) return this.#deadline(id, timeoutMs);
      this.#waiting.delete(id);
      waiting.reject(
        new DispatchError(
          'E_NODE_TIMEOUT',
          `${this.#name} did not answer "${waiting.op}" within ${timeoutMs / 1000} s`,
          {
            where: this.#name,
          },
        ),
      );
      // One late answer says little about the link; a ping says it all.
      if (waiting.op !== 'ping') this.#ping();
    }, timeoutMs);
  }

  #pingIfSilent(): void {
    if (this.#received === this.#receivedAtTick) this.#ping();
    this.#receivedAtTick = this.#received;
  }

  #ping(): void {
    if (this.#pinging || this.#end !== null || this.#holds > 0) return;
    this.#pinging = true;
    const before = this.#received;
    const patience = this.#sending > 0 ? PING_PATIENCE_WHILE_SENDING : 1;
    const timeoutMs = this.#timings.pingDeadlineMs * patience;
    this.call({ op: 'ping' }, { timeoutMs }).then(
      () => {
        this.#pinging = false;
      },
      () => {
        this.#pinging = false;
        if (this.#received !== before || this.#holds > 0) return;
        const what = `${this.#name} gave no sign of life for ${timeoutMs / 1000} s`;
        this.end(new DispatchError('E_NODE_TIMEOUT', what, { where: this.#name }));
      },
    );
  }
}

/** The link is gone, for this reason. */
export function disconnected(name: string, reason: string): DispatchError {
  return new DispatchError('E_NODE_DISCONNECTED', `the connection to ${name} is gone: ${reason}`, {
    where: name,
  });
}
