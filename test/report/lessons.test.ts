import { expect, test } from 'vitest';
import type { Outcome } from '../../src/model/attempt.ts';
import type { Event, Fact } from '../../src/model/event.ts';
import { evolve } from '../../src/model/evolve.ts';
import { emptyState } from '../../src/model/state.ts';
import { learn, scoreOf, specTexts } from '../../src/report/lessons.ts';
import { qualityLines, specQuality } from '../../src/report/spec-quality.ts';
import { lint } from '../../src/spec/lint.ts';
import { claim, commit, PROJECT, SET_UP, spec, token } from '../model/builder.ts';

const MINUTE = 60_000;
const GOOD = "## Goal\nx\n## Acceptance\n- `x` prints 1\n## Don't\n- y\n";
const BARE = '## Goal\nx\n## Acceptance\n- `x` prints 1\n';

const done = (rounds: number): Outcome => ({ kind: 'done', head: commit(9), rounds, usage: null });

/** A project whose tasks had these texts, and whose first attempts ended so, after so many minutes. */
function history(rows: readonly (readonly [text: string, outcome: Outcome, minutes: number])[]) {
  const state = emptyState();
  const events: Event[] = [];
  const tell = (at: number, fact: Fact): void => {
    const event = { seq: events.length + 1, at, epoch: 1, fact, source: null };
    evolve(state, event);
    events.push(event);
  };
  for (const fact of SET_UP) tell(0, fact);
  for (const [index, [text, outcome, minutes]] of rows.entries()) {
    const number = index + 100;
    const id = `L${index}`;
    tell(0, { type: 'task.added', spec: spec(id, { modifies: [`src/${id}.ts`] }), text });
    tell(0, claim(id, number));
    tell(minutes * MINUTE, { type: 'attempt.ended', token: token(number), outcome });
  }
  return { state, events, lessons: learn(state, PROJECT, specTexts(events, PROJECT)) };
}

test('a kind of spec that failed its first rounds costs more from then on, and the report says so', () => {
  const rows = [
    ...Array.from({ length: 6 }, () => [BARE, done(3), 5] as const),
    ...Array.from({ length: 6 }, () => [GOOD, done(1), 5] as const),
  ];
  const { state, events, lessons } = history(rows);
  expect(lessons.byRule.get('E_LINT_NO_DONTS')).toMatchObject({
    with: { failed: 6, of: 6 },
    without: { failed: 0, of: 6 },
    weight: 2,
  });
  const one = spec('Z', { modifies: ['src/z.ts'] });
  const findings = lint(one, BARE);
  expect(scoreOf(findings, lessons)).toBe(80);
  expect(scoreOf(findings, learn(emptyState(), PROJECT, new Map()))).toBe(90);
  const quality = specQuality(state, events, PROJECT);
  expect(quality).toMatchObject({
    of: 12,
    mean: 90,
    lowest: expect.arrayContaining([expect.objectContaining({ score: 80 })]),
  });
  expect(quality === null ? [] : qualityLines(quality)).toContain(
    'no donts: 6 of 6 such specs were not good in their first round, 0 of 6 of the others',
  );
});

test('a few cases, and attempts that a machine lost, teach nothing', () => {
  const lost: Outcome = { kind: 'lost', why: 'rebooted' };
  const rows = [
    ...Array.from({ length: 4 }, () => [BARE, done(3), 5] as const),
    ...Array.from({ length: 9 }, () => [BARE, lost, 5] as const),
    ...Array.from({ length: 6 }, () => [GOOD, done(1), 5] as const),
  ];
  const { lessons } = history(rows);
  expect(lessons.of).toBe(10);
  expect(lessons.byRule.get('E_LINT_NO_DONTS')?.weight).toBe(1);
});

test('a size whose specs took longer than a quarter of an hour is too large', () => {
  const { lessons } = history(Array.from({ length: 5 }, (_, n) => [GOOD, done(1), 18 + n] as const));
  const [found] = lint(spec('Z', { modifies: ['src/z.ts'] }), GOOD, lessons.usual);
  expect(found).toMatchObject({
    code: 'E_LINT_LARGE',
    message: 'specs of this size took 20m 00s (median of 5)',
  });
});
