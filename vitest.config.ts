import { defineConfig } from 'vitest/config';

// Real sshd, tmux, git and SQLite take part in the tests; two cores are the smallest machine they must pass on. Limits are
// there for what hangs, not for what is slow: they are far beyond what a busy machine needs. Two workers on every machine:
// with one for each core a large machine would start hundreds of processes at once, and gain little.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: ['test/setup-build.ts'],
  },
});
