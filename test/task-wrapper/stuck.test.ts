import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JournalFact } from '../../src/protocol/messages.ts';
import { StuckWatch } from '../../task-wrapper/stuck.ts';
import { newToken, until } from './client.ts';

let dir: string;
let told: JournalFact[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tw-stuck-'));
  told = [];
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Stands for a process that SIGKILL does not end: as far as the watch can see, there is no difference. */
function immortal(): { pid: number; end: () => Promise<void> } {
  const child = spawn('sleep', ['300'], { stdio: 'ignore' });
  const { pid = 0 } = child;
  const end = async (): Promise<void> => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return { pid, end };
}

function watch(afterMs: number): StuckWatch {
  return new StuckWatch({ file: join(dir, 'stuck'), tell: (fact) => told.push(fact), afterMs, everyMs: 5 });
}

test('a process that is still there after its time is told once, also to the next supervisor, and when it is gone', async () => {
  const process = immortal();
  const token = newToken();
  const first = watch(60_000);
  // It was killed a minute ago.
  first.watch(token, [process.pid], 60_000);
  await until(() => told.length > 0);
  expect(told).toEqual([{ type: 'stuck.seen', token, pids: [process.pid], forMs: expect.any(Number) }]);
  first.stop();

  const second = watch(60_000);
  await process.end();
  await until(() => told.length > 1);
  expect(told.slice(1)).toEqual([{ type: 'stuck.gone', token, left: 0 }]);
  second.stop();
  const third = watch(60_000);
  third.stop();
  expect(told).toHaveLength(2);
});

test('a process that is gone in time is not told; of two attempts the first that is gone leaves one', async () => {
  const [a, b, c] = [immortal(), immortal(), immortal()];
  const tokens = [newToken(), newToken(), newToken()] as const;
  const stuck = watch(60_000);
  stuck.watch(tokens[2], [c.pid], 0);
  await c.end();
  stuck.watch(tokens[0], [a.pid], 60_000);
  stuck.watch(tokens[1], [b.pid], 60_000);
  await until(() => told.length === 2);
  await a.end();
  await until(() => told.length === 3);
  await b.end();
  await until(() => told.length === 4);
  stuck.stop();
  expect(told.slice(2)).toEqual([
    { type: 'stuck.gone', token: tokens[0], left: 1 },
    { type: 'stuck.gone', token: tokens[1], left: 0 },
  ]);
});
