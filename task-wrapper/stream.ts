/**
 * One controller's stream. Frames in, frames out, at the pace of the line. Whatever goes wrong on it ends this stream
 * and nothing else: attempts and other streams do not notice.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import {
  CHUNK,
  encodeChunk,
  encodeMessage,
  type Frame,
  FrameError,
  FrameReader,
} from '../src/protocol/frame.ts';
import type { FromNode, JournalEntry, Refusal, Replies, Request } from '../src/protocol/messages.ts';
import type { Journal } from './journal.ts';
import { BadRequest, checkRequest } from './order.ts';
import type { Root } from './root.ts';

/** Why a request is not done; the answer is certain. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: Refusal;

  constructor(code: Refusal, message: string) {
    super(message);
    this.code = code;
  }
}

/** What another program says when it asks for the place. Every version understands it. */
export interface Handover {
  readonly program: string;
  readonly protocol: number;
  /** Whoever else is connected. */
  readonly force: boolean;
}

/** What a request may use of the stream it came on. */
export interface Line {
  /** Epoch that the controller named in its hello; 0 before. */
  epoch: number;
  readonly journal: Journal;
  /** Pushes entries above `from`, those that exist first. */
  subscribe(from: number): void;
  /** Sends one chunk under the request's id; false when the stream is over. */
  chunk(id: number, bytes: Buffer): Promise<boolean>;
  /** The empty chunk that ends a transfer. */
  endChunks(id: number): Promise<boolean>;
  /** The file as chunks, and their end. */
  sendFile(id: number, path: string): Promise<boolean>;
  /** Resolves with a file that holds the chunks sent under this id. The caller removes it. */
  receive(id: number): Promise<string>;
  /** Aborted when the stream is over, or `stop` names the request. */
  signalOf(id: number): AbortSignal;
  stop(id: number): void;
}

export type Handler = (
  request: Request,
  id: number,
  line: Line,
) => Promise<Replies[keyof Replies]> | Replies[keyof Replies];

export interface StreamOptions {
  readonly root: Root;
  readonly journal: Journal;
  readonly handle: Handler;
  /** Another program asks for the place; see rpc.ts. True: it gets it. */
  readonly onHandover: (asked: Handover) => boolean;
  /** It wants to hear of everything that happens, as a controller does. */
  readonly onFollow: () => void;
  readonly onClose: () => void;
}

/** Journal entries in one message. */
const EVENTS_PER_MESSAGE = 500;

export class Stream implements Line {
  epoch = 0;
  /** Bytes that came in so far. */
  heard = 0;
  readonly journal: Journal;
  readonly #socket: Socket;
  readonly #options: StreamOptions;
  readonly #reader = new FrameReader();
  readonly #uploads = new Map<number, Upload>();
  readonly #aborts = new Map<number, AbortController>();
  #pushed: number | null = null;
  #pushing = false;
  #corked = false;
  #unsubscribe: (() => void) | null = null;
  #open = true;

  constructor(socket: Socket, options: StreamOptions) {
    this.#socket = socket;
    this.#options = options;
    this.journal = options.journal;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.once('close', () => this.#close());
  }

  /** Whether entries of the journal are pushed to it. */
  get follows(): boolean {
    return this.#pushed !== null;
  }

  end(): void {
    this.#socket.destroy();
  }

  subscribe(from: number): void {
    this.#pushed = from;
    this.#unsubscribe ??= this.journal.onDurable(() => void this.#push());
    this.#options.onFollow();
    void this.#push();
  }

  async chunk(id: number, bytes: Buffer): Promise<boolean> {
    for (let at = 0; at < bytes.length; at += CHUNK) {
      if (!(await this.#write(encodeChunk(id, bytes.subarray(at, at + CHUNK))))) return false;
    }
    return this.#open;
  }

  async sendFile(id: number, path: string): Promise<boolean> {
    for await (const bytes of createReadStream(path, { highWaterMark: CHUNK })) {
      if (!(await this.chunk(id, bytes as Buffer))) return false;
    }
    return await this.endChunks(id);
  }

  async endChunks(id: number): Promise<boolean> {
    return await this.#write(encodeChunk(id, Buffer.alloc(0)));
  }

  async receive(id: number): Promise<string> {
    return await this.#upload(id).done;
  }

  signalOf(id: number): AbortSignal {
    const controller = this.#aborts.get(id) ?? new AbortController();
    this.#aborts.set(id, controller);
    return controller.signal;
  }

  stop(id: number): void {
    this.#aborts.get(id)?.abort();
  }

  #receive(bytes: Buffer): void {
    this.heard += bytes.length;
    try {
      for (const frame of this.#reader.push(bytes)) this.#take(frame);
    } catch (error) {
      if (!(error instanceof FrameError)) process.stderr.write(`stream: ${String(error)}\n`);
      this.#socket.destroy();
    }
  }

  #take(frame: Frame): void {
    if (frame.kind === 'chunk') {
      this.#chunkArrived(frame.id, frame.bytes);
      return;
    }
    const { body } = frame;
    if (typeof body !== 'object' || body === null) throw new FrameError('a message that is no object');
    if ('handover' in body) {
      if (!this.#options.onHandover(body.handover as Handover))
        this.#socket.write(encodeMessage({ stays: true }));
      return;
    }
    const { id, request } = body as { id: unknown; request: unknown };
    if (!Number.isSafeInteger(id)) throw new FrameError('a request without a number');
    void this.#answer(id as number, request);
  }

  async #answer(id: number, raw: unknown): Promise<void> {
    let answer: FromNode;
    try {
      const request = checkRequest(raw);
      // Registered before anything else happens, so that its chunks find it.
      if (request.op === 'mirror.put') this.#upload(id);
      const reply = this.#options.handle(request, id, this);
      answer = { id, reply: reply instanceof Promise ? await reply : reply };
    } catch (error) {
      answer = { id, error: refusalOf(error) };
      await this.#dropUpload(id);
    }
    this.#aborts.delete(id);
    if (this.#open) this.#together().write(encodeMessage(answer));
  }

  /** The socket, held until this turn of the event loop is over: the answers to a burst of requests leave in one write. */
  #together(): Socket {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    return this.#socket;
  }

  async #push(): Promise<void> {
    if (this.#pushing) return;
    this.#pushing = true;
    while (this.#open && this.#pushed !== null) {
      const events: readonly JournalEntry[] = this.journal.after(this.#pushed, EVENTS_PER_MESSAGE);
      const last = events.at(-1);
      if (last === undefined) break;
      this.#pushed = last.seq;
      if (!(await this.#write(encodeMessage({ events } satisfies FromNode)))) break;
    }
    this.#pushing = false;
  }

  /** Resolves when the receiver keeps up; false when the stream is over. */
  async #write(bytes: Buffer): Promise<boolean> {
    if (!this.#open) return false;
    if (this.#socket.write(bytes)) return true;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        this.#socket.off('drain', go);
        this.#socket.off('close', go);
        resolve();
      };
      this.#socket.on('drain', go);
      this.#socket.on('close', go);
    });
    return this.#open;
  }

  #upload(id: number): Upload {
    const known = this.#uploads.get(id);
    if (known !== undefined) return known;
    const upload = new Upload(`${this.#options.root.run}/upload-${randomBytes(8).toString('hex')}`);
    this.#uploads.set(id, upload);
    return upload;
  }

  #chunkArrived(id: number, bytes: Buffer): void {
    const upload = this.#uploads.get(id);
    if (upload === undefined) return;
    if (bytes.length === 0) {
      this.#uploads.delete(id);
      upload.finish();
    } else if (!upload.write(bytes)) {
      this.#socket.pause();
      upload.onceDrained(() => this.#socket.resume());
    }
  }

  async #dropUpload(id: number): Promise<void> {
    const upload = this.#uploads.get(id);
    this.#uploads.delete(id);
    await upload?.drop();
  }

  #close(): void {
    this.#open = false;
    this.#unsubscribe?.();
    for (const id of this.#uploads.keys()) void this.#dropUpload(id);
    for (const controller of this.#aborts.values()) controller.abort();
    this.#options.onClose();
  }
}

/** Chunks on their way into a file. */
class Upload {
  readonly done: Promise<string>;
  readonly #path: string;
  readonly #file: WriteStream;
  #fail: (error: Error) => void = () => {};

  constructor(path: string) {
    this.#path = path;
    this.#file = createWriteStream(path, { mode: 0o600 });
    this.done = new Promise<string>((resolve, reject) => {
      this.#fail = reject;
      this.#file.once('finish', () => resolve(path));
      this.#file.once('error', (error) => {
        reject(error);
        // Whoever waited for it has nothing in hand to remove.
        void this.#remove();
      });
    });
    this.done.catch(() => {});
  }

  /** False when the file cannot keep up. One that has been given up takes everything, and nothing comes of it. */
  write(bytes: Buffer): boolean {
    // It would say that it cannot keep up, and never that it has: nothing would be read from this controller any more.
    return this.#file.destroyed || this.#file.write(Buffer.from(bytes));
  }

  /** A file that is being ended never says that it has drained, only that it is closed. */
  onceDrained(then: () => void): void {
    const file = this.#file;
    const go = (): void => {
      file.off('drain', go);
      file.off('close', go);
      then();
    };
    file.on('drain', go);
    file.on('close', go);
  }

  finish(): void {
    this.#file.end();
  }

  async drop(): Promise<void> {
    this.#fail(new Error('the transfer was cut off'));
    this.#file.destroy();
    await this.#remove();
  }

  /** Once it is closed: what is still being opened would be there again. */
  async #remove(): Promise<void> {
    if (!this.#file.closed) await once(this.#file, 'close');
    await rm(this.#path, { force: true });
  }
}

function refusalOf(error: unknown): { code: Refusal; message: string } {
  if (error instanceof Refused) return { code: error.code, message: error.message };
  if (error instanceof BadRequest) return { code: 'bad-request', message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  const full = /ENOSPC|EDQUOT|No space left/.test(message);
  if (!full) process.stderr.write(`request: ${error instanceof Error ? error.stack : message}\n`);
  return { code: full ? 'no-space' : 'internal', message };
}
