import { defineConfig } from 'vitest/config';

// Real sshd, tmux, git and SQLite take part in the tests; two cores are the smallest machine they must pass on.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: ['test/setup-build.ts'],
  },
});
