import { afterEach, beforeEach, expect, test } from 'vitest';
import { taskId } from '../../src/model/ids.ts';
import { DEFAULT_CAGE } from '../../src/model/cage.ts';
import type { AttemptOrder, WorkOrder } from '../../src/protocol/order.ts';
import { type Client, TestNode, until } from './client.ts';
import { Project, treeOrder } from './project.ts';

const STRICT = { ...DEFAULT_CAGE, level: 'strict' } as const;

let node: TestNode;
let client: Client;
let project: Project;
beforeEach(async () => {
  node = new TestNode();
  project = new Project({ 'src/a.txt': 'a\n', 'test.sh': 'test -f src/a.txt\n' });
  client = await node.join();
  await project.put(client);
});
afterEach(async () => {
  project.clean();
  await node.clean();
});

test("an agent's plan and evidence are told beside its outcome, outside of its tree; hostile ones tell nothing", async () => {
  const good = order('T1', [
    'printf "first \\033[31ma\\033[0m\\n" >"$DISPATCH_NOTES/plan.md"',
    'printf -- "- [x] it is there: ls\\n" >"$DISPATCH_NOTES/evidence.md"',
  ]);
  // Neither a file elsewhere nor an endless wait for a writer, nor a place of the agent's choosing.
  const hostile = order('T2', [
    'ln -s /etc/passwd "$DISPATCH_NOTES/plan.md"',
    'mkfifo "$DISPATCH_NOTES/evidence.md"',
  ]);
  const moved = order('T3', [
    'echo mine >src/plan.md',
    'rmdir "$DISPATCH_NOTES"',
    'ln -s "$PWD/src" "$DISPATCH_NOTES"',
  ]);
  const large = order('T4', ['yes "evidence" | head -c 3000000 >"$DISPATCH_NOTES/evidence.md"']);
  const caged = order('T5', ['echo "caged" >"$DISPATCH_NOTES/plan.md"'], { cage: STRICT });
  const all = [good, hostile, moved, large, caged];
  for (const one of all) await client.call({ op: 'start', order: one });
  for (const one of all) expect(await client.ended(one.token)).toMatchObject({ kind: 'done', rounds: 1 });

  expect(noted(good)).toEqual([{ plan: 'first a', evidence: '- [x] it is there: ls' }]);
  expect(noted(hostile)).toEqual([]);
  expect(noted(moved)).toEqual([]);
  expect(noted(caged)).toEqual([{ plan: 'caged', evidence: null }]);
  expect(noted(large)).toMatchObject([{ plan: null, evidence: expect.stringContaining('left out') }]);
});

test('an agent that runs out of time has its plan kept', async () => {
  const late = order('T1', ['echo "a, then b" >"$DISPATCH_NOTES/plan.md"', 'exec sleep 600']);
  await client.call({ op: 'start', order: late });
  await until(() => node.file(late.token, 'notes/plan.md').endsWith('\n'));
  await node.killSupervisor();
  node.endTime(late.token);
  client = await node.join();
  expect(await client.ended(late.token)).toMatchObject({ kind: 'timeout' });
  expect(noted(late)).toEqual([{ plan: 'a, then b', evidence: null }]);
});

function order(task: string, lines: readonly string[], work: Partial<WorkOrder> = {}): AttemptOrder {
  const script = ['echo b >>src/a.txt', ...lines].join('\n');
  return treeOrder(project, script, {}, work, { task: taskId(task) });
}

function noted({ token }: AttemptOrder): { plan: string | null; evidence: string | null }[] {
  return client.events.flatMap((entry) =>
    entry.type === 'attempt.noted' && entry.token === token
      ? [{ plan: entry.plan, evidence: entry.evidence }]
      : [],
  );
}
