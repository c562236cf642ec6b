/** What each request does on this node. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { writeBundle } from '../src/git/bundle.ts';
import { commitsHeld, isBase, mirrorHas, mirrorPut } from '../src/git/mirror.ts';
import { assertNever } from '../src/model/assert.ts';
import type { CommitId, ProjectName, Token } from '../src/model/ids.ts';
import type { Stall } from '../src/model/stall.ts';
import type { Replies, Request, Welcome } from '../src/protocol/messages.ts';
import type { AttemptOrder } from '../src/protocol/order.ts';
import { PROTOCOL } from '../src/protocol/version.ts';
import { liveSession, prepareView } from './attach.ts';
import type { Attempts, Entry } from './attempts.ts';
import { sessionOf } from './desk.ts';
import type { Epoch } from './epoch.ts';
import { findProgram } from './find-program.ts';
import { readBootId } from './host.ts';
import type { Journal } from './journal.ts';
import { sendLog } from './log-follow.ts';
import { freeSpace, health, probe } from './probe.ts';
import type { Program } from './program.ts';
import { markCollected, readOrder } from './record.ts';
import { retire } from './retire.ts';
import { heldWorks, sendWork } from './held-work.ts';
import { attemptDir, mirrorDir, type Root } from './root.ts';
import type { Stalls } from './stalls.ts';
import { type Handler, type Line, Refused } from './stream.ts';
import { makeRoom } from './sweep.ts';
import type { Tmux } from './tmux.ts';
import { emptyPool } from './trees.ts';

export interface Office {
  readonly root: Root;
  readonly program: Program;
  readonly journal: Journal;
  readonly epoch: Epoch;
  readonly attempts: Attempts;
  readonly tmux: Tmux;
  /** Bytes that must be free for an attempt to start. */
  readonly reserve: number;
  readonly stalls: Stalls;
  readonly onStarted: () => void;
  /** What an attempt does at this moment; null while none of its commands runs. */
  readonly look: (entry: Entry) => Promise<Stall | null>;
  /** Another supervisor shall take this one's place. */
  readonly onRestart: () => void;
}

/** Files that must be free for an attempt to start. */
const RESERVE_FILES = 2000;
/** Free space is looked at again after this long. */
const SPACE_MS = 500;

/** The handler for all streams of this node. */
export function requestHandler(office: Office): Handler {
  const puts = new Map<ProjectName, Promise<unknown>>();
  const space = spaceCheck(office);
  return (request, id, line) => {
    switch (request.op) {
      case 'hello':
        return hello(office, request, line);
      case 'start':
        return start(office, request.order, space);
      case 'cancel':
        fence(office, request.epoch);
        return { state: office.attempts.cancel(request.token, request.reason) };
      case 'inventory':
        return { entries: office.attempts.inventory() };
      case 'subscribe':
        line.subscribe(request.from);
        return {};
      case 'ack':
        fence(office, line.epoch);
        office.journal.acknowledge(request.seq, (entries) => office.attempts.keepEnds(entries));
        return {};
      case 'log':
        return log(office, request, id, line);
      case 'stop':
        line.stop(request.request);
        return {};
      case 'mirror.has':
        return mirrorHas(mirrorDir(office.root, request.project), request.commits).then((has) => ({ has }));
      case 'mirror.put':
        fence(office, request.epoch);
        return put(office, request, id, line, puts);
      case 'bundle.get':
        return bundle(office, request.token, request.have, id, line);
      case 'works':
        return { works: heldWorks(office.root, office.attempts) };
      case 'work.get':
        return sendWork(office, request, id, line);
      case 'forget':
        fence(office, request.epoch);
        return forget(office, request.token);
      case 'probe':
        return probe(office.root, request.programs, request.executors ?? {});
      case 'health':
        return health(office.root, {
          attempts: office.attempts.running,
          reserve: { bytes: office.reserve, files: RESERVE_FILES },
          stalls: office.stalls,
        });
      case 'sweep':
        fence(office, request.epoch);
        return makeRoom(office.root);
      case 'restart':
        fence(office, request.epoch);
        office.onRestart();
        return {};
      case 'attach':
        return attach(office, request.token, request.write === true);
      case 'ping':
        return {};
      default:
        return assertNever(request);
    }
  };
}

/** A controller that another one has replaced changes nothing here any more. */
function fence(office: Office, epoch: number): void {
  const { highest } = office.epoch;
  if (epoch < highest)
    throw new Refused('fenced', `this node follows a controller of epoch ${highest}; ${epoch} is over`);
  office.epoch.raise(epoch);
}

function hello(office: Office, request: Extract<Request, { op: 'hello' }>, line: Line): Welcome {
  if (request.protocol !== PROTOCOL)
    throw new Refused('protocol', `this node speaks protocol ${PROTOCOL}, not ${request.protocol}`);
  office.epoch.raise(request.epoch);
  line.epoch = request.epoch;
  return {
    protocol: PROTOCOL,
    program: office.program.hash,
    bootId: readBootId(),
    journal: office.journal.id,
    seq: office.journal.seq,
    held: office.journal.unacknowledged,
    platform: process.platform,
    epoch: office.epoch.highest,
  };
}

function start(
  office: Office,
  order: AttemptOrder,
  space: () => void,
): Replies['start'] | Promise<Replies['start']> {
  if (order.protocol !== PROTOCOL)
    throw new Refused('protocol', `the order is of protocol ${order.protocol}, this node speaks ${PROTOCOL}`);
  fence(office, order.epoch);
  if (office.attempts.get(order.token) !== undefined) return { state: 'known' };
  if (isForgotten(office.root, order.token))
    throw new Refused('forgotten', `${order.token} has been here, has ended, and was forgotten`);
  space();
  const { work } = order;
  if (work.kind === 'work') needProgram(work.executor.command[0]);
  const wanted =
    work.kind === 'gate'
      ? [work.commit]
      : work.tree === null
        ? []
        : [work.tree.base, ...(work.tree.previous === null ? [] : [work.tree.previous])];
  const mirror = mirrorDir(office.root, order.project);
  const unknown = wanted.filter((commit) => !isBase(mirror, commit));
  if (unknown.length === 0) return begin(office, order);
  return mirrorHas(mirror, unknown).then((has) => {
    const missing = unknown.find((commit) => !has.includes(commit));
    if (missing !== undefined)
      throw new Refused('missing-base', `the mirror of ${order.project} does not have ${missing}`);
    return begin(office, order);
  });
}

function begin(office: Office, order: AttemptOrder): Replies['start'] {
  const state = office.attempts.start(order);
  office.onStarted();
  return { state };
}

/** Programs are looked for once; one that was found stays where it is. */
const found = new Set<string>();

/** A path relative to the tree cannot be looked for before there is a tree. */
function needProgram(name: string | undefined): void {
  if (name === undefined) throw new Refused('bad-request', 'the executor has no command');
  if (found.has(name) || (name.includes('/') && !name.startsWith('/'))) return;
  if (findProgram(name) === null)
    throw new Refused('missing-program', `${name} is not on the PATH of this node`);
  found.add(name);
}

function spaceCheck(office: Office): () => void {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let problem: string | null = null;
  return () => {
    // A refusal is never given on what was seen before: the controller would leave this node alone for a minute.
    if (problem !== null || performance.now() - lookedAt > SPACE_MS) {
      lookedAt = performance.now();
      const { bytes, files } = freeSpace(office.root);
      problem =
        bytes < office.reserve
          ? `${Math.floor(bytes / 2 ** 20)} MiB are free, ${Math.ceil(office.reserve / 2 ** 20)} are kept in reserve`
          : files < RESERVE_FILES
            ? `only ${files} files can be made`
            : null;
    }
    if (problem === null) return;
    void emptyPool(office.root).catch(() => {});
    throw new Refused('no-space', `${office.root.path}: ${problem}`);
  };
}

async function log(
  office: Office,
  request: Extract<Request, { op: 'log' }>,
  id: number,
  line: Line,
): Promise<Replies['log']> {
  const { token, from, follow } = request;
  const dir = whereabouts(office.root, token);
  if (dir === null) throw new Refused('unknown', `no attempt ${token} on this node`);
  const running = (): boolean => office.attempts.get(token)?.outcome === null;
  const bytes = await sendLog({
    path: `${dir}/agent.log`,
    from,
    follow,
    isOver: () => !running(),
    onOver: (then) => office.attempts.onEnd(token, then),
    send: (chunk) => line.chunk(id, chunk),
    signal: line.signalOf(id),
  });
  await line.endChunks(id);
  return { bytes };
}

/** Where an attempt's files are, forgotten or not. */
function whereabouts(root: Root, token: Token): string | null {
  return (
    [attemptDir(root, token), `${root.done}/${token}`, `${root.trash}/${token}`].find((dir) =>
      existsSync(dir),
    ) ?? null
  );
}

function isForgotten(root: Root, token: Token): boolean {
  return [root.done, root.trash].some((dir) => existsSync(`${dir}/${token}`));
}

/** One at a time for each mirror: parallel writers of one repository race. */
async function put(
  office: Office,
  { project, commits }: Extract<Request, { op: 'mirror.put' }>,
  id: number,
  line: Line,
  puts: Map<ProjectName, Promise<unknown>>,
): Promise<Replies['mirror.put']> {
  const file = await line.receive(id);
  try {
    const turn = (puts.get(project) ?? Promise.resolve())
      .catch(() => {})
      .then(() => mirrorPut(mirrorDir(office.root, project), file, commits));
    puts.set(project, turn);
    await turn;
    return {};
  } finally {
    await rm(file, { force: true });
  }
}

async function bundle(
  office: Office,
  token: Token,
  have: readonly CommitId[],
  id: number,
  line: Line,
): Promise<Replies['bundle.get']> {
  const dir = [attemptDir(office.root, token), `${office.root.trash}/${token}`].find((path) =>
    existsSync(`${path}/git`),
  );
  const outcome = office.attempts.get(token)?.outcome ?? null;
  const head = outcome !== null && 'head' in outcome ? (outcome.head ?? null) : null;
  const order = dir === undefined ? null : readOrder(dir);
  if (dir === undefined || head === null || order === null)
    throw new Refused('unknown', `there is no result of ${token} on this node`);
  const base = order.work.kind === 'work' && order.work.tree !== null ? [order.work.tree.base] : [];
  const repo = { gitDir: `${dir}/git` };
  const held = await commitsHeld(repo.gitDir, Array.from(new Set([...base, ...have])));
  const file = `${office.root.run}/bundle-${randomBytes(8).toString('hex')}`;
  try {
    await writeBundle(
      repo,
      file,
      [head],
      held.filter((commit) => commit !== head),
    );
    if (await line.sendFile(id, file)) markCollected(dir);
    return { head };
  } finally {
    await rm(file, { force: true });
  }
}

async function forget(office: Office, token: Token): Promise<Replies['forget']> {
  const entry = office.attempts.get(token);
  if (entry === undefined)
    return { state: whereabouts(office.root, token) === null ? 'unknown' : 'forgotten' };
  if (entry.outcome === null) throw new Refused('bad-request', `${token} is still running: cancel it first`);
  // Two that forget at once, and a forget that is asked again: the first has the entry.
  office.attempts.remove(token);
  await office.journal.settled();
  await retire(office.root, entry);
  return { state: 'forgotten' };
}

/**
 * Whoever is to type lands in the live session of the running step, and so does whoever looks while it waits for
 * something on its terminal. What it prints goes to its log, so everybody else is shown that.
 */
async function attach(office: Office, token: Token, write: boolean): Promise<Replies['attach']> {
  const { root, tmux, attempts } = office;
  const dir = whereabouts(root, token);
  if (dir === null) throw new Refused('unknown', `no attempt ${token} on this node`);
  const entry = attempts.get(token);
  const step = entry?.step ?? null;
  const now = entry === undefined ? null : await office.look(entry);
  const asks = now?.evidence.processes.some(({ waits }) => waits === 'terminal') ?? false;
  if (step !== null && (write || asks)) {
    const argv = await liveSession(root, tmux, sessionOf(token, step), write);
    if (argv !== null) return { argv, shows: 'terminal', now };
  }
  if (write)
    throw new Refused(
      'unknown',
      'none of its commands runs at this moment, so there is nothing to type into',
    );
  return { argv: await prepareView(root, tmux, token, `${dir}/agent.log`), shows: 'log', now };
}
