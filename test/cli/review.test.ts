import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dispatch } from './dispatch.ts';
import { codeHome, subjects } from './fleet.ts';

describe('a branch that touches what guards everybody', () => {
  test('waits for a person, says why everywhere, and merges once it is approved', async () => {
    const { home, repo } = codeHome({
      A1: 'mkdir -p .claude; echo {} > .claude/settings.json; echo x > src/A1.txt',
    });
    const file = join(home, 'specs/code/A1.md');
    writeFileSync(file, readFileSync(file, 'utf8').replace('["src/A1.txt"]', '["src/**", ".claude/*"]'));

    const started = await dispatch(['start', 'code'], { cwd: home });
    expect(started.code).toBe(3);
    expect(started.stdout).toMatch(
      /code\/A1 review \.claude\/settings\.json was added, and it is protected/u,
    );

    const status = await dispatch(['status', 'code'], { cwd: home });
    expect(status.stdout).toContain('Approval(.claude/settings.json)');
    for (const verb of [
      ['why', 'A1'],
      ['review', 'A1'],
      ['report', 'code'],
    ]) {
      const { code, stdout } = await dispatch(verb, { cwd: home });
      expect(code).toBe(0);
      expect(stdout).toMatch(/\.claude\/settings\.json was added, and it is protected by/u);
    }

    expect((await dispatch(['review', 'A1', '--approve'], { cwd: home })).code).toBe(0);
    expect((await dispatch(['start', 'code'], { cwd: home })).code).toBe(0);
    expect((await dispatch(['collect', 'code'], { cwd: home })).code).toBe(0);
    expect(subjects(repo)[0]).toContain('A1');
    expect((await dispatch(['review', 'A1'], { cwd: home })).stderr).toContain('does not wait for a review');
    expect((await dispatch(['replay', '--check'], { cwd: home })).code).toBe(0);
  });
});
