/**
 * A transport is a way to one byte stream whose far end is exactly `/bin/sh` reading its script from the stream.
 * No value ever travels in a remote command line: everything is said on the stream, so nothing needs quoting. Each
 * transport has real uses (ssh2, system ssh, a child process here, any command), and none knows what is said.
 */
import type { Readable, Writable } from 'node:stream';
import type { DispatchError } from '../model/error.ts';

export interface Transport {
  /**
   * Makes a new, independent stream. Whoever opens one closes it.
   * @throws DispatchError E_HOST_KEY_UNKNOWN, E_HOST_KEY_CHANGED, E_SSH_AUTH, E_NODE_UNREACHABLE or E_NODE_TIMEOUT as
   * far as the transport can know that early; system ssh and other commands tell only through `closed`.
   */
  open(signal?: AbortSignal): Promise<ByteStream>;
  /** How the node is reached, for people: `ssh2 to root@10.0.0.7:22`. */
  describe(): string;
  /** Where a bare TCP connection tells whether the machine can be reached; null when only opening tells. */
  readonly door: Door | null;
}

export interface Door {
  readonly host: string;
  readonly port: number;
}

export interface ByteStream {
  readonly readable: Readable;
  /** Respect its backpressure. After the stream is over, writes go nowhere and may never call back: watch `closed`. */
  readonly writable: Writable;
  /** Settles once, never rejects: everything that was received has been read, and no process or socket is left. */
  readonly closed: Promise<Closed>;
  /** Ends the stream at once; harmless when called again. */
  close(): void;
  /** The last lines that the far end or the program in between wrote beside the stream. */
  stderrTail(): string;
}

export interface Closed {
  /** One line: why the stream is over. */
  readonly reason: string;
  /** The same as an error with a code when the end itself says what is wrong (refused key, unreachable); null for a plain end. */
  readonly problem: DispatchError | null;
  /** Exit code when the shell at the far end ended by itself; null when the connection ended, or it cannot be told. */
  readonly exitCode: number | null;
}
