/** The rule that finds out how many attempts a key carries. */
import fc from '../property.ts';
import { describe, expect, test } from 'vitest';
import type { RefusalKind } from '../../src/model/attempt.ts';
import type { Credential } from '../../src/model/credential.ts';
import { allowance, eased, lowered, needsPerson, type Refused } from '../../src/schedule/credential-rule.ts';

const ANY = { maxInFlight: null };
const refused = (over: Partial<Refused> = {}): Refused => ({
  why: 'rate',
  retryAfterMs: null,
  claimedAt: 1000,
  now: 2000,
  inFlight: 8,
  ...over,
});

/** What the facts make of a key, as `evolve` does. */
function apply(known: Credential | undefined, by: Refused): Credential | undefined {
  const bound = lowered(known, by);
  if (bound === null) return known;
  const { now: at, why } = by;
  return { name: 'k', ...bound, refused: { at, why, message: '' }, refusals: (known?.refusals ?? 0) + 1 };
}

type Ease = Omit<Parameters<typeof eased>[1], 'now'>;

function ease(known: Credential, by: Ease): Credential {
  return { ...known, ...easing(known, by) };
}

/** Right when the attempt was given its key, unless it says when. */
function easing(known: Credential, by: Ease, now = by.claimedAt): ReturnType<typeof eased> {
  return eased(known, { now, ...by });
}

describe('a refusal', () => {
  test('halves what was in flight and starts a back-off that doubles', () => {
    const one = apply(undefined, refused());
    expect(one).toMatchObject({ limit: 4, seen: 8, notBefore: 7000, strikes: 1 });
    const two = apply(one, refused({ claimedAt: 8000, now: 9000, inFlight: 4 }));
    expect(two).toMatchObject({ limit: 2, notBefore: 19_000, strikes: 2 });
  });

  test('of what began before the last one is the same refusal', () => {
    const one = apply(undefined, refused());
    expect(lowered(one, refused({ claimedAt: 1900, now: 2100 }))).toBeNull();
    expect(lowered(one, refused({ claimedAt: 1900, now: 2100, retryAfterMs: 60_000 }))).toEqual({
      limit: 4,
      seen: 8,
      notBefore: 62_100,
      strikes: 1,
    });
  });

  test('that was heard before the clock was set back comes before what is heard now', () => {
    const day = 24 * 3_600_000;
    const heard = apply(undefined, refused({ claimedAt: 9 * day, now: 9 * day + 1 })) as Credential;
    const after = { claimedAt: 8 * day, now: 8 * day + 1000 };
    expect(apply(heard, refused({ ...after, inFlight: 4 }))).toMatchObject({
      limit: 2,
      strikes: 2,
      notBefore: after.now + 10_000,
    });
    expect(eased(heard, { ...after, inFlight: 1, max: null })).toMatchObject({ notBefore: 0, strikes: 0 });
  });

  test('for login, account or quota says nothing about how many: one at a time tries again', () => {
    for (const why of ['login', 'account', 'quota'] as const) {
      const key = apply(undefined, refused({ why }));
      expect(key?.limit).toBeNull();
      expect(allowance(key, ANY, key?.notBefore ?? 0)).toBe(1);
      expect(needsPerson(key)).toBe(why !== 'quota');
      expect(
        key === undefined ? 0 : allowance(ease(key, { claimedAt: 1e9, inFlight: 1, max: null }), ANY, 0),
      ).toBe(Number.POSITIVE_INFINITY);
    }
  });
});

describe('a success', () => {
  test('adds one for a whole window of them, up to what is allowed', () => {
    let key = apply(undefined, refused()) as Credential;
    for (let i = 0; i < 4; i++) key = ease(key, { claimedAt: 9000, inFlight: 4, max: 5 });
    expect(key.limit).toBeGreaterThan(4.9);
    expect(key).toMatchObject({ notBefore: 0, strikes: 0 });
    for (let i = 0; i < 9; i++) key = ease(key, { claimedAt: 9000, inFlight: 5, max: 5 });
    expect(key.limit).toBe(5);
    expect(easing(key, { claimedAt: 9000, inFlight: 5, max: 5 })).toBeNull();
  });

  test('that began before the last refusal, or in a window that is not used, adds nothing', () => {
    const key = apply(undefined, refused()) as Credential;
    expect(easing(key, { claimedAt: 1500, inFlight: 8, max: null })).toBeNull();
    const used = ease(key, { claimedAt: 9000, inFlight: 1, max: null });
    expect(used).toMatchObject({ limit: 4, strikes: 0 });
    expect(easing(used, { claimedAt: 9000, inFlight: 1, max: null })).toBeNull();
  });
});

const step = fc.record({
  ok: fc.boolean(),
  why: fc.constantFrom<RefusalKind>('rate', 'overload', 'quota', 'account', 'login'),
  age: fc.nat(100_000),
  gap: fc.nat(100_000),
  inFlight: fc.integer({ min: 1, max: 64 }),
  retryAfterMs: fc.option(fc.nat(600_000)),
});

test('whatever comes: at least one may try, never more than allowed, and no back-off beyond its longest', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.option(fc.integer({ min: 1, max: 40 })),
      (steps, max) => {
        let known: Credential | undefined;
        let now = 1_000_000;
        for (const { ok, why, age, gap, inFlight, retryAfterMs } of steps) {
          now += gap;
          const claimedAt = now - age;
          const before = known;
          if (ok) known = known && ease(known, { claimedAt, inFlight, max });
          else known = apply(known, { why, retryAfterMs, claimedAt, now, inFlight });
          if (known === undefined) continue;
          const allowed = allowance(known, { maxInFlight: max }, Math.max(now, known.notBefore));
          expect(allowed).toBeGreaterThanOrEqual(1);
          expect(allowed).toBeLessThanOrEqual(max ?? Number.POSITIVE_INFINITY);
          expect(known.limit ?? 1).toBeGreaterThanOrEqual(1);
          expect(known.notBefore).toBeLessThanOrEqual(
            now + Math.max(3_600_000, retryAfterMs ?? 0, (before?.notBefore ?? 0) - now),
          );
          // Never up by a refusal, never down by a success.
          if (before?.limit != null && known.limit !== null) {
            if (ok) expect(known.limit).toBeGreaterThanOrEqual(before.limit);
            else expect(known.limit).toBeLessThanOrEqual(before.limit);
          }
        }
      },
    ),
  );
});

test('it finds the real bound and stays about it: few refusals, most of the throughput', () => {
  for (const real of [1, 2, 6, 10, 24]) {
    const { done, refusals, ideal } = provider(real, 32, 600);
    expect(done / ideal, `bound ${real}`).toBeGreaterThan(0.6);
    expect(refusals / done, `bound ${real}`).toBeLessThan(0.25);
  }
});

/** 32 slots with more to do than they can, against a key that carries `real` at once; attempts last a minute. */
function provider(real: number, slots: number, minutes: number) {
  const SPAN = 60_000;
  const SOON = 1_000;
  let known: Credential | undefined;
  let [done, refusals] = [0, 0];
  let running: { readonly claimedAt: number; readonly ends: number; readonly ok: boolean }[] = [];
  for (let now = 0; now < minutes * SPAN; now += 250) {
    const over = running.filter(({ ends }) => ends <= now);
    for (const { claimedAt, ok } of over) {
      const inFlight = running.length;
      running = running.filter(({ ends }) => ends > now);
      if (ok) {
        done += 1;
        if (known !== undefined) known = ease(known, { claimedAt, inFlight, max: null });
      } else {
        refusals += 1;
        known = apply(known, refused({ claimedAt, now, inFlight }));
      }
    }
    while (running.length < Math.min(slots, allowance(known, ANY, now))) {
      const ok = running.filter((one) => one.ok).length < real;
      running.push({ claimedAt: now, ends: now + (ok ? SPAN : SOON), ok });
    }
  }
  return { done, refusals, ideal: real * minutes };
}
