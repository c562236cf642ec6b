import { afterEach, beforeEach, expect, test } from 'vitest';
import { Answer, newToken, plainOrder, TestNode } from './client.ts';

let node: TestNode;
beforeEach(() => {
  node = new TestNode();
});
afterEach(() => node.clean());

test('a command without a repository runs in tmux and its exit is told once', async () => {
  const client = await node.join();
  const order = plainOrder(
    'echo "hello from $DISPATCH_TASK_ID in $PWD"; cat "$DISPATCH_PROMPT" "$DISPATCH_SPEC"',
  );
  expect(await client.call({ op: 'start', order })).toEqual({ state: 'started' });
  expect(await client.ended(order.token)).toEqual({ kind: 'done', head: null, rounds: 1, usage: null });
  expect(client.events.map(({ type }) => type)).toEqual([
    'supervisor.started',
    'attempt.running',
    'attempt.ended',
  ]);
  expect(node.file(order.token, 'agent.log')).toBe(
    `hello from T1 in ${node.root}/attempts/${order.token}/tree\nthe promptthe spec`,
  );
});

test('a command that fails says how, with its last lines', async () => {
  const client = await node.join();
  const order = plainOrder('echo no such luck; exit 3');
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({
    kind: 'failed',
    cause: 'executor',
    exitCode: 3,
    message: expect.stringContaining('no such luck'),
  });
});

test('starting twice with one token starts once', async () => {
  const client = await node.join();
  const order = plainOrder('echo once');
  await client.call({ op: 'start', order });
  expect(await client.call({ op: 'start', order })).toEqual({ state: 'known' });
  await client.ended(order.token);
  expect(await client.call({ op: 'start', order })).toEqual({ state: 'known' });
  expect(await client.call({ op: 'forget', token: order.token, epoch: 1 })).toEqual({ state: 'forgotten' });
  expect(await client.call({ op: 'forget', token: order.token, epoch: 1 })).toEqual({ state: 'forgotten' });
  // Whoever orders it again does not know how it ended, and is told that nobody will say so again.
  await expect(client.call({ op: 'start', order })).rejects.toThrow(/was forgotten/u);
  expect(await client.call({ op: 'forget', token: newToken(), epoch: 1 })).toEqual({ state: 'unknown' });
  expect(node.file(order.token, 'agent.log')).toBe('once\n');
});

test('a controller of a lower epoch changes nothing any more', async () => {
  const old = await node.join(0, 3);
  const order = plainOrder('sleep 30', { epoch: 3 });
  await old.call({ op: 'start', order });
  const young = await node.join(0, 5);
  expect((await young.hello(5)).epoch).toBe(5);
  for (const request of [
    { op: 'start', order: plainOrder('true', { epoch: 3 }) },
    { op: 'cancel', token: order.token, reason: 'x', epoch: 4 },
    { op: 'forget', token: order.token, epoch: 3 },
    { op: 'mirror.put', project: order.project, commits: [], epoch: 3 },
    { op: 'ack', seq: 1 },
  ] as const) {
    await expect(old.call(request)).rejects.toMatchObject({ code: 'fenced' });
  }
  expect(await young.call({ op: 'cancel', token: order.token, reason: 'enough', epoch: 5 })).toEqual({
    state: 'cancelling',
  });
  expect(await young.ended(order.token)).toEqual({ kind: 'cancelled', reason: 'enough' });
  expect((await old.hello(2)).epoch).toBe(5);
});

test("a frame of nonsense ends its stream and nobody else's", async () => {
  const good = await node.join();
  const bad = await node.join();
  bad.raw(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  await bad.closed;
  await expect(
    good.call({ op: 'start', order: { ...plainOrder('true'), token: 'x' as never } }),
  ).rejects.toMatchObject({ code: 'bad-request' });
  await expect(good.call({ op: 'nonsense' } as never)).rejects.toBeInstanceOf(Answer);
  expect(await good.call({ op: 'ping' })).toEqual({});
});

test('two that connect at once start one supervisor', async () => {
  const clients = Array.from({ length: 4 }, () => node.connect());
  const welcomes = await Promise.all(clients.map((client) => client.hello()));
  expect(new Set(welcomes.map(({ journal }) => journal)).size).toBe(1);
  expect(node.sessions()).toEqual(['supervisor']);
  const client = await node.join();
  const starts = () => client.events.filter(({ type }) => type === 'supervisor.started');
  await client.until(() => starts().length > 0, 'the start is on disk');
  expect(starts()).toHaveLength(1);
});
