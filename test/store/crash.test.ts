import { describe, expect, it } from 'vitest';
import { violations } from '../../src/model/invariants.ts';
import { child, childWithSmallFiles, openStore, storeFile } from './scratch.ts';

describe('a controller that is killed in the middle of its commits', () => {
  it('has lost none that was acknowledged, has none by half, and does not block the next one', async () => {
    const file = storeFile();
    let epoch = 0;
    for (const commits of [1, 7, 60]) {
      epoch += 1;
      const controller = child('commit', file);
      let acknowledged = 0;
      for (let heard = 0; heard < commits; heard += 1) acknowledged = Number(await controller.line());
      controller.process.kill('SIGKILL');
      expect(await controller.ended).toBe('SIGKILL');

      const store = await openStore(file);
      const events = await store.events(0, 1_000_000);
      expect(events.length).toBeGreaterThanOrEqual(acknowledged);
      // Each commit of the child adds three tasks, after three facts of its set-up.
      expect((events.length - 3) % 3).toBe(0);
      expect(await store.replayCheck()).toEqual([]);
      const state = await store.load();
      expect(violations(state)).toEqual([]);
      expect(state.tasks.size).toBe(events.filter(({ fact }) => fact.type === 'task.added').length);
      expect(await store.holder()).toBeNull();
      epoch += 1;
      const lease = await store.acquire('laptop', process.pid, 1000);
      expect(lease.epoch).toBe(epoch);
      await store.close();
    }
  });
});

describe('a controller whose writes begin to fail', () => {
  it('learns that the system refused, and everything acknowledged before is there', async () => {
    const file = storeFile();
    const controller = childWithSmallFiles(400, 'commit', file);
    let acknowledged = 0;
    let said = await controller.line();
    for (; /^\d+$/.test(said); said = await controller.line()) acknowledged = Number(said);
    expect(said).toBe('E_STORE_IO');
    expect(acknowledged).toBeGreaterThan(3);

    const store = await openStore(file);
    expect(await store.events(0, 1_000_000)).toHaveLength(acknowledged);
    expect(await store.replayCheck()).toEqual([]);
  });
});
