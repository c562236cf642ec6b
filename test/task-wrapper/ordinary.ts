/** A worker of an account without root's rights: what most nodes have, and not what a container runs tests as. */
import { chmodSync, chownSync, copyFileSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { onTestFinished } from 'vitest';
import { TestNode, WRAPPER } from './client.ts';

const NOBODY = 65_534;

/** The worker and the program to start it with: of `nobody` where the tests run as root, else of who runs them. */
export function ordinaryNode(env: Readonly<Record<string, string>> = {}): {
  node: TestNode;
  wrapper: string;
} {
  if (process.getuid?.() !== 0) return { node: new TestNode(env), wrapper: WRAPPER };
  // The program may lie where only root can read.
  const place = mkdtempSync(join(tmpdir(), 'public-'));
  onTestFinished(() => rm(place, { recursive: true }));
  for (const name of ['task-wrapper.mjs', 'launch.sh'])
    copyFileSync(join(dirname(WRAPPER), name), join(place, name));
  giveAway(place);
  chmodSync(place, 0o755);
  const node = new TestNode({ HOME: place, PATH: '/usr/local/bin:/usr/bin:/bin', ...env }, NOBODY);
  return { node, wrapper: join(place, 'task-wrapper.mjs') };
}

/** Makes them the account's, where it is not the one that runs the tests. */
export function giveAway(...paths: readonly string[]): void {
  if (process.getuid?.() === 0) for (const path of paths) chownSync(path, NOBODY, NOBODY);
}
