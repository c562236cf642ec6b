import fc from '../property.ts';
import { describe, expect, it } from 'vitest';
import type { Fact } from '../../src/model/event.ts';
import { evolve } from '../../src/model/evolve.ts';
import { violations, watch } from '../../src/model/invariants.ts';
import { emptyState } from '../../src/model/state.ts';
import { History, SHARED } from './history.ts';

/** `size: max`: by default fast-check prefers lists of ten, in which nothing merges. */
const seeds = (most: number) =>
  fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: most, size: 'max' });

describe('evolve over random legal histories', () => {
  it('keeps every invariant after every single event', () => {
    fc.assert(
      fc.property(seeds(250), (numbers) => {
        const history = new History();
        const check = watch(history.state, SHARED);
        for (const number of numbers) {
          history.step(number, (event) => {
            const broken = [...check([event]), ...violations(history.state, SHARED)];
            expect(broken, `after event ${event.seq} ${event.fact.type}`).toEqual([]);
          });
        }
      }),
      { numRuns: 150 },
    );
  });

  it('gives the same state when the log is replayed, order of arrival and of index sets included', () => {
    fc.assert(
      fc.property(seeds(250), (numbers) => {
        const history = new History();
        for (const number of numbers) history.step(number);
        const replayed = emptyState();
        for (const event of JSON.parse(JSON.stringify(history.events)) as typeof history.events) {
          evolve(replayed, event);
        }
        expect(inOrder(replayed)).toEqual(inOrder(history.state));
      }),
      { numRuns: 50 },
    );
  });

  it('meets every kind of fact, so that the histories prove something', () => {
    const met = new Map<string, number>();
    for (let seed = 0; seed < 130; seed += 1) {
      const history = new History();
      for (let step = 0; step < 500; step += 1) history.step(seed * 7919 + step * 104_729);
      for (const { fact } of history.events) {
        const name = fact.type === 'attempt.ended' ? `ended ${fact.outcome.kind}` : fact.type;
        met.set(name, (met.get(name) ?? 0) + 1);
      }
    }
    const rare = [...Object.keys(FACTS), ...OUTCOMES].filter((name) => (met.get(name) ?? 0) < 20);
    expect(rare).toEqual([]);
  });
});

/** Every type of fact; a new one that the histories do not produce fails to compile here. */
const FACTS: Record<Exclude<Fact['type'], 'attempt.ended'>, true> = {
  'controller.acquired': true,
  'project.configured': true,
  'controller.slept': true,
  'project.based': true,
  'project.started': true,
  'task.added': true,
  'task.changed': true,
  'attempt.noted': true,
  'contract.changed': true,
  'contract.accepted': true,
  'task.recalled': true,
  'node.connected': true,
  'node.disconnected': true,
  'node.refused': true,
  'node.suspected': true,
  'node.lost': true,
  'node.probed': true,
  'alert.raised': true,
  'alert.told': true,
  'alert.acked': true,
  'alert.resolved': true,
  'node.marked': true,
  'node.ailing': true,
  'node.repairing': true,
  'node.repaired': true,
  'node.healed': true,
  'credential.limited': true,
  'credential.eased': true,
  'attempt.claimed': true,
  'attempt.running': true,
  'attempt.progressed': true,
  'attempt.stalled': true,
  'attempt.moved': true,
  'person.intervened': true,
  'attempt.fenced': true,
  'attempt.late': true,
  'attempt.kept': true,
  'candidate.accepted': true,
  'candidate.refused': true,
  'task.reviewed': true,
  'task.handed': true,
  'review.found': true,
  'merge.prepared': true,
  'merge.conflicted': true,
  'merge.predicted': true,
  'merge.refused': true,
  'merge.stalled': true,
  'gate.proved': true,
  'gate.broke': true,
  'gate.controlled': true,
  'merge.doubted': true,
  'merge.suspected': true,
  'merge.cleared': true,
  'merge.passed': true,
  'merge.landed': true,
  'merge.carried': true,
  'merge.raced': true,
  'revert.requested': true,
  'revert.refused': true,
  'revert.landed': true,
  'queue.held': true,
  'queue.fronted': true,
  'queue.released': true,
  'task.completed': true,
  'task.backedoff': true,
  'task.failed': true,
  'task.parked': true,
  'task.cancelled': true,
  'task.retried': true,
  'delivery.requested': true,
  'delivery.drained': true,
  'delivery.prepared': true,
  'delivery.passed': true,
  'delivery.raced': true,
  'delivery.landed': true,
  'delivery.failed': true,
};
const OUTCOMES = ['done', 'refused', 'failed', 'timeout', 'overspent', 'cancelled', 'lost'].map(
  (kind) => `ended ${kind}`,
);

/** Maps and sets as lists, because comparing them otherwise ignores their order. */
function inOrder(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(([key, item]) => [key, inOrder(item)]);
  if (value instanceof Set) return [...value];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inOrder(item)]));
}
