/** What was hit is remembered across passes, and what comes next is what was not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Coverage, enumerate } from './coverage.ts';
import { MODES } from './points/plan.ts';

const POINTS = enumerate([
  { name: 'controller state.db commit', ordinal: 1, hit: null },
  { name: 'controller state.db commit', ordinal: 2, hit: null },
  { name: 'supervisor journal write', ordinal: 1, hit: null },
]);

function file(): string {
  const dir = mkdtempSync(join(tmpdir(), 'crash-coverage-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return join(dir, 'coverage.json');
}

test('a pass goes on where another one stood, with the commit of each hit', () => {
  const at = file();
  const first = Coverage.read(at, () => true);
  first.found(POINTS);
  expect(first.note([{ name: 'controller state.db commit', ordinal: 2, hit: 'EIO' }], 'abc')).toBe(1);
  first.over(['something was wrong'], 2);
  first.write(at);
  const second = Coverage.read(at, () => true);
  expect(second.note([{ name: 'controller state.db commit', ordinal: 2, hit: 'EIO' }], 'def')).toBe(0);
  expect(second.share('EIO')).toEqual({ points: 3, hit: 1, names: 2, namesHit: 1 });
  expect(second.left('EIO')).toEqual({ 'controller state.db commit': 1, 'supervisor journal write': 1 });
  expect(second.commits).toEqual(['abc', 'def']);
  expect(second.history).toEqual({ runs: 1, minutes: 2, violations: ['something was wrong'] });
});

test('names come before ordinals, each point breaks in a mode in which it has not, and what cannot break is left out', () => {
  const coverage = new Coverage((name, mode) => mode !== 'unsure' || name.startsWith('controller'));
  coverage.found(POINTS);
  coverage.note([{ name: 'controller state.db commit', ordinal: 1, hit: 'EIO' }], 'abc');
  expect(coverage.next(['EIO'], true, () => 0)).toEqual({ 'supervisor journal write': [[1, 'EIO']] });
  expect(coverage.next(['EIO'], false, () => 0)).toEqual({
    'controller state.db commit': [[2, 'EIO']],
    'supervisor journal write': [[1, 'EIO']],
  });
  expect(coverage.next(['unsure'], false, () => 0)).toEqual({
    'controller state.db commit': [
      [1, 'unsure'],
      [2, 'unsure'],
    ],
  });
  expect(coverage.share('unsure').points).toBe(2);
  expect(MODES.map((mode) => coverage.share(mode).hit)).toEqual([0, 0, 1, 0, 0]);
});

test('what only a run with failures has is counted aside', () => {
  const coverage = new Coverage(() => true);
  coverage.found(POINTS);
  coverage.note([{ name: 'supervisor journal write', ordinal: 7, hit: 'killed after' }], 'abc');
  expect(coverage.beyond).toBe(1);
  expect(coverage.share('killed after').hit).toBe(0);
});
