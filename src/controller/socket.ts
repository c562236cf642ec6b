/**
 * A running controller answers commands and questions of other verbs (cancel, cordon, collect, status) on a unix socket
 * in its home: one JSON line each way. The socket lives in a 0700 directory; whoever can open it owns the home.
 */
import { chmodSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DispatchError } from '../model/error.ts';
import type { ProjectName } from '../model/ids.ts';
import type { Reply } from './commands.ts';
import type { Command } from './door.ts';
import type { HealthReport } from './health.ts';
import type { About, NodeLook, Question } from './questions.ts';

type Request = Command | Question;
type Answer = Reply | About | readonly NodeLook[] | HealthReport;

/** Longest path a unix socket may have on every system that we run on (macOS: 104 bytes with the final zero). */
const MAX_SOCKET_PATH = 100;
/** A command line longer than this is not one of ours. */
const MAX_LINE = 64 * 1024 * 1024;
/** A controller that is at work answers a question between two turns. Milliseconds. */
const ABOUT_MS = 3000;
/** Each of its parts has a deadline of its own, and they are tried side by side. Milliseconds. */
const HEALTH_MS = 15_000;

/** Serves requests until the returned function is called. `file` is where clients look for it. */
export async function serveRequests(
  file: string,
  answer: (request: Request) => Promise<Answer>,
): Promise<() => Promise<void>> {
  const place = socketPlace(file);
  const server = createServer((socket) => serveClient(socket, answer));
  await listen(server, place.listen);
  chmodSync(place.listen, 0o600);
  place.publish();
  return async () => {
    place.withdraw();
    server.close();
  };
}

/** Sends one command to the controller of this home; null when none is listening. */
export function askController(file: string, command: Command): Promise<Reply | null> {
  return ask<Reply>(file, command);
}

/** Hands the project to the controller of this home, which must be one that keeps it; null when none is listening. */
export function handToController(
  file: string,
  asked: { readonly project: ProjectName; readonly skipControl?: string },
): Promise<Reply | null> {
  return ask<Reply>(file, { ask: 'take', ...asked });
}

/** How the nodes are doing; null when nobody is listening, or it is of another version, or does not answer in time. */
export async function nodesOfController(file: string): Promise<readonly NodeLook[] | null> {
  const looks = await ask<readonly NodeLook[] | Reply>(file, { ask: 'nodes' }, ABOUT_MS).catch(() => null);
  return Array.isArray(looks) ? looks : null;
}

/** Who controls this home; null when nobody is listening, or it is of another version, or does not answer in time. */
export async function aboutController(file: string): Promise<About | null> {
  const about = await ask<About | Reply>(file, { ask: 'about' }, ABOUT_MS).catch(() => null);
  return about !== null && 'kind' in about ? about : null;
}

/** Whether somebody takes connections there; that one answers is not said. */
export function isListening(file: string): Promise<boolean> {
  const path = resolvedSocket(file);
  if (path === null) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Tries all that the controller depends on; null when nobody is listening, or it does not answer in time. */
export async function healthOfController(file: string): Promise<HealthReport | null> {
  const found = await ask<HealthReport | Reply>(file, { ask: 'health' }, HEALTH_MS).catch(() => null);
  return found !== null && 'parts' in found ? found : null;
}

function ask<T extends Answer>(file: string, request: Request, limitMs?: number): Promise<T | null> {
  const path = resolvedSocket(file);
  if (path === null) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = '';
    if (limitMs !== undefined) socket.setTimeout(limitMs, () => socket.destroy(new Error('no answer')));
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null);
      else reject(error);
    });
    socket.on('end', () => {
      try {
        resolve(JSON.parse(text) as T);
      } catch (cause) {
        reject(new DispatchError('E_INTERNAL', 'the controller went away before it answered', { cause }));
      }
    });
  });
}

function serveClient(socket: Socket, answer: (request: Request) => Promise<Answer>): void {
  socket.on('error', () => socket.destroy());
  const lines = createInterface({ input: socket });
  // It repeats the errors of its input: a client that did not wait for the answer must not end the controller.
  lines.on('error', () => {});
  socket.on('data', () => {
    if (socket.bytesRead > MAX_LINE) socket.destroy();
  });
  lines.once('line', (line) => {
    void reply(line, answer).then((text) => socket.end(`${text}\n`));
  });
}

async function reply(line: string, answer: (request: Request) => Promise<Answer>): Promise<string> {
  try {
    return JSON.stringify(await answer(JSON.parse(line) as Request));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof DispatchError ? error.code : 'E_INTERNAL';
    return JSON.stringify({ ok: false, code, message } satisfies Reply);
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
}

/** A home deep in the file system has a path too long for a socket: then it is a link to a short place. */
function socketPlace(file: string): { listen: string; publish: () => void; withdraw: () => void } {
  removeStale(file);
  if (Buffer.byteLength(file) <= MAX_SOCKET_PATH) {
    return { listen: file, publish: () => undefined, withdraw: () => removeStale(file) };
  }
  const directory = mkdtempSync(join(tmpdir(), 'dispatch-'));
  const short = join(directory, 's');
  return {
    listen: short,
    publish: () => symlinkSync(short, file),
    withdraw: () => {
      removeStale(file);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Where the socket really is; null when nobody can be listening. */
function resolvedSocket(file: string): string | null {
  try {
    return readlinkSync(file);
  } catch {
    return Buffer.byteLength(file) <= MAX_SOCKET_PATH ? file : null;
  }
}

/** Only the holder of the lease serves, so whatever lies there is left over from a controller that died. */
function removeStale(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
