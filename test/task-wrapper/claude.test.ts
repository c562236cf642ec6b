/** The node's side of Claude Code, with a small program in its place that prints the same events. */
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AttemptOrder } from '../../src/protocol/order.ts';
import { type Client, isAlive, TestNode, until } from './client.ts';
import { Project, treeOrder } from './project.ts';

let node: TestNode;
let client: Client;
let project: Project;
beforeEach(async () => {
  node = new TestNode({ DISPATCH_SILENT_MS: '300' });
  project = new Project({
    'src/a.txt': 'a\n',
    'test.sh': 'grep -q good src/a.txt || { echo FAIL: not good; exit 1; }\n',
  });
  client = await node.join();
  await project.put(client);
});
afterEach(async () => {
  project.clean();
  await node.clean();
});

const RESULT =
  '{"type":"result","subtype":"success","is_error":false,"result":"done","session_id":"s-1","usage":{"input_tokens":10,"output_tokens":5,"cache_read_input_tokens":0},"total_cost_usd":0.01}';

function claude(script: string): AttemptOrder {
  const order = treeOrder(project, '');
  const executor = {
    name: 'claude',
    kind: 'claude' as const,
    command: ['sh', '-c', script, 'claude'],
    env: {},
    secrets: {},
    model: null,
  };
  return { ...order, work: { ...order.work, executor } as AttemptOrder['work'] };
}

test("the prompt comes on stdin, the gate's words to the same session, and usage adds up", async () => {
  const order = claude(
    `cat > ../stdin-$DISPATCH_ROUND; echo "$*" > ../args-$DISPATCH_ROUND; if [ $DISPATCH_ROUND = 1 ]; then echo bad > src/a.txt; else echo good > src/a.txt; fi; echo '${RESULT}'`,
  );
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({
    kind: 'done',
    rounds: 2,
    usage: { inputTokens: 20, outputTokens: 10, costUsd: 0.02 },
  });
  expect(node.file(order.token, 'stdin-1')).toBe('the prompt');
  expect(node.file(order.token, 'stdin-2')).toContain('FAIL: not good');
  expect(node.file(order.token, 'args-1')).toMatch(
    /--session-id [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}/,
  );
  expect(node.file(order.token, 'args-2')).toContain('--resume s-1');
});

test('an agent that hangs after its closing event has finished; silence alone ends nobody, in the first round or a later one', async () => {
  const waits = 'echo $$ > ../pid; until [ -e ../go ]; do sleep 0.05; done; echo good > src/a.txt';
  const silent = claude(`${waits}; echo '${RESULT}'`);
  const later = claude(
    `if [ $DISPATCH_ROUND = 2 ]; then ${waits}; else echo bad > src/a.txt; fi; echo '${RESULT}'`,
  );
  for (const order of [silent, later]) await client.call({ op: 'start', order });
  await until(() => [silent, later].every(({ token }) => node.file(token, 'pid').endsWith('\n')));
  const hangs = claude(`echo $$ > ../pid; echo good > src/a.txt; echo '${RESULT}'; sleep 300`);
  await client.call({ op: 'start', order: hangs });
  expect(await client.ended(hangs.token)).toMatchObject({ kind: 'done', rounds: 1 });
  // They have been silent for longer than the one that was ended for it.
  const alive = [hangs, silent, later].map(({ token }) => isAlive(Number(node.file(token, 'pid'))));
  expect(alive).toEqual([false, true, true]);
  for (const { token } of [silent, later]) writeFileSync(`${node.root}/attempts/${token}/go`, '');
  expect(await client.ended(silent.token)).toMatchObject({ kind: 'done', rounds: 1 });
  expect(await client.ended(later.token)).toMatchObject({ kind: 'done', rounds: 2 });
});

test('a provider that refuses is an executor failure with its words, not a round of feedback', async () => {
  const refused =
    '{"type":"result","subtype":"success","is_error":true,"api_error_status":401,"result":"Failed to authenticate. API Error: 401 invalid key","session_id":"s"}';
  const order = claude(`echo '${refused}'; exit 0`);
  await client.call({ op: 'start', order });
  expect(await client.ended(order.token)).toMatchObject({
    kind: 'failed',
    cause: 'executor',
    rounds: 1,
    message: expect.stringContaining('401'),
  });
});
