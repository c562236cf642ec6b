/** A home as a node's account has one, with a key that nobody else may read; removed after the test. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** What is in the key, `.ssh/id_ed25519`. */
export const SECRET = 'a key that nobody may read';

export function userHome(): string {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'home-')));
  onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  mkdirSync(join(home, '.ssh'));
  writeFileSync(join(home, '.ssh', 'id_ed25519'), SECRET, { mode: 0o600 });
  return home;
}
