/** Bundles that come in and cannot be taken: nothing of them stays. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { projectName } from '../../src/model/ids.ts';
import { mayMount, SmallDisk } from '../cluster/disk.ts';
import { type Client, TestNode, until } from './client.ts';

afterEach(() => vi.unstubAllEnvs());

const put = (client: Client, bytes: Buffer): Promise<unknown> => {
  const { id, reply } = client.begin({
    op: 'mirror.put',
    project: projectName('demo'),
    commits: [],
    epoch: 1,
  });
  client.sendBytes(id, bytes);
  return reply;
};
const uploads = (node: TestNode): string[] =>
  readdirSync(`${node.root}/run`).filter((name) => name.startsWith('upload-'));

test.skipIf(!mayMount())(
  'a bundle that the disk has no room for leaves nothing behind, and its stream is read on (skipped where no tmpfs may be mounted)',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tw-disk-'));
    const disk = new SmallDisk(dir, '8m', () => {});
    vi.stubEnv('TMPDIR', dir);
    const node = new TestNode({ DISPATCH_RESERVE_BYTES: '1' });
    try {
      const client = await node.join();
      disk.fill();
      // The longer one is still coming in when its file is given up.
      for (const size of [200, 300_000])
        await expect(put(client, randomBytes(size))).rejects.toMatchObject({ code: 'no-space' });
      disk.free();
      await until(() => uploads(node).length === 0);
      // It still listens.
      expect(await put(client, randomBytes(200))).toEqual({});
      await until(() => uploads(node).length === 0);
    } finally {
      disk.free();
      await node.clean();
      disk.unmount();
      rmSync(dir, { recursive: true, force: true });
    }
  },
);
