/**
 * A running controller answers commands of other verbs (cancel, retry, cordon, collect) on a unix socket in its home:
 * one JSON line each way. The socket lives in a 0700 directory; whoever can open it owns the home.
 */
import { chmodSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DispatchError } from '../model/error.ts';
import type { Reply } from './commands.ts';
import type { Command } from './door.ts';

/** Longest path a unix socket may have on every system that we run on (macOS: 104 bytes with the final zero). */
const MAX_SOCKET_PATH = 100;
/** A command line longer than this is not one of ours. */
const MAX_LINE = 64 * 1024 * 1024;

/** Serves commands until the returned function is called. `file` is where clients look for it. */
export async function serveCommands(
  file: string,
  answer: (command: Command) => Promise<Reply>,
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
  const path = resolvedSocket(file);
  if (path === null) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(command)}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null);
      else reject(error);
    });
    socket.on('end', () => {
      try {
        resolve(JSON.parse(text) as Reply);
      } catch (cause) {
        reject(new DispatchError('E_INTERNAL', 'the controller went away before it answered', { cause }));
      }
    });
  });
}

function serveClient(socket: Socket, answer: (command: Command) => Promise<Reply>): void {
  socket.on('error', () => socket.destroy());
  const lines = createInterface({ input: socket });
  socket.on('data', () => {
    if (socket.bytesRead > MAX_LINE) socket.destroy();
  });
  lines.once('line', (line) => {
    void reply(line, answer).then((text) => socket.end(`${text}\n`));
  });
}

async function reply(line: string, answer: (command: Command) => Promise<Reply>): Promise<string> {
  try {
    return JSON.stringify(await answer(JSON.parse(line) as Command));
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
