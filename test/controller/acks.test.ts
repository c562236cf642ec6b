import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chores } from '../../bench/fleet.ts';
import { Acks } from '../../src/controller/acks.ts';
import { openSession } from '../../src/controller/open-session.ts';
import type { Event, Source } from '../../src/model/event.ts';
import { nodeName } from '../../src/model/ids.ts';
import { TestNode } from '../task-wrapper/client.ts';
import { until } from '../cluster/until.ts';

let node: TestNode;
let home: string;
beforeEach(() => {
  node = new TestNode();
  home = mkdtempSync(join(tmpdir(), 'acks-'));
});
afterEach(async () => {
  await node.clean();
  rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

test('a burst of entries is one word per node, with the highest number', async () => {
  const said = await new Promise<Source[]>((resolve) => {
    const heard: Source[] = [];
    const acks = new Acks((upTo) => {
      if (heard.push(upTo) === 2) resolve(heard);
    }, 1);
    acks.note([entry('a', 1), entry('b', 7), entry('a', 2)]);
    acks.note([entry('a', 3)]);
  });
  expect(said.map(({ node: name, seq }) => [name, seq])).toEqual([
    ['a', 3],
    ['b', 7],
  ]);
});

test('what a controller has durably, its node does not tell again', async () => {
  const project = chores('p', 3);
  const session = await openSession({
    home,
    nodes: [
      {
        name: nodeName('here'),
        slots: 2,
        gateSlots: null,
        leaseMs: null,
        mode: 'hybrid',
        labels: [],
        weight: 1,
        reach: { by: 'local' },
        root: node.root,
      },
    ],
    projects: [project],
  });
  try {
    await session.command({ verb: 'start', project: project.config.name });
    expect((await session.until.settled([project.config.name])).merged).toHaveLength(3);
    await until('the node has dropped the ends', async () => {
      const client = await node.join(0, 1);
      const { seq } = await client.hello(1);
      const told = client.events.filter(({ type }) => type === 'attempt.ended').length;
      client.close();
      return seq >= 7 && told === 0;
    });
  } finally {
    await session.detach();
  }
});

function entry(name: string, seq: number): Event {
  const source = { node: nodeName(name), journal: 'j', seq };
  return { seq, at: 0, epoch: 1, fact: { type: 'task.completed' } as Event['fact'], source };
}
