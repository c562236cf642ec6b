/**
 * A step may be asked for again before its launch.sh has begun it: the supervisor was killed in between, or is woken by
 * news of the step before. What the step needs must then stay as it is, because it may begin at any moment.
 */
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeBundle } from '../../src/git/bundle.ts';
import { mirrorPut } from '../../src/git/mirror.ts';
import type { AttemptOrder } from '../../src/protocol/order.ts';
import { advance } from '../../task-wrapper/advance.ts';
import { claim } from '../../task-wrapper/claim.ts';
import type { Desk } from '../../task-wrapper/desk.ts';
import { attemptDir, mirrorDir, openRoot, type Root } from '../../task-wrapper/root.ts';
import { plainOrder } from './client.ts';
import { Project, treeOrder } from './project.ts';

let project: Project;
let root: Root;
let asked: string[];
beforeEach(async () => {
  project = new Project({ 'src/a.txt': 'one\n' });
  root = openRoot(join(realpathSync(mkdtempSync(join(tmpdir(), 'tw-twice-'))), 'root'));
  asked = [];
  const bundle = join(project.dir, '.git', 'all.bundle');
  await writeBundle({ gitDir: join(project.dir, '.git') }, bundle, [project.tip()], []);
  await mirrorPut(mirrorDir(root, project.name), bundle, [project.tip()]);
});
afterEach(() => {
  project.clean();
  rmSync(join(root.path, '..'), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

test('the checkout of a gate stays as it is', async () => {
  const sandbox = { ...sandboxOf(treeOrder(project, 'true')), trusted: true };
  const work = { kind: 'gate', commit: project.tip(), verify: 'ls src', minTests: 0, sandbox } as const;
  const order: AttemptOrder = { ...plainOrder('true'), project: project.name, work };
  const dir = take(order);
  expect(await advance(desk(), order.token)).toMatchObject({ is: 'waiting', step: '1v' });
  await stays(order, `${dir}/check/marker`, '1v');
});

test("the agent's script and the checkout of its verify command stay as they are", async () => {
  const sandbox = { ...sandboxOf(treeOrder(project, 'true')), trusted: true };
  const order = treeOrder(project, 'true', {}, { verify: 'ls src', sandbox });
  const dir = take(order);
  expect(await advance(desk(), order.token)).toMatchObject({ is: 'waiting', step: '1a' });
  await stays(order, `${dir}/tree/src/b.txt`, '1a');
  // The agent has begun and ended, without a word to anybody.
  writeFileSync(`${dir}/1a.run`, '1\n0\n');
  expect(await advance(desk(), order.token)).toMatchObject({ is: 'waiting', step: '1v' });
  expect(existsSync(`${dir}/check/src/b.txt`)).toBe(true);
  await stays(order, `${dir}/check/marker`, '1v');
});

/** Asks for the step once more: its session is asked for again, and the marked directory is still the same. */
async function stays(order: AttemptOrder, marker: string, step: string): Promise<void> {
  writeFileSync(marker, 'here\n');
  const before = asked.length;
  expect(await advance(desk(), order.token)).toMatchObject({ is: 'waiting', step });
  expect(asked.slice(before)).toEqual([`d_${order.token}_${step}`]);
  expect(existsSync(marker)).toBe(true);
}

function take(order: AttemptOrder): string {
  const program = { hash: 'h', protocol: 1, node: process.execPath, wrapper: '/none', launch: '/none' };
  claim(root, program, 'boot', 0, order);
  return attemptDir(root, order.token);
}

/** Whatever is asked for has not begun yet. */
function desk(): Desk {
  return {
    root,
    newSession: async (name) => void asked.push(name),
    report: () => {},
    interrupt: () => null,
  };
}

function sandboxOf({ work }: AttemptOrder) {
  return work.sandbox;
}
