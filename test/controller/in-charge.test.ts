import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSession } from '../../src/controller/open-session.ts';
import { homePaths } from '../../src/controller/paths.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { lockPath } from '../../src/store/sqlite/lock-file.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'in-charge-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('a controller that another one has replaced is not in charge any more, and tells nobody anything', async () => {
  const session = await openSession({ home, nodes: [], projects: [] });
  try {
    expect(await session.isInCharge()).toBe(true);
    const { database } = homePaths(home);
    // As on another machine, where nobody sees that this process lives.
    rmSync(lockPath(database));
    expect(await session.isInCharge()).toBe(true);
    const store = await openSqliteStore(database);
    const lease = await store.acquire('another', process.pid, 1000);
    expect(await session.isInCharge()).toBe(false);
    await store.release(lease);
    await store.close();
  } finally {
    await session.detach();
  }
});
