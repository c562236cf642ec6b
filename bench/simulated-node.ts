/**
 * A node without machine, tmux or agents: it speaks the whole protocol of a supervisor on a unix socket, and its attempts
 * are entries in memory that run until they are told to end. A controller reaches it by `"command"` in nodes.json, through
 * a child process (`nc`) and real frames, so that all of a controller's own work is there and none of the node's.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Token } from '../src/model/ids.ts';
import { encodeMessage, FrameReader } from '../src/protocol/frame.ts';
import type {
  Health,
  InventoryEntry,
  JournalEntry,
  JournalFact,
  Probe,
  Replies,
  Request,
  ToNode,
} from '../src/protocol/messages.ts';
import { PROTOCOL } from '../src/protocol/version.ts';

const GIB = 1024 ** 3;

export class SimulatedNode {
  readonly name: string;
  readonly socket: string;
  /** Orders that were taken so far. */
  started = 0;
  readonly #attempts = new Map<Token, { entry: InventoryEntry }>();
  readonly #journal: JournalEntry[] = [];
  readonly #lines = new Set<Line>();
  readonly #server: Server;
  readonly #onStart: () => void;
  #acknowledged = 0;
  #epoch = 0;

  constructor(name: string, socket: string, onStart: () => void) {
    this.name = name;
    this.socket = socket;
    this.#onStart = onStart;
    this.#server = createServer((stream) => this.#lines.add(new Line(stream, this)));
    this.#tell({ type: 'supervisor.started', program: 'simulated', bootId: `boot-${name}` });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.socket, resolve));
  }

  stop(): void {
    for (const line of this.#lines) line.close();
    this.#server.close();
  }

  get running(): Token[] {
    return [...this.#attempts.values()].flatMap(({ entry }) =>
      entry.state === 'running' ? entry.token : [],
    );
  }

  /** The attempt has ended well. */
  end(token: Token): void {
    const attempt = this.#attempts.get(token);
    if (attempt === undefined) return;
    const outcome = { kind: 'done', head: null, rounds: 1, usage: null } as const;
    attempt.entry = { ...attempt.entry, state: 'ended', outcome };
    this.#tell({ type: 'attempt.ended', token, outcome });
  }

  /** @param program hash of the program that the controller would have started. */
  answer(line: Line, program: string, request: Request): Replies[keyof Replies] {
    switch (request.op) {
      case 'hello':
        this.#epoch = Math.max(this.#epoch, request.epoch);
        return {
          protocol: PROTOCOL,
          program,
          bootId: `boot-${this.name}`,
          journal: Buffer.from(this.name).toString('hex').padEnd(32, '0'),
          seq: this.#journal.length,
          held: this.#acknowledged + 1,
          platform: 'linux',
          epoch: this.#epoch,
        };
      case 'inventory':
        return { entries: [...this.#attempts.values()].map(({ entry }) => entry) };
      case 'subscribe':
        line.follow(this.#journal.slice(request.from));
        return {};
      case 'ack':
        this.#acknowledged = Math.max(this.#acknowledged, request.seq);
        return {};
      case 'start':
        return this.#start(request.order);
      case 'cancel':
        this.end(request.token);
        return { state: 'ended' };
      case 'forget':
        return { state: this.#attempts.delete(request.token) ? 'forgotten' : 'unknown' };
      case 'health':
        return health(this.running.length);
      case 'probe':
        return { ...health(0), platform: 'linux', programs: {}, executors: {} } as unknown as Probe;
      default:
        return {};
    }
  }

  #start({ token, project, task, n }: Extract<Request, { op: 'start' }>['order']): Replies['start'] {
    if (this.#attempts.has(token)) return { state: 'known' };
    const entry = { token, project, task, n, state: 'running', outcome: null, logBytes: 0 } as const;
    this.#attempts.set(token, { entry });
    this.started += 1;
    this.#tell({ type: 'attempt.running', token });
    this.#onStart();
    return { state: 'started' };
  }

  #tell(fact: JournalFact): void {
    const entry = { seq: this.#journal.length + 1, at: Date.now(), ...fact };
    this.#journal.push(entry);
    for (const line of this.#lines) line.news([entry]);
  }
}

/** One controller's stream: first the script that a shell would run, then frames. */
class Line {
  readonly #stream: Socket;
  readonly #frames = new FrameReader();
  #script: string | null = '';
  #program = '';
  #follows = false;

  constructor(stream: Socket, node: SimulatedNode) {
    this.#stream = stream;
    stream.on('error', () => stream.destroy());
    stream.on('data', (bytes) => {
      if (this.#script !== null) return this.#boot(bytes);
      for (const frame of this.#frames.push(bytes)) {
        if (frame.kind !== 'message') continue;
        const { id, request } = frame.body as ToNode;
        this.#send({ id, reply: node.answer(this, this.#program, request) });
      }
    });
  }

  follow(entries: readonly JournalEntry[]): void {
    this.#follows = true;
    // The reply to the subscription goes first.
    setImmediate(() => this.news(entries));
  }

  news(entries: readonly JournalEntry[]): void {
    if (this.#follows && entries.length > 0) this.#send({ events: entries });
  }

  close(): void {
    this.#stream.destroy();
  }

  #boot(bytes: Buffer): void {
    this.#script += bytes.toString('utf8');
    const script = this.#script ?? '';
    if (!script.endsWith('\ndispatch_boot\n')) return;
    const nonce = /%s %s\\n' ([0-9a-f]+) /u.exec(script)?.[1] ?? '';
    this.#program = /task-wrapper-([0-9a-f]+)\.mjs/u.exec(script)?.[1] ?? '';
    this.#script = null;
    this.#stream.write(`\n${nonce} have ${process.versions.node} ${process.execPath}\n`);
  }

  #send(message: object): void {
    if (this.#stream.writable) this.#stream.write(encodeMessage(message));
  }
}

function health(attempts: number): Health {
  return {
    cores: 32,
    load1: 1,
    memoryTotal: 64 * GIB,
    memoryFree: 48 * GIB,
    diskFree: 400 * GIB,
    diskTotal: 500 * GIB,
    files: null,
    bootId: 'simulated',
    clock: Date.now(),
    attempts,
    node: process.versions.node,
    tmux: '3.4',
    git: '2.43.0',
    reserve: { bytes: GIB, files: 1000 },
  };
}
