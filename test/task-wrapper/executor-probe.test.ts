/** A node asks an agent's program for its version and flags: once for each version, before the first run. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { probeOf } from '../../src/executors/probe.ts';
import type { ExecutorDef } from '../../src/model/executor.ts';
import type { AttemptOrder } from '../../src/protocol/order.ts';
import { type Client, TestNode } from './client.ts';
import { Project, treeOrder } from './project.ts';

let node: TestNode;
let client: Client;
let project: Project;
let program = '';

const CODEX: ExecutorDef = {
  name: 'codex',
  kind: 'codex',
  command: ['codex'],
  env: {},
  secrets: {},
  model: null,
};
const HELP = '--json --sandbox <MODE> --skip-git-repo-check --model <MODEL> resume';
const DONE =
  '{"type":"thread.started","thread_id":"t-1"}\n{"type":"turn.completed","usage":{"input_tokens":10,"output_tokens":5}}';

beforeEach(async () => {
  node = new TestNode();
  mkdirSync(join(node.root, 'tools'));
  program = join(node.root, 'tools', 'codex');
  node.env.PATH = `${join(node.root, 'tools')}:${process.env.PATH}`;
  project = new Project({ 'src/a.txt': 'a\n', 'test.sh': 'grep -q good src/a.txt\n' });
  client = await node.join();
  await project.put(client);
});
afterEach(async () => {
  project.clean();
  await node.clean();
});

/** A program of that version; every question to it is noted. */
function install(version: string, help: string): void {
  writeFileSync(
    program,
    `#!/bin/sh
case "$*" in
--version) echo v >> "${node.root}/asked"; echo "codex-cli ${version}" ;;
*--help) echo h >> "${node.root}/asked"; echo "${help}" ;;
*) cat > /dev/null; echo good > src/a.txt; printf '%s\\n' '${DONE}' ;;
esac
`,
  );
  chmodSync(program, 0o755);
}

const asked = (): number => readFileSync(join(node.root, 'asked'), 'utf8').trim().split('\n').length;

async function probe() {
  const ask = probeOf(CODEX);
  if (ask === null) throw new Error('codex is asked');
  const { executors } = await client.call({ op: 'probe', programs: [], executors: { codex: ask } });
  return executors?.codex;
}

function order(): AttemptOrder {
  return treeOrder(project, '', {}, { executor: CODEX });
}

test('its answer is kept, counts for every later attempt, and is asked for again when the file is another one', async () => {
  install('0.169.0', HELP);
  expect(await probe()).toEqual({ path: program, version: '0.169.0', problems: [] });
  expect(asked()).toBe(2);
  const [one, other] = [order(), order()];
  await Promise.all([client.call({ op: 'start', order: one }), client.call({ op: 'start', order: other })]);
  expect(await client.ended(one.token)).toMatchObject({ kind: 'done', usage: { inputTokens: 10 } });
  expect(await client.ended(other.token)).toMatchObject({ kind: 'done' });
  expect(await probe()).toMatchObject({ version: '0.169.0' });
  expect(asked()).toBe(2);
  install('0.170.0', `${HELP} and more`);
  expect(await probe()).toMatchObject({ version: '0.170.0' });
  expect(asked()).toBe(4);
});

test('a flag that is gone ends the attempt before the agent runs, with its name', async () => {
  install('0.20.1', '--json --model');
  const late = order();
  await client.call({ op: 'start', order: late });
  expect(await client.ended(late.token)).toMatchObject({
    kind: 'failed',
    cause: 'executor',
    message: expect.stringContaining('codex exec 0.20.1 has no --sandbox, --skip-git-repo-check, resume'),
  });
  expect(node.file(late.token, 'agent.log')).not.toContain('thread.started');
});

test('a program that is not there is reported, and one that fails is asked again', async () => {
  expect(await probe()).toMatchObject({ path: null, problems: ['codex is not on the PATH of this node'] });
  writeFileSync(program, '#!/bin/sh\nexit 3\n');
  chmodSync(program, 0o755);
  expect((await probe())?.problems).toContain('codex --version fails');
  install('0.169.0', HELP);
  expect(await probe()).toMatchObject({ problems: [] });
});
