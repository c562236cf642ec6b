import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isLock, takeLock } from '../../task-wrapper/lock.ts';
import { openRoot, type Root } from '../../task-wrapper/root.ts';

let root: Root;
beforeEach(() => {
  root = openRoot(mkdtempSync(join(tmpdir(), 'tw-lock-')));
});
afterEach(() => rmSync(root.path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));

test('a held lock names its holder; a released one can be taken', () => {
  const lock = takeLock(root);
  if (!isLock(lock)) throw new Error('nobody else has it');
  expect(takeLock(root)).toMatchObject({ pid: process.pid });
  lock.release();
  expect(isLock(takeLock(root))).toBe(true);
});

test('the lock of a dead process, of a reused number, of another boot or of nonsense is taken over', () => {
  const dead = Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }));
  for (const text of [`${dead}\n1\nboot`, `${process.pid}\n1\nboot`, '', `${process.pid}\n`]) {
    rmSync(`${root.run}/lock`, { recursive: true, force: true });
    mkdirSync(`${root.run}/lock`);
    writeFileSync(`${root.run}/lock/7`, text);
    expect(isLock(takeLock(root))).toBe(true);
    expect(readdirSync(`${root.run}/lock`)).toEqual(['8']);
  }
});

test('of many that start at once exactly one holds the lock', async () => {
  writeFileSync(
    `${root.path}/take.ts`,
    `import { isLock, takeLock } from ${JSON.stringify(join(process.cwd(), 'task-wrapper/lock.ts'))};
import { openRoot } from ${JSON.stringify(join(process.cwd(), 'task-wrapper/root.ts'))};
console.log(isLock(takeLock(openRoot(${JSON.stringify(root.path)}))) ? 'mine' : 'held');
process.stdin.on('end', () => process.exit()).resume();`,
  );
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--import', 'tsx', `${root.path}/take.ts`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  const words = await Promise.all(
    children.map(
      (child) =>
        new Promise<string>((resolve) =>
          child.stdout.once('data', (bytes: Buffer) => resolve(String(bytes).trim())),
        ),
    ),
  );
  for (const child of children) child.stdin.end();
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('close', resolve))));
  expect(words.sort()).toEqual(['held', 'held', 'held', 'mine']);
});
