import { describe, expect, test } from 'vitest';
import { nodeName } from '../../src/model/ids.ts';
import { decide } from '../../src/schedule/decide.ts';
import { AGE_STEP } from '../../src/schedule/rank.ts';
import { key, words, World } from './world.ts';

const done = {
  kind: 'failed',
  cause: 'executor',
  message: 'x',
  exitCode: 1,
  rounds: 1,
  usage: null,
} as const;
const lost = { kind: 'lost', why: 'rebooted' } as const;

describe('what may start', () => {
  test('independent tasks start at once, as many as there are slots', () => {
    const world = new World().project('p').node('n1', { slots: 2 });
    world.add('p', 'A').add('p', 'B').add('p', 'C');
    expect(words(world.step())).toEqual(['A@n1', 'B@n1']);
    expect(world.step()).toEqual([]);
  });

  test('a task waits until every dependency has merged', () => {
    const world = new World().project('p').node('n1');
    world
      .add('p', 'A')
      .add('p', 'B')
      .add('p', 'C', { dependsOn: ['A', 'B'] as never });
    const [a, b] = world.step().map((decision) => decision);
    expect(words([a, b].filter((it) => it !== undefined))).toEqual(['A@n1', 'B@n1']);
    const tokens = [...world.state.attempts.keys()];
    world.merge(tokens[0] ?? never());
    expect(world.step()).toEqual([]);
    world.merge(tokens[1] ?? never());
    expect(words(world.step())).toEqual(['C@n1']);
  });

  test('tasks whose patterns meet run one after the other, also when both could start in the same call', () => {
    const world = new World().project('p').node('n1');
    world.add('p', 'A', { modifies: ['src/**'] }).add('p', 'B', { modifies: ['src/b.ts'] });
    expect(words(world.step())).toEqual(['A@n1']);
    world.queue(tokenOf(world));
    expect(world.step()).toEqual([]);
  });

  test('a lock lasts until the branch has merged or was given up', () => {
    const world = new World().project('p').node('n1');
    world.add('p', 'A', { modifies: ['a.ts'] }).add('p', 'B', { modifies: ['a.ts'] });
    const token = world.claim('p', 'A', 'n1');
    world.prepare(token);
    expect(words(world.step())).toEqual(['gate A@n1']);
    const other = new World().project('p').node('n1');
    other.add('p', 'A', { modifies: ['a.ts'] }).add('p', 'B', { modifies: ['a.ts'] });
    other.merge(other.claim('p', 'A', 'n1'));
    expect(words(other.step())).toEqual(['B@n1']);
  });

  test('locks of different projects never meet', () => {
    const world = new World().project('p').project('q').node('n1');
    world.add('p', 'A', { modifies: ['a.ts'] }).add('q', 'A', { modifies: ['a.ts'] });
    expect(world.step()).toHaveLength(2);
  });

  test('a task that lost its attempt starts again under its own lock, and nobody else under it meanwhile', () => {
    const world = new World().project('p').node('n1', { slots: 4 });
    world.add('p', 'A', { modifies: ['a.ts'], priority: 3 });
    const token = world.claim('p', 'A', 'n1');
    world.add('p', 'B', { modifies: ['a.ts'], priority: 0 });
    world.end(token, lost);
    world.record({
      type: 'task.backedoff',
      task: key('p', 'A'),
      notBefore: world.now + 5_000,
      reason: 'lost',
    });
    expect(world.step()).toEqual([]);
    world.now += 5_000;
    expect(words(world.step())).toEqual(['A@n1']);
  });

  test('a task whose attempt has ended but is not settled yet does not start', () => {
    const world = new World().project('p').node('n1');
    world.add('p', 'A');
    world.end(world.claim('p', 'A', 'n1'), done);
    expect(world.step()).toEqual([]);
  });

  test('a project that was not started, or has no integration yet, starts nothing; without a repository none is needed', () => {
    const world = new World().project('p').project('chores', { repo: null }).node('n1');
    world.add('p', 'A').add('chores', 'C', { modifies: [] }).add('chores', 'D', { modifies: [] });
    world.dispatching.clear();
    expect(world.step()).toEqual([]);
    world.dispatching.add(world.task('chores', 'C').spec.project);
    expect(words(world.step())).toEqual(['C@n1', 'D@n1']);
    const fresh = new World().node('n1');
    fresh.project('p', { repo: null });
    fresh.record({
      type: 'project.configured',
      config: {
        ...(fresh.state.projects.get(world.task('p', 'A').spec.project)?.config ?? never()),
        repo: 'r',
      },
    });
    fresh.add('p', 'A');
    expect(fresh.step()).toEqual([]);
  });
});

describe('gates', () => {
  test('gates come first, the oldest first, and take no more than what is free', () => {
    const world = new World().project('p').project('q').node('n1', { slots: 3 });
    world.add('p', 'A').add('q', 'B').add('p', 'C');
    const a = world.claim('p', 'A', 'n1');
    const b = world.claim('q', 'B', 'n1');
    world.now += 10;
    world.prepare(b);
    world.now += 10;
    world.prepare(a);
    expect(words(decide(world.snapshot(), world.now))).toEqual(['gate B@n1', 'gate A@n1', 'C@n1']);
    world.nodes = [{ ...(world.nodes[0] ?? never()), slots: 1 }];
    expect(words(decide(world.snapshot(), world.now))).toEqual(['gate B@n1']);
  });

  test('gates take no more than their share of a node, and leave the rest to work', () => {
    const world = new World().project('p').project('q').node('n1', { slots: 4, gateSlots: 1 });
    world.add('p', 'A').add('q', 'B').add('p', 'C');
    world.prepare(world.claim('p', 'A', 'n1'));
    world.prepare(world.claim('q', 'B', 'n1'));
    expect(words(world.step())).toEqual(['gate A@n1', 'C@n1']);
    expect(words(world.step())).toEqual([]);
    world.node('n2', { gateSlots: 1 });
    expect(words(world.step())).toEqual(['gate B@n2']);
  });

  test('a gate runs on any node and in a project that was not started', () => {
    const world = new World().project('p').node('n1', { mode: ['claude'] });
    world.add('p', 'A');
    world.prepare(world.claim('p', 'A', 'n1'));
    world.dispatching.clear();
    expect(words(world.step())).toEqual(['gate A@n1']);
    expect(world.step()).toEqual([]);
  });

  test('a gate that broke is run again after its delay', () => {
    const world = new World().project('p').node('n1');
    world.add('p', 'A');
    const work = world.claim('p', 'A', 'n1');
    world.prepare(work);
    world.step();
    world.end([...world.state.attempts.keys()][1] ?? never(), done);
    world.record({ type: 'merge.stalled', token: work, notBefore: world.now + 1000, reason: 'broke' });
    expect(world.step()).toEqual([]);
    world.now += 1000;
    expect(words(world.step())).toEqual(['gate A@n1']);
  });

  test('the gate of a delivery comes before everything else', () => {
    const world = new World().project('p').node('n1', { slots: 1 });
    world.add('p', 'A');
    const { name } = world.state.projects.values().next().value ?? never();
    world.record({ type: 'delivery.requested', project: name });
    world.record({ type: 'delivery.drained', project: name });
    const [c, onto] = [world.commit(), world.commit()];
    world.record({
      type: 'delivery.prepared',
      project: name,
      commit: c,
      tree: 't',
      onto,
      targetTip: null,
    });
    expect(words(world.step())).toEqual(['deliver p@n1']);
    expect(world.step()).toEqual([]);
  });
});

describe('where it runs', () => {
  const table: [string, (world: World) => void, string[]][] = [
    ['a node without a connection takes nothing', (w) => w.connected.delete(nodeName('n1')), ['A@n2']],
    [
      'a cordoned node takes nothing',
      (w) => w.record({ type: 'node.marked', node: nodeName('n1'), mark: 'cordon' }),
      ['A@n2'],
    ],
    [
      'a draining node takes nothing',
      (w) => w.record({ type: 'node.marked', node: nodeName('n1'), mark: 'drain' }),
      ['A@n2'],
    ],
    [
      'a node that refused an order is left alone for a time',
      (w) => w.shunned.set(nodeName('n1'), w.now + 1),
      ['A@n2'],
    ],
    ['and is asked again afterwards', (w) => w.shunned.set(nodeName('n1'), w.now), ['A@n1']],
    [
      'a node that does not take the executor takes nothing of it',
      (w) => (w.nodes = w.nodes.map((it) => (it.name === 'n1' ? { ...it, mode: ['glm'] } : it))),
      ['A@n2'],
    ],
    [
      'a node that lists the executor takes it',
      (w) => (w.nodes = w.nodes.map((it) => (it.name === 'n1' ? { ...it, mode: ['glm', 'shell'] } : it))),
      ['A@n1'],
    ],
    ['a node that left nodes.json takes nothing', (w) => (w.nodes = w.nodes.slice(1)), ['A@n2']],
  ];
  test.each(table)('%s', (_, arrange, expected) => {
    const world = new World().project('p').node('n1').node('n2').add('p', 'A');
    arrange(world);
    expect(words(world.step())).toEqual(expected);
  });

  test('the least loaded node is chosen, relative to its slots', () => {
    const world = new World().project('p').node('big', { slots: 8 }).node('small', { slots: 2 });
    for (const id of ['A', 'B', 'C', 'D', 'E', 'F']) world.add('p', id);
    expect(words(world.step())).toEqual(['A@big', 'B@big', 'C@big', 'D@big', 'E@small', 'F@big']);
  });

  test('a node of small weight is used when the others are busy', () => {
    const world = new World().project('p').node('laptop', { slots: 4, weight: 0.1 }).node('vm', { slots: 2 });
    for (const id of ['A', 'B', 'C']) world.add('p', id);
    expect(words(world.step())).toEqual(['A@vm', 'B@vm', 'C@laptop']);
  });

  test('after a loss another node is preferred, even a busier one; the same one is better than none', () => {
    const world = new World().project('p').node('n1', { slots: 2 }).node('n2', { slots: 2 });
    world.add('p', 'A').add('p', 'B');
    const token = world.claim('p', 'A', 'n1');
    world.claim('p', 'B', 'n2');
    world.end(token, lost);
    world.record({ type: 'task.backedoff', task: key('p', 'A'), notBefore: 0, reason: 'lost' });
    expect(words(decide(world.snapshot(), world.now))).toEqual(['A@n2']);
    world.connected.delete(nodeName('n2'));
    expect(words(decide(world.snapshot(), world.now))).toEqual(['A@n1']);
  });

  test('a task for an executor that nobody has free does not hold up the others', () => {
    const world = new World().project('p').node('n1', { slots: 1, mode: ['shell'] });
    world.add('p', 'A', { executor: 'glm', priority: 0 }).add('p', 'B', { priority: 3 });
    expect(words(world.step())).toEqual(['B@n1']);
  });
});

describe('who goes first', () => {
  const order = (world: World): string[] => words(world.step()).map((word) => word.split('@')[0] ?? '');

  test('the more urgent priority, then the longer chain, then the order of arrival', () => {
    const world = new World().project('p').node('n1');
    world.add('p', 'late').add('p', 'long').add('p', 'last').add('p', 'urgent', { priority: 0 });
    world.chainMs.set(key('p', 'long'), 600_000);
    expect(order(world)).toEqual(['urgent', 'long', 'late', 'last']);
  });

  test('no chain, however long, lifts a task over a whole priority', () => {
    const world = new World().project('p').node('n1');
    world.add('p', 'chain', { priority: 2 }).add('p', 'urgent', { priority: 1 });
    world.chainMs.set(key('p', 'chain'), 1e12);
    expect(order(world)).toEqual(['urgent', 'chain']);
  });

  test('a P2 that has waited long enough passes a fresh P1', () => {
    const world = new World().project('p').node('n1');
    world.add('p', 'old', { priority: 2 });
    world.now += AGE_STEP + 1;
    world.add('p', 'fresh', { priority: 1 });
    expect(order(world)).toEqual(['old', 'fresh']);
  });

  test('projects share the slots by weight, whatever one of them has queued', () => {
    const world = new World().project('p', { weight: 3 }).project('q').node('n1', { slots: 8 });
    for (let i = 0; i < 20; i++) world.add('p', `p${i}`, { priority: 0 }).add('q', `q${i}`, { priority: 3 });
    const started = order(world);
    expect(started.filter((id) => id.startsWith('p'))).toHaveLength(6);
    expect(started.filter((id) => id.startsWith('q'))).toHaveLength(2);
  });

  test('what a project has running counts in its share', () => {
    const world = new World().project('p').project('q').node('n1', { slots: 4 });
    for (const id of ['A', 'B', 'C']) world.add('p', id).add('q', id);
    world.claim('p', 'A', 'n1');
    world.claim('p', 'B', 'n1');
    expect(words(world.step())).toEqual(['A@n1', 'B@n1']);
    expect(world.task('q', 'B').progress.at).toBe('attempt');
  });

  test('a share that a project cannot use goes to the others', () => {
    const world = new World().project('p', { weight: 100 }).project('q').node('n1', { slots: 3 });
    world.add('p', 'A').add('q', 'A').add('q', 'B');
    expect(world.step()).toHaveLength(3);
  });
});

function tokenOf(world: World) {
  return world.state.attempts.keys().next().value ?? never();
}
function never(): never {
  throw new Error('the test expected something to be there');
}
