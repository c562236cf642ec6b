import { expect, test } from 'vitest';
import { causesOf } from '../../src/alerts/causes.ts';
import type { Figures } from '../../src/alerts/figures.ts';
import { nodeName, projectName } from '../../src/model/ids.ts';
import { BUILT_IN_RULES as RULES } from '../../src/spec/alert-settings.ts';
import { World } from '../schedule/world.ts';

const MINUTE = 60_000;
const MIB = 1024 ** 2;
const N1 = nodeName('n1');

function figures(world: World, over: Partial<Figures> = {}): Figures {
  return {
    awakeSince: world.now - 600 * MINUTE,
    disk: { free: 500_000 * MIB, total: 1_000_000 * MIB },
    walBytes: 0,
    loopDelayMs: 1,
    downSince: new Map(),
    heardAt: new Map(),
    movedAt: new Map(),
    idleSince: null,
    doubts: new Set(),
    asides: [],
    sinks: new Map(),
    parts: new Map(),
    backup: { tried: true, failing: null },
    ...over,
  };
}

/** What is found, and what cannot be said, as keys with levels. */
function look(
  world: World,
  over: Partial<Figures> = {},
  rules = RULES,
): { found: string[]; undecided: string[] } {
  const { found, undecided } = causesOf(world.snapshot(), figures(world, over), rules, world.now);
  return { found: found.map(({ level, key }) => `${level} ${key}`), undecided: [...undecided] };
}

const WELL = { found: [], undecided: [] };
const only = (...found: string[]) => ({ found, undecided: [] });
const unsure = (...undecided: string[]) => ({ found: [], undecided });

test('where all is well nothing is found', () => {
  const world = new World().project('p').node('n1').add('p', 'A');
  expect(look(world)).toEqual(WELL);
});

test('a figure is told above its bound, and is over only when it has come back by a tenth', () => {
  const world = new World().project('p').node('n1');
  expect(look(world, { walBytes: 65 * MIB })).toEqual(only('P1 wal'));
  expect(look(world, { walBytes: 63 * MIB })).toEqual(unsure('wal'));
  expect(look(world, { walBytes: 57 * MIB })).toEqual(WELL);
  expect(look(world, { walBytes: null })).toEqual(unsure('wal'));
  expect(look(world, { loopDelayMs: 501 })).toEqual(only('P1 event-loop'));
  expect(look(world, { loopDelayMs: null })).toEqual(unsure('event-loop'));
  const disk = (free: number) => ({ disk: { free: free * MIB, total: 100_000 * MIB } });
  expect(look(world, disk(4999))).toEqual(only('P0 disk'));
  expect(look(world, disk(5400))).toEqual(unsure('disk'));
  expect(look(world, disk(5600))).toEqual(WELL);
});

test('a node that does not answer is told once its span is over, and by its lease, as one and the same cause', () => {
  const world = new World().project('p').node('n1');
  const down = (ms: number) => ({ downSince: new Map([[N1, world.now - ms]]) });
  expect(look(world, down(119_000))).toEqual(unsure('node/n1'));
  expect(look(world, down(120_000))).toEqual(only('P1 node/n1'));
  world.record({ type: 'node.suspected', node: N1, silentMs: 900_000 });
  expect(look(world, down(900_000))).toEqual(only('P1 node/n1'));
  world.record({ type: 'node.lost', node: N1, silentMs: 1_800_000, by: null });
  const { found } = causesOf(world.snapshot(), figures(world, down(1_800_000)), RULES, world.now);
  expect(found).toMatchObject([{ key: 'node/n1', code: 'E_NODE_LOST', rule: 'node-lost' }]);
  world.nodes = [];
  expect(look(world)).toEqual(WELL);
});

test('a node that is connected and says nothing is told after ten minutes in which we were awake', () => {
  const world = new World().project('p').node('n1');
  const heardAt = new Map([[N1, world.now - 11 * MINUTE]]);
  expect(look(world, { heardAt })).toEqual(only('P1 heartbeat/n1'));
  expect(look(world, { heardAt, awakeSince: world.now - MINUTE })).toEqual(WELL);
});

test('nothing moves for an hour: told where something could, and when we were there to see it', () => {
  const world = new World().project('p').node('n1').add('p', 'A');
  expect(look(world)).toEqual(WELL);
  world.now += 61 * MINUTE;
  expect(look(world)).toEqual(only('P1 no-progress/p'));
  expect(look(world, { awakeSince: world.now - MINUTE })).toEqual(unsure('no-progress/p'));
  expect(look(world, { movedAt: new Map([[projectName('p'), world.now]]) })).toEqual(WELL);
  world.record({ type: 'queue.held', project: projectName('p'), by: 'ann', reason: 'to look' });
  expect(look(world)).toEqual(WELL);
});

test('many failures, many blocked tasks, a budget nearly used and idle slots are told with their figures', () => {
  const world = new World().project('p').node('n1');
  for (let n = 0; n < 20; n += 1) {
    const id = `T${n}`;
    world.add('p', id, { modifies: [`src/${id}`], budgetTokens: n === 1 ? 100 : null });
    const token = world.claim('p', id, 'n1');
    world.record({ type: 'attempt.running', token });
    const usage = { inputTokens: 70, outputTokens: 10, cachedTokens: 0, costUsd: null };
    const failed = {
      kind: 'failed',
      cause: 'executor',
      message: 'exit 7',
      exitCode: 7,
      rounds: 1,
      usage,
    } as const;
    const done = { kind: 'done', head: world.commit(), rounds: 1, usage } as const;
    world.record({ type: 'attempt.ended', token, outcome: n < 2 ? failed : done });
    if (n === 18) expect(look(world)).toEqual(only('P1 budget/p/T1'));
  }
  const { found } = causesOf(world.snapshot(), figures(world), RULES, world.now);
  expect(found).toMatchObject([
    { key: 'failure-rate', message: '2 of 20 attempts failed within 1d 00h (10 %, more than 5 %)' },
    { key: 'budget/p/T1', message: 'p/T1 has used 80 of 100 tokens (80 %)' },
  ]);
  const bound = { ...RULES, 'failure-rate': null, budget: null };
  expect(look(world, { idleSince: world.now - 30 * MINUTE }, bound)).toEqual(only('P2 utilisation'));
  expect(look(world, { idleSince: world.now - MINUTE }, bound)).toEqual(unsure('utilisation'));
  world.connected.delete(N1);
  expect(look(world, {}, bound)).toEqual(unsure('utilisation'));
  world.connected.add(N1);
  for (let n = 0; n < 11; n += 1) world.add('p', `B${n}`, { dependsOn: [world.task('p', 'T0').spec.id] });
  world.record({ type: 'task.failed', task: world.task('p', 'T0').key, reason: 'no', findings: [] });
  expect(look(world, {}, bound)).toEqual(only('P1 blocked'));
});

test('what the reports know too is told with a level of its own, which a rule may change or switch off', () => {
  const world = new World().project('p').node('n1');
  world.record({ type: 'queue.held', project: projectName('p'), by: 'dispatch', reason: 'the gate broke' });
  world.record({ type: 'node.ailing', node: N1, ailment: 'host-key', evidence: 'another key' });
  const [gate = '', ailment = ''] = look(world).found;
  expect([gate, ailment]).toEqual([
    'P0 gate/p/broken',
    expect.stringMatching(/^P\d ailment\/n1\/host-key$/u),
  ]);
  const changed = { ...RULES, gate: { level: 'P2' as const }, ailment: null };
  expect(look(world, {}, changed)).toEqual(only('P2 gate/p/broken'));
});

test('a sink that fails is a cause; one that was not tried yet may fail still', () => {
  const world = new World().project('p').node('n1');
  const sinks = new Map([
    ['mail', { tried: true, failing: '550 no' }],
    ['phone', { tried: false, failing: null }],
    ['slack', { tried: true, failing: null }],
  ]);
  expect(look(world, { sinks })).toEqual({ found: ['P1 sink/mail'], undecided: ['sink/phone'] });
});

test('safe mode is told until its part works, and one that has done nothing since the start may fail still', () => {
  const world = new World().project('p').node('n1');
  const part = (failures: number, safe: string | null) => ({
    parts: new Map([
      [
        'the hub of p',
        { project: projectName('p'), failures, safe: safe === null ? null : { reason: safe } },
      ],
    ]),
  });
  expect(look(world, part(39, null))).toEqual(unsure('part/the-hub-of-p'));
  expect(look(world, part(40, 'no objects'))).toEqual(only('P0 part/the-hub-of-p'));
  const { found } = causesOf(world.snapshot(), figures(world, part(41, 'no objects')), RULES, world.now);
  expect(found).toMatchObject([
    {
      code: 'E_SAFE_MODE',
      rule: 'safe-mode',
      about: 'p',
      message: 'no new work of p starts, because the hub of p does not work: no objects',
    },
  ]);
  for (const cause of found) world.record({ type: 'alert.raised', ...cause });
  expect(look(world)).toEqual(unsure('part/the-hub-of-p'));
  expect(look(world, part(1, null))).toEqual(unsure('part/the-hub-of-p'));
  expect(look(world, part(0, null))).toEqual(WELL);
  expect(look(world, part(40, 'x'), { ...RULES, 'safe-mode': null })).toEqual(WELL);
});

test('a backup that cannot be made is told until there is one of the day', () => {
  const world = new World().project('p').node('n1');
  expect(look(world, { backup: { tried: true, failing: 'no space' } })).toEqual(only('P0 backup'));
  expect(look(world, { backup: { tried: false, failing: null } })).toEqual(unsure('backup'));
});
