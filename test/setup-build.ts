import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Builds the program once before the tests, into a directory of this run's own: tests run the same files that a user
 * and a node run, and two test runs side by side do not pull them from under each other. Tests find it in DISPATCH_DIST.
 */
export default function setup(): () => void {
  const dist = resolve(`node_modules/.cache/dispatch-test/${process.pid}`);
  process.env.DISPATCH_DIST = dist;
  execFileSync(process.execPath, ['scripts/build.mjs', dist], { stdio: 'inherit' });
  return () => rmSync(dist, { recursive: true, force: true });
}
