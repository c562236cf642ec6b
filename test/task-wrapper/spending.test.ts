/** Agents that report more tokens than their attempt may use. */
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Client, shell, TestNode } from './client.ts';
import { Project, treeOrder } from './project.ts';

let node: TestNode;
let client: Client;
let project: Project;
beforeEach(async () => {
  node = new TestNode();
  project = new Project({ 'src/a': 'a\n' });
  client = await node.join();
  await project.put(client);
});
afterEach(async () => {
  project.clean();
  await node.clean();
});

const LIMIT = { limitTokens: 1000, verify: 'grep -q good src/half', retries: 3 };
/** Longer than the test: only its limit ends it. */
const LONG = { timeoutMs: 600_000 };

/** A message of Claude Code's stream that counts so many tokens. */
const says = (id: string, tokens: number): string =>
  `echo '${JSON.stringify({
    type: 'assistant',
    message: { id, usage: { input_tokens: tokens, output_tokens: 1 }, content: [] },
  })}'`;

test('an agent whose stream reports more than its limit is ended, and what it has done is kept', async () => {
  const script = `echo half > src/half; ${says('m1', 600)}; ${says('m1', 600)}; ${says('m2', 700)}; sleep 500`;
  const plain = shell(script);
  const executor = { ...plain, kind: 'claude' as const, command: [...plain.command, 'agent'], secrets: {} };
  const order = treeOrder(project, '', {}, { ...LIMIT, executor }, LONG);
  await client.call({ op: 'start', order });
  const outcome = await client.ended(order.token);
  expect(outcome).toMatchObject({
    kind: 'overspent',
    limitTokens: 1000,
    rounds: 1,
    usage: { inputTokens: 1300, outputTokens: 2 },
  });
  expect(project.show(await project.fetch(client, order), 'src/half')).toBe('half');
});

test('so is a shell command by its usage file, and one below its limit goes on', async () => {
  const write = (tokens: number): string =>
    `echo '{"inputTokens":${tokens},"outputTokens":0}' > "$DISPATCH_USAGE_FILE"`;
  const over = treeOrder(project, `echo half > src/half; ${write(1001)}; sleep 500`, {}, LIMIT, LONG);
  const waits = 'while [ ! -e ../go ]; do sleep 0.1; done';
  const below = treeOrder(project, `echo good > src/half; ${write(1000)}; ${waits}`, {}, LIMIT, LONG);
  for (const order of [below, over]) await client.call({ op: 'start', order });
  expect(await client.ended(over.token)).toMatchObject({ kind: 'overspent', usage: { inputTokens: 1001 } });
  writeFileSync(`${node.root}/attempts/${below.token}/go`, '');
  expect(await client.ended(below.token)).toMatchObject({ kind: 'done', usage: { inputTokens: 1000 } });
});

test('work that was done above the limit is judged; no further round is asked for', async () => {
  const write = `echo '{"inputTokens":2000,"outputTokens":0}' > "$DISPATCH_USAGE_FILE"`;
  const good = treeOrder(project, `echo good > src/half; ${write}`, {}, LIMIT, LONG);
  const bad = treeOrder(project, `echo bad > src/half; ${write}`, {}, LIMIT, LONG);
  for (const order of [good, bad]) await client.call({ op: 'start', order });
  expect(await client.ended(good.token)).toMatchObject({ kind: 'done', rounds: 1 });
  const outcome = await client.ended(bad.token);
  expect(outcome).toMatchObject({ kind: 'overspent', rounds: 1, usage: { inputTokens: 2000 } });
  expect(project.show(await project.fetch(client, bad), 'src/half')).toBe('bad');
});
