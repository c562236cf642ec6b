import { describe, expect, it } from 'vitest';
import type { Fact } from '../../src/model/event.ts';
import { violations, watch } from '../../src/model/invariants.ts';
import type { State } from '../../src/model/state.ts';
import type { Task } from '../../src/model/task.ts';
import {
  added,
  BASE,
  BASIS,
  claim,
  commit,
  done,
  key,
  NODE,
  PROJECT,
  SET_UP,
  Story,
  spec,
  token,
  wayToMerge,
} from './builder.ts';
import { SHARED } from './history.ts';

const END: Fact = { type: 'attempt.ended', token: token(1), outcome: done(commit(9)) };
const ACCEPT: Fact = { type: 'candidate.accepted', token: token(1), head: commit(9), changed: 1 };

function storyOf(...facts: Fact[]): Story {
  return Story.of(...SET_UP, added('A'), added('B', { modifies: ['src/b.ts'] }), ...facts);
}

function task(state: State, id: string): Task {
  const found = state.tasks.get(key(id));
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
}

describe('violations', () => {
  it('finds nothing in a state that facts made', () => {
    const { state } = storyOf(...wayToMerge('A', 1, BASE), claim('B', 2));
    expect(violations(state, SHARED)).toEqual([]);
  });

  const broken: readonly [string, Story, (state: State) => void, RegExp][] = [
    ['a number that was skipped', storyOf(claim('A', 1)), (s) => (task(s, 'A').n = 2), /n is 2 after 1/],
    [
      'an attempt that lives while its task is open',
      storyOf(claim('A', 1)),
      (s) => {
        task(s, 'A').progress = { at: 'open' };
        s.active.delete(key('A'));
        s.startable.add(key('A'));
      },
      /attempt 1 lives while the task is open/,
    ],
    [
      'a final task that keeps its lock',
      storyOf(...wayToMerge('A', 1, BASE)),
      (s) => {
        task(s, 'A').locked = true;
        s.locked.add(key('A'));
      },
      /merged and still locked/,
    ],
    [
      'a task at work without its lock',
      storyOf(claim('A', 1)),
      (s) => {
        task(s, 'A').locked = false;
        s.locked.delete(key('A'));
      },
      /attempt without its lock/,
    ],
    [
      'a fenced attempt on its way to a merge',
      storyOf(claim('A', 1), END, ACCEPT),
      (s) => {
        const attempt = s.attempts.get(token(1));
        if (attempt !== undefined) attempt.phase = { is: 'fenced', at: 0, reason: '' };
      },
      /queued although its attempt is fenced/,
    ],
    [
      'a commit that its attempt did not make',
      storyOf(claim('A', 1), END, ACCEPT),
      (s) => {
        task(s, 'A').progress = { at: 'queued', token: token(1), head: commit(5), cleared: false, since: 0 };
      },
      /another commit than its attempt made/,
    ],
    [
      'the token of another task',
      storyOf(claim('A', 1), claim('B', 2)),
      (s) => {
        task(s, 'A').progress = { at: 'attempt', token: token(2) };
      },
      /a token that is not its work/,
    ],
    [
      'a count of unmerged dependencies that is off',
      storyOf(added('C', { dependsOn: [spec('A').id] })),
      (s) => (task(s, 'C').unmet = 0),
      /unmet is 0, of its dependencies 1/,
    ],
    [
      'an index that lacks a task',
      storyOf(),
      (s) => s.startable.delete(key('A')),
      /index startable: app\/A is missing/,
    ],
    [
      'an index that keeps a task',
      storyOf(),
      (s) => s.active.add(key('A')),
      /index active: app\/A does not belong there/,
    ],
    [
      'an index of dependents that keeps a task',
      storyOf(),
      (s) => s.dependents.set(key('A'), new Set([key('B')])),
      /index dependents of app\/A: app\/B does not belong/,
    ],
    [
      'an index of live attempts that lacks one',
      storyOf(claim('A', 1)),
      (s) => s.live.get(NODE)?.clear(),
      /index live of mac2: 0+1 is missing/,
    ],
    [
      'an attempt that is asked to stop and was not fenced',
      storyOf(claim('A', 1)),
      (s) => s.fenced.add(token(1)),
      /fenced: 0+1 is claimed/,
    ],
    [
      'an attempt on a node that was lost',
      storyOf(claim('A', 1)),
      (s) => {
        const node = s.nodes.get(NODE);
        if (node !== undefined) node.silence = { is: 'lost', at: 0, silentMs: 1, by: null };
      },
      /mac2: is lost, and 1 attempts live there/,
    ],
    [
      'two locks that meet',
      storyOf(claim('A', 1), claim('B', 2)),
      (s) => {
        task(s, 'B').spec = spec('B', { modifies: ['src/a.ts'] });
      },
      /app\/A and app\/B: both hold locks that meet/,
    ],
    [
      'a gate that is over and still waited for',
      storyOf(claim('A', 1), END, ACCEPT, ...gate(3)),
      (s) => {
        const attempt = s.attempts.get(token(3));
        if (attempt !== undefined) attempt.phase = { is: 'ended', at: 0, outcome: done(null) };
        s.live.get(NODE)?.delete(token(3));
      },
      /waits for a gate that is ended/,
    ],
    [
      'a gate that judges another tree',
      storyOf(claim('A', 1), END, ACCEPT, ...gate(3)),
      (s) => {
        const { progress } = task(s, 'A');
        if (progress.at === 'gating') task(s, 'A').progress = { ...progress, tree: commit(77) };
      },
      /its gate judges something else/,
    ],
    [
      'a delivery that waits for a gate that is not there',
      storyOf(),
      (s) => {
        const project = s.projects.get(PROJECT);
        const facts = { commit: commit(1), tree: commit(2), onto: BASE, targetTip: null, gate: token(8) };
        if (project !== undefined) project.delivery = { at: 'gating', ...facts };
      },
      /delivery of app: waits for a gate that does not exist/,
    ],
  ];

  it.each(broken)('names %s', (_, story, damage, message) => {
    expect(violations(story.state, SHARED)).toEqual([]);
    damage(story.state);
    expect(violations(story.state, SHARED).join('\n')).toMatch(message);
  });
});

describe('watch', () => {
  it('finds nothing while facts make the state', () => {
    const story = storyOf();
    const check = watch(story.state, SHARED);
    for (const fact of [...wayToMerge('A', 1, BASE), claim('B', 2)]) {
      expect(check(story.tell(fact))).toEqual([]);
    }
  });

  it('names a claim while an older attempt lives', () => {
    const story = storyOf(claim('A', 1));
    const check = watch(story.state);
    check(story.tell({ type: 'task.backedoff', task: key('A'), notBefore: 0, reason: '' }));
    expect(check(story.tell(claim('A', 2, 2))).join('\n')).toMatch(/attempt 2 claimed while attempt 1 lives/);
  });

  it('names a claim whose dependency has not merged', () => {
    const story = storyOf(added('C', { dependsOn: [spec('A').id], modifies: [] }));
    const check = watch(story.state);
    // A defect of the counter would let the claim through.
    task(story.state, 'C').unmet = 0;
    expect(check(story.tell(claim('C', 3))).join('\n')).toMatch(/app\/C: claimed while A is open/);
  });

  it('names a claim whose lock meets another', () => {
    const story = storyOf(added('C'), claim('A', 1));
    const check = watch(story.state, SHARED);
    expect(check(story.tell(claim('C', 3))).join('\n')).toMatch(
      /app\/C and app\/A: both hold locks that meet/,
    );
  });

  it('names a merged task that moves again', () => {
    const story = storyOf(...wayToMerge('A', 1, BASE));
    const check = watch(story.state);
    task(story.state, 'A').progress = { at: 'open' };
    expect(
      check([{ fact: { type: 'task.backedoff', task: key('A'), notBefore: 0, reason: '' } }]).join('\n'),
    ).toMatch(/merged as 0+1, and now open/);
  });

  it('names a token that merges a second time', () => {
    const story = storyOf(...wayToMerge('A', 1, BASE));
    const check = watch(story.state);
    const again: Fact = { type: 'merge.landed', token: token(1), commit: commit(5), onto: BASE };
    expect(check([{ fact: again }]).join('\n')).toMatch(/merged with 0+1 after it had merged/);
  });

  it('names a failed task that opens without a retry, and allows it with one', () => {
    const story = storyOf({ type: 'task.failed', task: key('A'), reason: '', findings: [] });
    const check = watch(story.state);
    expect(check(story.tell({ type: 'task.retried', task: key('A'), by: 'ana' }))).toEqual([]);
    check(story.tell({ type: 'task.failed', task: key('A'), reason: '', findings: [] }));
    task(story.state, 'A').progress = { at: 'open' };
    expect(check([{ fact: added('A') }]).join('\n')).toMatch(/failed, and now open without a retry/);
  });

  it('names an n that goes back', () => {
    const story = storyOf(claim('A', 1));
    const check = watch(story.state);
    task(story.state, 'A').n = 0;
    expect(check([{ fact: added('A') }]).join('\n')).toMatch(/n went from 1 back to 0/);
  });
});

function gate(number: number): Fact[] {
  const [made, tree] = [commit(21), commit(22)];
  const subject = { of: 'merge' as const, workToken: token(1), commit: made, tree, ...BASIS };
  return [
    {
      type: 'merge.prepared',
      token: token(1),
      onto: BASE,
      commit: subject.commit,
      tree: subject.tree,
      aside: false,
    },
    {
      type: 'attempt.claimed',
      token: token(number),
      task: key('A'),
      n: 1,
      work: { kind: 'gate', subject },
      node: NODE,
      base: subject.commit,
    },
  ];
}
