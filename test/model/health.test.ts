import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/model/attempt.ts';
import { countedFaults, type Fault, verdictOnNode, WELL } from '../../src/model/health.ts';
import { nodeName, type TaskKey } from '../../src/model/ids.ts';
import { commit } from '../schedule/world.ts';

const usage = null;
const head = commit(7);
const failed = { kind: 'failed', message: 'm', exitCode: 1, rounds: 1, usage } as const;

describe('what the end of an attempt says of its node', () => {
  /** One row at least for every kind, cause and reason; the compiler asks for those that are missing. */
  const OUTCOMES: Readonly<
    Record<
      | Exclude<Outcome['kind'], 'failed' | 'lost'>
      | Extract<Outcome, { kind: 'failed' }>['cause']
      | Extract<Outcome, { kind: 'lost' }>['why'],
      readonly (readonly [outcome: Outcome, verdict: ReturnType<typeof verdictOnNode>])[]
    >
  > = {
    done: [
      [{ kind: 'done', head, rounds: 1, usage }, 'works'],
      [{ kind: 'done', head: null, rounds: 1, usage }, 'works'],
    ],
    // Gates ran and said no: the branch is not good, the node is.
    refused: [[{ kind: 'refused', findings: [], output: '', head, rounds: 4, usage }, 'works']],
    // Its agent went on for longer than a person wants to pay for.
    overspent: [[{ kind: 'overspent', limitTokens: 10, head, rounds: 1, usage }, 'works']],
    prepare: [
      [{ ...failed, cause: 'prepare', blame: 'node' }, 'node'],
      // A node of before blame was told, or a command of the project's own.
      [{ ...failed, cause: 'prepare' }, 'unclear'],
    ],
    executor: [
      // A spec whose command ends with 1, and one that kills itself.
      [{ ...failed, cause: 'executor' }, 'unclear'],
      [{ ...failed, cause: 'executor', exitCode: 127 }, 'unclear'],
      [{ ...failed, cause: 'executor', exitCode: null, blame: 'node' }, 'node'],
      // Its provider answered, and said no.
      [{ ...failed, cause: 'executor', refusal: { kind: 'rate', retryAfterMs: null } }, 'works'],
      [{ ...failed, cause: 'executor', refusal: { kind: 'login', retryAfterMs: null } }, 'works'],
    ],
    empty: [[{ ...failed, cause: 'empty' }, 'works']],
    gate: [
      [{ ...failed, cause: 'gate' }, 'unclear'],
      [{ ...failed, cause: 'gate', blame: 'node' }, 'node'],
    ],
    timeout: [[{ kind: 'timeout', rounds: 1, head: null }, 'unclear']],
    cancelled: [[{ kind: 'cancelled', reason: 'by hand' }, 'unclear']],
    // Many at once have one cause, which has a rule of its own; and an agent can kill its own processes.
    rebooted: [[{ kind: 'lost', why: 'rebooted' }, 'unclear']],
    killed: [[{ kind: 'lost', why: 'killed' }, 'unclear']],
    'no-space': [[{ kind: 'lost', why: 'no-space' }, 'unclear']],
    wiped: [[{ kind: 'lost', why: 'wiped' }, 'unclear']],
  };

  test.each(
    Object.entries(OUTCOMES).flatMap(([name, rows]) =>
      rows.map(([outcome, verdict]) => ({ name, outcome, verdict })),
    ),
  )('$name: $verdict', ({ outcome, verdict }) => {
    expect(verdictOnNode(outcome)).toBe(verdict);
  });
});

test('a task that goes wrong on several nodes counts against none of them', () => {
  const fault = (task: string): Fault => ({ task: task as TaskKey, at: 1, reason: 'EIO' });
  const node = (name: string, ...tasks: string[]) => ({
    name: nodeName(name),
    health: { ...WELL, faults: tasks.map(fault) },
  });
  const a = node('a', 'p/odd', 'p/X', 'p/odd');
  const b = node('b', 'p/odd');
  expect(countedFaults(a, [a, b])).toEqual([fault('p/X')]);
  expect(countedFaults(b, [a, b])).toEqual([]);
  expect(countedFaults(a, [a])).toHaveLength(3);
});
