import fc from '../property.ts';
import { describe, expect, it } from 'vitest';
import {
  CHUNK,
  encodeChunk,
  encodeMessage,
  type Frame,
  FrameError,
  FrameReader,
  MAX_FRAME,
} from '../../src/protocol/frame.ts';

const frameArb = fc.oneof(
  fc.jsonValue().map((body): { bytes: Buffer; frame: Frame } => ({
    bytes: encodeMessage({ body }),
    frame: { kind: 'message', body: JSON.parse(JSON.stringify({ body })) },
  })),
  fc
    .tuple(fc.nat(0xffff_ffff), fc.uint8Array({ maxLength: 300 }))
    .map(([id, bytes]): { bytes: Buffer; frame: Frame } => ({
      bytes: encodeChunk(id, bytes),
      frame: { kind: 'chunk', id, bytes: Buffer.from(bytes) },
    })),
);

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(frameArb, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 40 })),
        (sent, cuts) => {
          const reader = new FrameReader();
          const stream = Buffer.concat(sent.map(({ bytes }) => bytes));
          const got: Frame[] = [];
          let at = 0;
          for (const cut of cuts) {
            got.push(...reader.push(stream.subarray(at, at + cut)));
            at = Math.min(stream.length, at + cut);
          }
          got.push(...reader.push(stream.subarray(at)));
          expect(got.map(plain)).toEqual(sent.map(({ frame }) => plain(frame)));
          expect(reader.pending).toBe(0);
        },
      ),
    );
  });

  it('survive being delivered one byte at a time, with the rest kept until the frame is whole', () => {
    const reader = new FrameReader();
    const bytes = Buffer.concat([encodeMessage({ text: '目标 \u0000' }), encodeChunk(7, Buffer.from('abc'))]);
    const got: Frame[] = [];
    for (const byte of bytes) got.push(...reader.push(Buffer.from([byte])));
    expect(got.map(plain)).toEqual([
      { kind: 'message', body: { text: '目标 \u0000' } },
      { kind: 'chunk', id: 7, bytes: '616263' },
    ]);
  });

  it('of a large transfer cost time in proportion to its size, since parts are joined once', () => {
    const reader = new FrameReader();
    const message = encodeMessage('x'.repeat(8 << 20));
    let frames = 0;
    for (let at = 0; at < message.length; at += 1024)
      frames += reader.push(message.subarray(at, at + 1024)).length;
    expect(frames).toBe(1);
  });

  it('keep an empty chunk, which ends a transfer', () => {
    const [frame] = new FrameReader().push(encodeChunk(9, Buffer.alloc(0)));
    expect(frame).toEqual({ kind: 'chunk', id: 9, bytes: Buffer.alloc(0) });
  });

  it('hold a chunk of the largest size', () => {
    const [frame] = new FrameReader().push(encodeChunk(1, Buffer.alloc(CHUNK, 1)));
    expect(frame?.kind === 'chunk' && frame.bytes.length).toBe(CHUNK);
  });

  it.each([
    ['a length of zero', Buffer.from([0, 0, 0, 0, 1])],
    ['a length beyond the limit', Buffer.from([0xff, 0xff, 0xff, 0xff, 1])],
    ['an unknown kind', Buffer.from([0, 0, 0, 1, 9])],
    ['a message that is not JSON', Buffer.from([0, 0, 0, 2, 1, 0x7b])],
    ['a chunk without an id', Buffer.from([0, 0, 0, 2, 2, 0])],
    ['a banner of a login shell', Buffer.from('Welcome to Ubuntu')],
  ])('are refused with %s', (_what, bytes) => {
    expect(() => new FrameReader().push(bytes)).toThrow(FrameError);
  });

  it('are refused before they are sent when they are larger than the other side takes', () => {
    expect(() => encodeMessage('x'.repeat(MAX_FRAME))).toThrow(FrameError);
  });
});

function plain(frame: Frame): unknown {
  return frame.kind === 'chunk' ? { ...frame, bytes: Buffer.from(frame.bytes).toString('hex') } : frame;
}
