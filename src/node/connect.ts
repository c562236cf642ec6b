/** From a fresh stream to our program at its other end: one round trip when it is there, two when it must be shipped. */
import { randomBytes } from 'node:crypto';
import { DispatchError } from '../model/error.ts';
import { printable } from '../transport/tail.ts';
import type { ByteStream, Transport } from '../transport/transport.ts';
import { bootstrapScript, REQUIRED } from './bootstrap-script.ts';
import type { NodeProgram } from './program.ts';

export interface ConnectOptions {
  /** For messages. */
  readonly name: string;
  readonly root: string | null;
  readonly program: NodeProgram;
  readonly signal?: AbortSignal | undefined;
  /** Whole time for the stream, the script and a shipment, milliseconds. */
  readonly timeoutMs?: number;
}

export interface Connected {
  readonly stream: ByteStream;
  /** Bytes that came after the answer; they are the program's. */
  readonly rest: Buffer;
  /** Version and path of the Node.js that runs it. */
  readonly node: { readonly version: string; readonly path: string };
  readonly shipped: boolean;
  /** Milliseconds from the start to an open stream, and from there to the program. */
  readonly openMs: number;
  readonly bootMs: number;
}

const CONNECT_MS = 90_000;
/** More than this before the first answer is not a banner. */
const MAX_NOISE = 1 << 20;
/** A program whose output is over ends within this. */
const ENDING_MS = 3000;

/**
 * Opens a stream and starts the program on it, shipping it first where it is missing.
 * @throws DispatchError what the transport throws; E_NODE_SHELL, E_NODE_NO_*, E_NODE_NOT_WRITABLE, E_NODE_SHIP,
 * E_NODE_ROOT, E_NODE_TIMEOUT. The stream is closed then.
 */
export async function connectNode(transport: Transport, options: ConnectOptions): Promise<Connected> {
  const nonce = randomBytes(16).toString('hex');
  const script = bootstrapScript(options.program, options.root, nonce);
  const began = performance.now();
  const timeoutMs = options.timeoutMs ?? CONNECT_MS;
  const limit = limited(timeoutMs, options.signal);
  const { signal } = limit;
  const late = (): DispatchError =>
    limit.late()
      ? new DispatchError(
          'E_NODE_TIMEOUT',
          `${options.name} did not get ready within ${timeoutMs / 1000} s`,
          {
            where: transport.describe(),
          },
        )
      : new DispatchError('E_NODE_DISCONNECTED', `connecting to ${options.name} was given up`);
  let stream: ByteStream | null = null;
  const giveUp = (): void => stream?.close();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    stream = await transport.open(signal);
    if (signal.aborted) throw late();
    const opened = performance.now();
    const started = await start(stream, script, nonce, options);
    return { ...started, openMs: opened - began, bootMs: performance.now() - opened };
  } catch (error) {
    stream?.close();
    await stream?.closed;
    throw signal.aborted ? late() : error;
  } finally {
    signal.removeEventListener('abort', giveUp);
    limit.release();
  }
}

interface Limit {
  readonly signal: AbortSignal;
  /** True when the time was over, false when the caller gave up. */
  readonly late: () => boolean;
  readonly release: () => void;
}

function limited(timeoutMs: number, outer: AbortSignal | undefined): Limit {
  const controller = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    controller.abort();
  }, timeoutMs);
  const abort = (): void => controller.abort();
  outer?.addEventListener('abort', abort, { once: true });
  if (outer?.aborted === true) abort();
  return {
    signal: controller.signal,
    late: () => late,
    release: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', abort);
    },
  };
}

type Started = Omit<Connected, 'openMs' | 'bootMs'>;

async function start(
  stream: ByteStream,
  script: string,
  nonce: string,
  { name, program }: ConnectOptions,
): Promise<Started> {
  const answers = new Answers(stream, nonce);
  try {
    stream.writable.write(script);
    let answer = await answers.next();
    const shipped = answer?.word === 'need';
    if (shipped) {
      stream.writable.write(program.wrapper);
      stream.writable.write(program.launch);
      answer = await answers.next();
    }
    if (answer === null) throw await noAnswer(stream, name, answers.noise());
    if (answer.word === 'fail') throw failure(name, answer.text, program);
    const [, version, path] = /^(\S+) (.+)$/.exec(answer.text) ?? [];
    if (answer.word !== 'have' || version === undefined || path === undefined)
      throw new DispatchError(
        'E_NODE_SHELL',
        `${name} answered something that was not asked: ${answer.word}`,
      );
    return { stream, rest: answers.release(), node: { version, path }, shipped };
  } finally {
    answers.release();
  }
}

interface Answer {
  readonly word: string;
  readonly text: string;
}

/** Finds the lines with the nonce in whatever the far end prints. */
class Answers {
  readonly #stream: ByteStream;
  readonly #nonce: Buffer;
  #bytes = Buffer.alloc(0);
  #over = false;
  #wake: () => void = () => {};
  readonly #onData = (bytes: Buffer): void => {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    if (this.#bytes.length > MAX_NOISE) this.#stream.close();
    this.#wake();
  };
  readonly #onOver = (): void => {
    this.#over = true;
    this.#wake();
  };

  constructor(stream: ByteStream, nonce: string) {
    this.#stream = stream;
    this.#nonce = Buffer.from(`\n${nonce} `);
    stream.readable.on('data', this.#onData);
    stream.readable.once('end', this.#onOver);
    void stream.closed.then(this.#onOver);
  }

  /** The next answer, or null when the stream ended without one. */
  async next(): Promise<Answer | null> {
    for (;;) {
      const answer = this.#take();
      if (answer !== null || this.#over) return answer;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What came without being an answer: a banner, or an error of a login shell. */
  noise(): string {
    return printable(this.#bytes.toString('utf8')).trim().slice(-500);
  }

  /** Stops reading; the bytes that were read too much. */
  release(): Buffer {
    this.#stream.readable.off('data', this.#onData);
    this.#stream.readable.pause();
    const rest = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    return rest;
  }

  #take(): Answer | null {
    const at = this.#bytes.indexOf(this.#nonce);
    if (at < 0) return null;
    const from = at + this.#nonce.length;
    const end = this.#bytes.indexOf(0x0a, from);
    if (end < 0) return null;
    const line = this.#bytes.subarray(from, end).toString('utf8').trimEnd();
    this.#bytes = this.#bytes.subarray(end + 1);
    const space = line.indexOf(' ');
    return space < 0
      ? { word: line, text: '' }
      : { word: line.slice(0, space), text: printable(line.slice(space + 1)) };
  }
}

async function noAnswer(stream: ByteStream, name: string, noise: string): Promise<DispatchError> {
  // Its output is over, but only the exit of an ssh says what was wrong: it must not be killed for being a moment late.
  const late = setTimeout(() => stream.close(), ENDING_MS);
  const end = await stream.closed;
  clearTimeout(late);
  if (end.problem !== null) return end.problem;
  const said = [noise, stream.stderrTail()]
    .filter((text) => text !== '' && !end.reason.endsWith(text))
    .join('\n');
  return new DispatchError('E_NODE_SHELL', `no shell answered on ${name}`, {
    where: name,
    why: said === '' ? end.reason : `${end.reason}; it printed: ${said}`,
    fix: 'the far end must run /bin/sh with its script on stdin: look for a forced command or a login shell that refuses commands',
  });
}

function failure(name: string, text: string, program: NodeProgram): DispatchError {
  const [kind = '', ...words] = text.split(' ');
  const detail = words.join(' ').trim();
  const install = `run bootstrap.sh on ${name}, or install it there`;
  const [major, minor] = kind === 'no-tmux' ? REQUIRED.tmux : REQUIRED.git;
  const found = detail === 'none' ? 'none was found' : `found only ${detail}`;
  switch (kind) {
    case 'no-node':
      return new DispatchError('E_NODE_NO_NODE', `${name} has no Node.js ${REQUIRED.node} or newer`, {
        where: name,
        why: found,
        fix: install,
      });
    case 'no-tmux':
    case 'no-git': {
      const code = kind === 'no-tmux' ? 'E_NODE_NO_TMUX' : 'E_NODE_NO_GIT';
      const what = kind.slice(3);
      return new DispatchError(code, `${name} has no ${what} ${major}.${minor} or newer`, {
        where: name,
        why: found,
        fix: `${install} (apt install ${what}, brew install ${what})`,
      });
    }
    case 'no-tool':
      return new DispatchError('E_NODE_NO_TOOL', `${name} has no ${detail}`, { where: name, fix: install });
    case 'no-space':
      return new DispatchError('E_NODE_NO_SPACE', `${name} has no space left for the worker`, {
        where: name,
        why: detail,
        fix: `free some space on ${name}, or choose another "root" in nodes.json`,
      });
    case 'not-writable':
      return new DispatchError('E_NODE_NOT_WRITABLE', `the worker's directory on ${name} cannot be written`, {
        where: name,
        why: detail,
        fix: 'choose another "root" in nodes.json, or mend the rights of the directory',
      });
    case 'ship':
      return new DispatchError('E_NODE_SHIP', `the program did not arrive on ${name} as it was sent`, {
        where: name,
        why: `${detail} bytes arrived of ${program.wrapper.length + program.launch.length}, or their checksum differs`,
      });
    default:
      return new DispatchError('E_NODE_SHELL', `${name} failed in a way that is not known: ${text}`);
  }
}
