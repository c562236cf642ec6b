import fc from '../property.ts';
import { describe, expect, it } from 'vitest';
import { BACKOFF, waitBefore } from '../../src/node/backoff.ts';

describe('the wait before a node is tried again', () => {
  it('doubles from half a second to half a minute, spread over its upper half', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 50].map((total) => waitBefore({ total, auth: 0 }, 1));
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(waitBefore({ total: 1, auth: 0 }, 0)).toBe(250);
  });

  it('is a minute after the second refused login, then doubles', () => {
    const waits = [1, 2, 3, 4, 99].map((auth) => waitBefore({ total: auth, auth }, 0));
    expect(waits).toEqual([250, 60_000, 120_000, 240_000, BACKOFF.authMaxMs]);
  });

  it('never leaves its limits and never shrinks with more failures', () => {
    fc.assert(
      fc.property(
        fc.nat(1000),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (total, random) => {
          const wait = waitBefore({ total: total + 1, auth: 0 }, random);
          expect(wait).toBeGreaterThanOrEqual(BACKOFF.minMs / 2);
          expect(wait).toBeLessThanOrEqual(BACKOFF.maxMs);
          expect(waitBefore({ total: total + 2, auth: 0 }, random)).toBeGreaterThanOrEqual(wait);
        },
      ),
    );
  });
});
