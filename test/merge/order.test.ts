import fc from '../property.ts';
import { describe, expect, test } from 'vitest';
import { mergeOrder, nextToMerge } from '../../src/merge/order.ts';
import { commitId, projectName, taskId, taskKey, token } from '../../src/model/ids.ts';
import type { Priority, TaskSpec } from '../../src/model/spec.ts';
import type { Progress, Task } from '../../src/model/task.ts';

const MINUTE = 60_000;

function queued(
  id: string,
  facts: { ready: number; priority?: Priority; order?: number; since?: number },
): Task {
  const project = projectName('p');
  const spec: TaskSpec = {
    project,
    id: taskId(id),
    title: id,
    priority: facts.priority ?? 2,
    dependsOn: [],
    modifies: ['a'],
    expands: [],
    executor: 'shell',
    verify: 'true',
    timeoutMs: 1,
    retries: 0,
    review: false,
    budgetTokens: null,
    estimateMs: null,
    digest: '',
    file: '',
  };
  const head = commitId('1'.repeat(40));
  return {
    key: taskKey(project, spec.id),
    spec,
    order: facts.order ?? 1,
    addedAt: 0,
    n: 1,
    progress: { at: 'queued', token: token('0'.repeat(32)), head, cleared: false, since: facts.since ?? 0 },
    returns: 0,
    failures: 0,
    losses: 0,
    notBefore: 0,
    front: null,
    readySince: facts.ready,
    unmet: 0,
    locked: true,
    feedback: null,
  };
}

const next = (...tasks: Task[]): string | undefined => nextToMerge(tasks, new Map())?.spec.id;

/** The reverse of what merged at this moment. */
function undone(id: string, when: number): Task {
  const task = queued(id, { ready: 0 });
  const undo = { by: 'ana', reason: 'wrong', commit: commitId('2'.repeat(40)), when };
  return { ...task, progress: { ...(task.progress as Extract<Progress, { at: 'queued' }>), undo } };
}

describe('the merge order', () => {
  test('what is to be taken out goes before all that comes in, the latest that came in first', () => {
    const urgent = { ...queued('A', { ready: 0, priority: 0 }), front: 5 };
    expect(next(urgent, undone('B', 10), undone('C', 30), undone('D', 20))).toBe('C');
  });

  test('nothing queued, nothing next; tasks in another state do not count', () => {
    expect(next()).toBeUndefined();
    expect(next({ ...queued('A', { ready: 0 }), progress: { at: 'open' } })).toBeUndefined();
  });

  test('the oldest ready one goes first, never the newest', () => {
    expect(next(queued('C', { ready: 3 }), queued('A', { ready: 1 }), queued('B', { ready: 2 }))).toBe('A');
  });

  test('an urgent one passes others, but not those that have waited long', () => {
    const urgent = queued('U', { ready: 20 * MINUTE, priority: 0 });
    expect(next(queued('R', { ready: 0, priority: 2 }), urgent)).toBe('U');
    expect(next(queued('R', { ready: -20 * MINUTE, priority: 2 }), urgent)).toBe('R');
  });

  test('a task that lost a race or had to work again keeps its place', () => {
    const again = queued('A', { ready: 1, since: 1000 });
    expect(next(queued('B', { ready: 2, since: 5 }), again)).toBe('A');
  });

  test('the likely-bad go last among those of one age and priority, and wait no longer for it than a step of priority', () => {
    const doubted = { ...queued('D', { ready: 0, order: 1 }), returns: 2, failures: 1 };
    expect(next(doubted, queued('A', { ready: 0, order: 2 }))).toBe('A');
    expect(next(doubted, queued('A', { ready: 15 * MINUTE, order: 2 }))).toBe('D');
    const cleared = queued('C', { ready: 0, order: 3 });
    const good = { ...cleared, progress: { ...cleared.progress, cleared: true } as Task['progress'] };
    expect(next(queued('A', { ready: 0, order: 2 }), good)).toBe('C');
  });

  test('ties go to the more urgent, then to the first to arrive', () => {
    const low = queued('L', { ready: 0, priority: 3, order: 1 });
    const high = queued('H', { ready: 15 * MINUTE, priority: 2, order: 2 });
    expect(next(low, high)).toBe('H');
    expect(next(queued('B', { ready: 0, order: 2 }), queued('A', { ready: 0, order: 1 }))).toBe('A');
  });

  test('it is a total order, whatever the tasks', () => {
    const task = fc
      .record({
        ready: fc.integer({ min: 0, max: 3_600_000 }),
        priority: fc.constantFrom<Priority>(0, 1, 2, 3),
      })
      .map((facts) => facts);
    fc.assert(
      fc.property(fc.array(task, { minLength: 3, maxLength: 8 }), (facts) => {
        const tasks = facts.map((fact, index) => queued(`T${index}`, { ...fact, order: index + 1 }));
        const compare = mergeOrder(new Map());
        const sorted = tasks.toSorted(compare);
        expect(nextToMerge(tasks, new Map())).toBe(sorted[0]);
        expect(tasks.toReversed().toSorted(compare)).toEqual(sorted);
        for (let i = 1; i < sorted.length; i += 1) {
          expect(compare(sorted[i - 1] as Task, sorted[i] as Task)).toBeLessThan(0);
        }
      }),
    );
  });
});
