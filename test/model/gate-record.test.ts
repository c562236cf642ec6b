import { describe, expect, test } from 'vitest';
import { afterGreen, afterRed, type GateRecord } from '../../src/model/gate-record.ts';

const green = (records: readonly GateRecord[], reds = 0, failed: readonly string[] = [], at = 1) =>
  afterGreen(records, 'make test', { reds, failed, at });

describe('what a gate has shown', () => {
  test('counts its runs; a red one alone is no flake', () => {
    const records = afterRed(green(green([])), 'make test');
    expect(records).toMatchObject([{ verify: 'make test', runs: 3, greens: 2, flakes: 0, tests: [] }]);
  });

  test('red and then green on one commit is a flake, of the gate and of the tests that were named', () => {
    const once = green(afterRed([], 'make test'), 1, ['a', 'b'], 10);
    expect(once).toMatchObject([{ runs: 2, greens: 1, flakes: 1, lastFlake: 10 }]);
    const twice = green(afterRed(once, 'make test'), 1, ['b'], 20);
    expect(twice[0]?.tests).toEqual([
      { name: 'b', flakes: 2, last: 20 },
      { name: 'a', flakes: 1, last: 10 },
    ]);
  });

  test('is kept apart for each command, and for a bounded number of commands and tests', () => {
    const names = Array.from({ length: 80 }, (_, at) => `t${at}`);
    expect(green(green([], 1, names), 1, ['late'])[0]?.tests).toHaveLength(50);
    let records: GateRecord[] = green([]);
    for (let at = 0; at < 64; at++) records = afterRed(records, `make ${at}`);
    expect(records).toHaveLength(64);
    expect(records.some(({ verify }) => verify === 'make test')).toBe(false);
  });
});
