import { DEFAULT_CAGE, STRICT_CAGE } from '../../src/model/cage.ts';
import { describe, expect, test } from 'vitest';
import { nodeName } from '../../src/model/ids.ts';
import { reasonOf, why } from '../../src/schedule/why.ts';
import { config, key, World } from './world.ts';

const reason = (world: World, project: string, id: string): string =>
  reasonOf(why(world.snapshot(), world.task(project, id), world.now));

describe('reasons', () => {
  const table: [string, (world: World) => void, string][] = [
    ['nothing is in the way', () => {}, ''],
    ['it is at work already', (w) => void w.claim('p', 'A', 'n1'), ''],
    ['the project was not started', (w) => w.dispatching.clear(), 'NotStarted'],
    ['every slot is taken', (w) => (w.nodes = w.nodes.map((it) => ({ ...it, slots: 0 }))), 'NoSlot'],
    ['there is no node at all', (w) => (w.nodes = []), 'NoNode'],
    ['its node is down', (w) => w.connected.clear(), 'NodeDown(n1)'],
    [
      'its node is cordoned',
      (w) => w.record({ type: 'node.marked', node: nodeName('n1'), mark: 'cordon' }),
      'NodeCordoned(n1)',
    ],
    [
      'its node is drained',
      (w) => w.record({ type: 'node.marked', node: nodeName('n1'), mark: 'drain' }),
      'NodeDraining(n1)',
    ],
    ['its node refused an order', (w) => w.shunned.set(nodeName('n1'), w.now + 5000), 'NodeRefused(n1)'],
    [
      'no node takes the executor',
      (w) => (w.nodes = w.nodes.map((it) => ({ ...it, mode: ['glm'] }))),
      'Executor(shell)',
    ],
    [
      'no node has a program that can be called as its executor calls it',
      (w) => {
        const codex = {
          name: 'shell',
          kind: 'codex',
          command: ['codex'],
          env: {},
          secrets: {},
          model: null,
        } as const;
        w.record({ type: 'project.configured', config: config('p', { executors: { shell: codex } }) });
        const report = { path: '/bin/codex', version: '0.1', problems: ['codex exec 0.1 has no --json'] };
        w.record({ type: 'node.probed', node: nodeName('n1'), programs: { 'shell (codex)': report } });
      },
      'NodeProgram(n1)',
    ],
    [
      'no node can cage its agent as its project says',
      (w) => {
        w.record({
          type: 'project.configured',
          config: config('p', { cage: { ...DEFAULT_CAGE, level: 'strict' } }),
        });
        const report = { path: null, version: null, problems: ['no sandbox: bwrap is not installed'] };
        w.record({ type: 'node.probed', node: nodeName('n1'), programs: { [STRICT_CAGE]: report } });
      },
      'NodeCage(n1)',
    ],
    [
      'no node has said yet whether it can',
      (w) =>
        w.record({
          type: 'project.configured',
          config: config('p', { cage: { ...DEFAULT_CAGE, level: 'strict' } }),
        }),
      'NodeUnasked(n1)',
    ],
    [
      'it backs off',
      (w) => w.record({ type: 'task.backedoff', task: key('p', 'A'), notBefore: w.now + 41_500, reason: '' }),
      'Backoff 42s',
    ],
    [
      'it was given up by hand',
      (w) => w.record({ type: 'task.cancelled', task: key('p', 'A'), reason: 'enough' }),
      '',
    ],
    [
      'a person has to decide',
      (w) =>
        w.record({
          type: 'task.parked',
          task: key('p', 'A'),
          token: w.claim('p', 'A', 'n1'),
          reason: 'three conflicts',
        }),
      'Parked',
    ],
    ['it stands in the merge queue', (w) => void w.queue(w.claim('p', 'A', 'n1')), 'MergeQueue'],
  ];
  test.each(table)('%s', (_, arrange, expected) => {
    const world = new World().project('p').node('n1').add('p', 'A');
    arrange(world);
    expect(reason(world, 'p', 'A')).toBe(expected);
  });

  test('a review is named', () => {
    const world = new World().project('p').node('n1').add('p', 'A', { review: true });
    world.queue(world.claim('p', 'A', 'n1'));
    expect(reason(world, 'p', 'A')).toBe('Review');
  });

  test('an approval that the gates ask for names the path, and waits whatever the policy says', () => {
    const world = new World().project('p').node('n1').add('p', 'A');
    const token = world.claim('p', 'A', 'n1');
    const head = world.commit();
    world.end(token, { kind: 'done', head, rounds: 1, usage: null });
    const message = 'CLAUDE.md was changed, and it is protected';
    const finding = {
      gate: 'scope',
      path: 'CLAUDE.md',
      line: null,
      message,
      fix: null,
      approval: true,
    } as const;
    world.record({ type: 'candidate.accepted', token, head, changed: 1, approvals: [finding] });
    expect(reason(world, 'p', 'A')).toBe('Approval(CLAUDE.md)');
    world.record({ type: 'task.reviewed', task: key('p', 'A'), approved: true, by: 'ana', reason: '' });
    expect(world.task('p', 'A').progress).toMatchObject({ at: 'queued', head });
    expect(world.task('p', 'A').progress).not.toHaveProperty('approvals');
  });

  test('a lock names the path and its holder', () => {
    const world = new World().project('p').node('n1');
    world.add('p', 'S07', { modifies: ['src/**'] }).add('p', 'S08', { modifies: ['src/a.ts'] });
    world.claim('p', 'S07', 'n1');
    expect(reason(world, 'p', 'S08')).toBe('Lock(src/a.ts <- S07)');
  });

  test('dependencies are named, at most two', () => {
    const world = new World().project('p').node('n1').add('p', 'A').add('p', 'B').add('p', 'C');
    world.add('p', 'D', { dependsOn: ['A'] as never }).add('p', 'E', { dependsOn: ['A', 'B', 'C'] as never });
    expect(reason(world, 'p', 'D')).toBe('Dependency(A)');
    expect(reason(world, 'p', 'E')).toBe('Dependency(A, B, +1)');
  });

  test('a dependency that failed is found however far up, and named instead of the one in between', () => {
    const world = new World().project('p').node('n1').add('p', 'A');
    world.add('p', 'B', { dependsOn: ['A'] as never }).add('p', 'C', { dependsOn: ['B'] as never });
    world.record({ type: 'task.failed', task: key('p', 'A'), reason: 'x', findings: [] });
    expect(reason(world, 'p', 'C')).toBe('DependencyFailed(A)');
    expect(why(world.snapshot(), world.task('p', 'C'), world.now)[0]).toEqual({
      why: 'dependency',
      on: [key('p', 'A')],
      dead: true,
    });
  });

  test('a gate that waits for a slot says so, and one that broke says how long', () => {
    const world = new World().project('p').node('n1', { slots: 1 }).add('p', 'A').add('p', 'B');
    const token = world.claim('p', 'A', 'n1');
    world.prepare(token);
    expect(reason(world, 'p', 'A')).toBe('');
    world.claim('p', 'B', 'n1');
    expect(reason(world, 'p', 'A')).toBe('NoSlot');
    world.record({ type: 'merge.stalled', token, notBefore: world.now + 2000, reason: 'broke' });
    expect(reason(world, 'p', 'A')).toBe('Backoff 2s');
  });
});

test('all objections are given, with a verdict of each node in the order of nodes.json', () => {
  const world = new World().project('p').add('p', 'A');
  world
    .node('down')
    .node('full', { slots: 0 })
    .node('other', { mode: ['glm'] })
    .node('resting');
  world.connected.delete(nodeName('down'));
  world.shunned.set(nodeName('resting'), world.now + 9_500);
  world.record({ type: 'task.backedoff', task: key('p', 'A'), notBefore: world.now + 1000, reason: '' });
  expect(why(world.snapshot(), world.task('p', 'A'), world.now)).toEqual([
    { why: 'backoff', until: world.now + 1000, reason: 'attempt 0 ended', forMs: 1000 },
    {
      why: 'nodes',
      nodes: [
        { node: 'down', ok: false, why: 'not-connected', detail: 'no connection' },
        { node: 'full', ok: false, why: 'full', detail: '0 of 0 slots in use' },
        { node: 'other', ok: false, why: 'executor', detail: 'shell' },
        { node: 'resting', ok: false, why: 'shunned', detail: 'refused an order; asked again in 10s' },
      ],
    },
  ]);
});
