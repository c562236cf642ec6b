/**
 * A line with a delay, in front of a server on loopback: what goes in on one side comes out on the other so many
 * milliseconds later, in order, as on a long wire with room for everything. Not every kernel can delay packets (netem).
 * It can be cut (both ends see the connection end, new ones are refused), silenced (bytes vanish, nobody is told) and
 * mended.
 */
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { freePort, type Sshd } from './sshd.ts';

export class SlowLine {
  readonly #port: number;
  readonly #oneWayMs: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #listensOn = 0;
  #silent = false;
  #towardsServer = false;
  /** Connections that were taken so far. */
  taken = 0;
  /** How often the client had something to say after the server had spoken: round trips, if somebody waited for each. */
  trips = 0;

  /** @param port of the server on loopback; @param roundTripMs both directions together. */
  constructor(port: number, roundTripMs: number) {
    this.#port = port;
    this.#oneWayMs = roundTripMs / 2;
  }

  /** The port at which clients find the server; the same after a cut. */
  get port(): number {
    return this.#listensOn;
  }

  /** Lets connections through, again after a cut. */
  async open(): Promise<void> {
    this.#silent = false;
    if (this.#listensOn === 0) this.#listensOn = await freePort();
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#take(near));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#listensOn, '127.0.0.1', resolve);
    });
  }

  /** Ends every connection and refuses new ones. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    const closed = new Promise<void>((resolve) =>
      server === null ? resolve() : server.close(() => resolve()),
    );
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** From now on bytes vanish on the way, and nobody is told. */
  silence(): void {
    this.#silent = true;
  }

  /** Bytes arrive again; what has vanished stays lost. */
  heed(): void {
    this.#silent = false;
  }

  #take(near: Socket): void {
    this.taken += 1;
    const far = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => {});
      from.on('data', (bytes: Buffer) => {
        if (from === near && !this.#towardsServer) this.trips += 1;
        this.#towardsServer = from === near;
        this.#later(() => to.write(bytes));
      });
      from.once('end', () => this.#later(() => to.end()));
      from.once('close', () => {
        this.#sockets.delete(from);
        this.#later(() => to.destroy());
      });
    }
  }

  #later(then: () => void): void {
    if (this.#oneWayMs === 0) {
      if (!this.#silent) then();
      return;
    }
    setTimeout(() => {
      if (!this.#silent) then();
    }, this.#oneWayMs);
  }
}

/** Writes a client configuration in which the server's alias leads through the line, and returns its path. */
export async function configThrough(sshd: Sshd, line: SlowLine): Promise<string> {
  const file = join(sshd.dir, `ssh_config_${line.port}`);
  // The first value counts; the host is still known by the name that it has without the line.
  const own = `Host ${sshd.alias}\n  Port ${line.port}\n  HostKeyAlias ${sshd.hostKeyName}\n`;
  await writeFile(file, `${own}Include ${sshd.configFile}\n`);
  return file;
}
