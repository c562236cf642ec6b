import { expect, test } from 'vitest';
import { isQuietAt, pendingFor } from '../../src/alerts/pending.ts';
import type { AlertState, Cause } from '../../src/model/alert.ts';
import { Core } from '../../src/controller/core.ts';
import type { Input } from '../../src/controller/door.ts';
import { emptyState } from '../../src/model/state.ts';

const DAY = 86_400_000;
const DOWN: Cause = {
  key: 'node/mac2',
  rule: 'node-down',
  level: 'P1',
  code: 'E_NODE_DOWN',
  about: 'mac2',
  message: 'no connection for 2m 00s',
  fix: 'dispatch nodes probe mac2',
};
const SINK = { name: 'phone', levels: ['P0', 'P1'] } as const;

class Night {
  core = new Core(emptyState(), { epoch: 1, random: () => new Uint8Array(16) });
  now = 1_000_000;

  /** What a look finds, so long after the one before. @returns the facts that follow. */
  look(afterMs: number, found: readonly Cause[], undecided: readonly string[] = []): string[] {
    this.now += afterMs;
    return this.turn({ is: 'alerts.judged', found, undecided: new Set(undecided), againMs: DAY });
  }

  turn(input: Input): string[] {
    return this.core
      .turn([input], this.now)
      .events.map(({ fact }) => `${fact.type}${'quiet' in fact ? ' quiet' : ''}`);
  }

  restart(): void {
    this.core = new Core(this.core.state, { epoch: 2, random: () => new Uint8Array(16) });
  }

  /** What waits for a sink. */
  waits(isQuiet = false): { raised: string[]; resolved: string[] } {
    const { raised, resolved } = pendingFor(this.core.state.alerts.values(), SINK, isQuiet);
    return { raised: raised.map(({ key }) => key), resolved: resolved.map(({ key }) => key) };
  }

  tell(): void {
    this.turn({ is: 'alerts.told', sink: 'phone', ...this.waits() });
  }

  get alert(): AlertState | undefined {
    return this.core.state.alerts.get(DOWN.key);
  }
}

const NOTHING = { raised: [], resolved: [] };

test('a cause is told once a day, across restarts, however often it comes and goes', () => {
  const night = new Night();
  expect(night.look(0, [DOWN])).toEqual(['alert.raised']);
  expect(night.waits()).toEqual({ raised: [DOWN.key], resolved: [] });
  night.tell();
  expect(night.look(1000, [DOWN])).toEqual([]);
  night.restart();
  expect(night.look(1000, [DOWN])).toEqual([]);
  expect(night.waits()).toEqual(NOTHING);

  expect(night.look(1000, [])).toEqual(['alert.resolved']);
  expect(night.waits()).toEqual({ raised: [], resolved: [DOWN.key] });
  night.tell();
  expect(night.waits()).toEqual(NOTHING);
  expect(night.look(1000, [DOWN])).toEqual(['alert.raised quiet']);
  expect(night.alert).toMatchObject({ quiet: true, resolved: null });
  expect(night.waits()).toEqual(NOTHING);
  expect(night.look(1000, [])).toEqual(['alert.resolved']);
  expect(night.waits()).toEqual(NOTHING);

  expect(night.look(DAY, [DOWN])).toEqual(['alert.raised']);
  expect(night.waits()).toEqual({ raised: [DOWN.key], resolved: [] });
});

test('what lasts longer than a day is told again, unless somebody knows of it', () => {
  const night = new Night();
  night.look(0, [DOWN]);
  const { since } = night.alert ?? {};
  night.tell();
  expect(night.look(DAY, [DOWN])).toEqual(['alert.raised']);
  expect(night.alert).toMatchObject({ since, told: [] });
  night.tell();
  expect(night.turn({ is: 'command', command: { verb: 'ack', key: DOWN.key, by: 'ann' } })).toEqual([
    'alert.acked',
  ]);
  expect(night.turn({ is: 'command', command: { verb: 'ack', key: DOWN.key, by: 'bob' } })).toEqual([]);
  expect(night.look(DAY, [DOWN])).toEqual([]);
  expect(night.look(1, [])).toEqual(['alert.resolved']);
});

test('what has got worse is told at once, and what nothing can be said of stays as it is', () => {
  const night = new Night();
  night.look(0, [DOWN]);
  night.tell();
  expect(night.look(1000, [], [DOWN.key])).toEqual([]);
  expect(night.look(1000, [{ ...DOWN, code: 'E_NODE_LOST' }])).toEqual(['alert.raised']);
  expect(night.waits()).toEqual({ raised: [DOWN.key], resolved: [] });
});

test('what gets worse and better by turns is told once a day in each form, and whoever was told hears that it is over', () => {
  const night = new Night();
  const lost: Cause = { ...DOWN, level: 'P0', code: 'E_NODE_LOST' };
  const worse: Cause = { ...DOWN, level: 'P0' };
  night.look(0, [DOWN]);
  night.tell();
  expect(night.look(1000, [lost])).toEqual(['alert.raised']);
  night.tell();
  expect(night.look(1000, [DOWN])).toEqual(['alert.raised quiet']);
  expect(night.look(1000, [lost])).toEqual(['alert.raised quiet']);
  expect(night.waits()).toEqual(NOTHING);
  expect(night.look(1000, [])).toEqual(['alert.resolved']);
  expect(night.waits()).toEqual({ raised: [], resolved: [DOWN.key] });
  night.tell();
  expect(night.look(1000, [lost])).toEqual(['alert.raised quiet']);
  expect(night.look(1000, [worse])).toEqual(['alert.raised']);
  expect(night.look(DAY, [lost])).toEqual(['alert.raised']);
});

test('in quiet hours P1 waits and P0 does not; what is over before anybody heard of it is told to nobody', () => {
  const night = new Night();
  night.look(0, [DOWN, { ...DOWN, key: 'disk', level: 'P0' }, { ...DOWN, key: 'idle', level: 'P2' }]);
  expect(night.waits(true)).toEqual({ raised: ['disk'], resolved: [] });
  expect(night.waits(false)).toEqual({ raised: [DOWN.key, 'disk'], resolved: [] });
  night.look(1000, []);
  expect(night.waits(false)).toEqual(NOTHING);
});

test('a sink that fails is told of others and not of itself', () => {
  const night = new Night();
  night.look(0, [
    { ...DOWN, key: 'sink/phone' },
    { ...DOWN, key: 'sink/mail' },
  ]);
  expect(night.waits()).toEqual({ raised: ['sink/mail'], resolved: [] });
});

test('quiet hours go past midnight, by the clock of their own time zone', () => {
  const quiet = { from: 22 * 60, to: 7 * 60, timezone: 'Asia/Shanghai' };
  const at = (time: string): boolean => isQuietAt(quiet, Date.parse(`2026-11-20T${time}+08:00`));
  expect(['21:59', '22:00', '23:59', '00:00', '06:59', '07:00', '12:00'].map((time) => at(time))).toEqual([
    false,
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(isQuietAt(null, 0)).toBe(false);
});
