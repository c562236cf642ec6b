/**
 * Frames on the byte stream: 4 bytes length (big endian, of what follows), 1 byte kind, then the body.
 * Kind 1: a JSON message. Kind 2: a chunk of a transfer: 4 bytes request id, then bytes; an empty chunk ends the transfer.
 */
const JSON_KIND = 1;
const CHUNK_KIND = 2;
const HEAD = 5;

/** A frame longer than this is an attack or garbage on the line, never a message of ours. */
export const MAX_FRAME = 32 * 1024 * 1024;
/** Bytes of a transfer per chunk. */
export const CHUNK = 64 * 1024;

export type Frame =
  | { readonly kind: 'message'; readonly body: unknown }
  | { readonly kind: 'chunk'; readonly id: number; readonly bytes: Buffer };

export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export function encodeMessage(body: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(body), 'utf8');
  if (json.length + 1 > MAX_FRAME)
    throw new FrameError(`a message of ${json.length} bytes does not fit a frame`);
  const head = Buffer.allocUnsafe(HEAD);
  head.writeUInt32BE(json.length + 1, 0);
  head.writeUInt8(JSON_KIND, 4);
  return Buffer.concat([head, json]);
}

/** @param bytes at most CHUNK; empty ends the transfer. */
export function encodeChunk(id: number, bytes: Uint8Array): Buffer {
  const head = Buffer.allocUnsafe(HEAD + 4);
  head.writeUInt32BE(bytes.length + 5, 0);
  head.writeUInt8(CHUNK_KIND, 4);
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, bytes]);
}

/** Cuts a byte stream into frames. Feed it whatever arrives; it keeps the rest. */
export class FrameReader {
  #parts: Buffer[] = [];
  #size = 0;

  /** @throws FrameError when the bytes are not frames of ours: the stream cannot be trusted any more and must be closed. */
  push(bytes: Buffer): Frame[] {
    if (bytes.length > 0) this.#parts.push(bytes);
    this.#size += bytes.length;
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== null; frame = this.#next()) frames.push(frame);
    return frames;
  }

  /** Bytes that have arrived but do not make a frame yet. */
  get pending(): number {
    return this.#size;
  }

  #next(): Frame | null {
    if (this.#size < HEAD) return null;
    const length = this.#peek(HEAD).readUInt32BE(0);
    if (length < 1 || length > MAX_FRAME) throw new FrameError(`a frame of ${length} bytes`);
    if (this.#size < 4 + length) return null;
    const whole = this.#peek(4 + length);
    this.#drop(4 + length);
    return decode(whole.readUInt8(4), whole.subarray(HEAD, 4 + length));
  }

  /** The first `count` bytes in one buffer; joins parts only when a frame spans them. */
  #peek(count: number): Buffer {
    const first = this.#parts[0];
    if (first !== undefined && first.length >= count) return first;
    const joined = Buffer.concat(this.#parts);
    this.#parts = [joined];
    return joined;
  }

  #drop(count: number): void {
    this.#size -= count;
    const first = this.#parts.shift();
    if (first !== undefined && first.length > count) this.#parts.unshift(first.subarray(count));
  }
}

function decode(kind: number, body: Buffer): Frame {
  if (kind === JSON_KIND) {
    try {
      return { kind: 'message', body: JSON.parse(body.toString('utf8')) };
    } catch (cause) {
      throw new FrameError('a message that is not JSON', { cause });
    }
  }
  if (kind === CHUNK_KIND) {
    if (body.length < 4) throw new FrameError('a chunk without an id');
    return { kind: 'chunk', id: body.readUInt32BE(0), bytes: body.subarray(4) };
  }
  throw new FrameError(`a frame of kind ${kind}`);
}
