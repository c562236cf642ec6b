import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from '../../task-wrapper/journal.ts';
import { newToken } from './client.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tw-journal-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));

const segments = (): string[] => readdirSync(dir).filter((name) => name.endsWith('.jsonl'));

test('nothing is shown before it is on disk, and a burst shares its syncs', async () => {
  const journal = new Journal(dir);
  let told = 0;
  journal.onDurable(() => {
    told += 1;
  });
  for (let at = 0; at < 500; at += 1) journal.append({ type: 'attempt.running', token: newToken() });
  expect(journal.seq).toBe(0);
  expect(journal.last).toBe(500);
  expect(journal.after(0, 10)).toEqual([]);
  await journal.settled();
  expect(journal.seq).toBe(500);
  expect(told).toBeLessThan(5);
  expect(journal.after(498, 10).map(({ seq }) => seq)).toEqual([499, 500]);
  await journal.close();
});

test('segments go when they are acknowledged, after what only they know was saved; numbers go on', async () => {
  const journal = new Journal(dir);
  const output = 'x'.repeat(10_000);
  for (let at = 0; at < 300; at += 1) {
    journal.append({
      type: 'attempt.ended',
      token: newToken(),
      outcome: { kind: 'refused', findings: [], output, head: null, rounds: 1, usage: null },
    });
    if (at % 50 === 49) await journal.settled();
  }
  await journal.settled();
  const before = segments();
  expect(before.length).toBeGreaterThan(2);
  const kept: number[] = [];
  journal.acknowledge(300, (entries) => kept.push(...entries.map(({ seq }) => seq)));
  expect(segments()).toHaveLength(1);
  expect(kept).toEqual(kept.map((_, index) => index + 1));
  expect(journal.first).toBe(kept.length + 1);
  expect(journal.after(0, 1000)).toEqual([]);
  await journal.close();

  const again = new Journal(dir);
  expect(again.id).toBe(journal.id);
  expect(again.seq).toBe(300);
  again.append({ type: 'attempt.running', token: newToken() });
  await again.settled();
  expect(again.after(300, 10).map(({ seq }) => seq)).toEqual([301]);
  await again.close();
});

test('a journal that was wiped has another name', async () => {
  const journal = new Journal(dir);
  await journal.close();
  rmSync(dir, { recursive: true });
  dir = mkdtempSync(join(tmpdir(), 'tw-journal-'));
  const other = new Journal(dir);
  expect(other.id).not.toBe(journal.id);
  await other.close();
});
