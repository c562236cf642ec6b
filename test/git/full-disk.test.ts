/** A disk that is full is no fault of what was to be written on it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DispatchError } from '../../src/model/error.ts';
import { mayMount, SmallDisk } from '../cluster/disk.ts';
import { bundle, hubOf, newToken, world } from './hub-fixture.ts';

test.skipIf(!mayMount())(
  'a branch that finds no room in the hub is refused for that, however little is missing, and comes in later (skipped where no tmpfs may be mounted)',
  async () => {
    const w = await world();
    const at = mkdtempSync(join(tmpdir(), 'dispatch-disk-'));
    onTestFinished(() => rmSync(at, { recursive: true, force: true }));
    const disk = new SmallDisk(at, '4m');
    const hub = await hubOf(disk.path, w.person.dir);
    const base = await hub.base();
    const lines = Array.from({ length: 600 }, (_, i) => `line ${i * 7919} of ${i}\n`).join('');
    const head = await w.person.commit(
      Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}.txt`, `${i}${lines}`])),
    );
    const file = await bundle(w.person, w.root, base);
    const said: string[] = [];
    for (let spare = 0; spare <= 160 * 1024; spare += 4096) {
      disk.fill(spare);
      const token = newToken();
      const outcome = await hub.importBundle(file, token, head, base).then(
        () => 'taken',
        (error: unknown) => (error instanceof DispatchError ? error.code : String(error)),
      );
      said.push(outcome);
      disk.free();
      if (outcome === 'taken') break;
    }
    expect(said.at(-1)).toBe('taken');
    expect(said.length).toBeGreaterThan(2);
    expect([...new Set(said.slice(0, -1))]).toEqual(['E_NO_SPACE']);
  },
);
