import { describe, expect, test } from 'vitest';
import { nodeName } from '../../src/model/ids.ts';
import { isCutOff, isWitnessed, silenceOf } from '../../src/schedule/lease.ts';
import { node, World } from './world.ts';

const FAR = { by: 'command', command: ['x'] } as const;

/** Nodes as `a`, or `+a` for one that is connected; capitals are reached over the network. */
function fleet(...names: readonly string[]): World {
  const world = new World();
  for (const text of names) {
    const name = text.replace('+', '');
    const reach = name === name.toUpperCase() ? FAR : ({ by: 'local' } as const);
    world.nodes.push(node(name, { reach, leaseMs: 1000 }));
    if (text.startsWith('+')) world.connected.add(nodeName(name));
  }
  return world;
}

describe('the silence of A counts', () => {
  test.each<[string, string[], boolean]>([
    ['when another machine over the network answers', ['A', '+B'], true],
    ['not when none does', ['A', 'B'], false],
    ['not on the word of this machine, where another could bear witness', ['A', 'B', '+here'], false],
    ['on the word of this machine, where no other could', ['A', '+here'], true],
    ['not when there is nowhere else to start', ['A'], false],
    ['not when nothing else is there', ['A', 'here'], false],
  ])('%s', (_, names, counts) => {
    expect(isWitnessed(nodeName('A'), fleet(...names))).toBe(counts);
  });
});

test.each<[string, string[], boolean]>([
  ['every one of several machines over the network is silent', ['A', 'B', '+here'], true],
  ['one of them answers', ['A', '+B'], false],
  ['there is but one', ['A', '+here'], false],
  ['there is none', ['here'], false],
])('the network of this machine is taken to be gone: %s', (_, names, gone) => {
  expect(isCutOff(fleet(...names))).toBe(gone);
});

test('silence is known of nodes that were found silent, and of no others', () => {
  const world = fleet('A', '+B', 'C');
  const silent = new Map([
    [nodeName('A'), 400],
    [nodeName('B'), 400],
  ]);
  const snapshot = { ...world.snapshot(), nodes: world.nodes, connected: world.connected, silent };
  expect(['A', 'B', 'C'].map((name) => silenceOf(snapshot, nodeName(name)))).toEqual([
    { node: 'A', silentMs: 400, leaseMs: 1000, counts: true },
    null,
    null,
  ]);
});
