import { execFileSync } from 'node:child_process';

/** Builds dist/ once before the tests: they run the same files that a user and a node run. */
export default function setup(): void {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
}
