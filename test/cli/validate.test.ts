import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dispatch, hasEscapes, makeHome, PROJECT_YAML, specText } from './dispatch.ts';

const BROKEN = {
  'specs/app/project.yaml': PROJECT_YAML,
  'specs/app/S01.md': specText('S01', { depend_on: '[S02]' }),
  'specs/app/S02.md': specText('S02', { modifies: '["/etc/passwd"]' }),
};

describe('validate', () => {
  test('says everything that is wrong at once, with the line it stands on, and exits 2', async () => {
    const home = makeHome(BROKEN);
    const { code, stdout, stderr } = await dispatch(['validate'], { cwd: home });
    expect(code).toBe(2);
    expect(stdout).toContain('--> specs/app/S01.md:6:1');
    expect(stdout).toContain('depend_on: [S02]');
    expect(stdout).toContain('specs/app/S02.md:3:');
    expect(stderr).toContain('2 errors');
    expect(stderr).toContain('dispatch explain E_SPEC_');
    expect(hasEscapes(stdout)).toBe(false);
  });

  test('changes nothing', async () => {
    const home = makeHome(BROKEN);
    await dispatch(['validate'], { cwd: home });
    expect(readdirSync(home).sort()).toEqual(['nodes.json', 'specs']);
    expect(readFileSync(join(home, 'specs/app/S01.md'), 'utf8')).toBe(BROKEN['specs/app/S01.md']);
  });

  test('gives a program the list', async () => {
    const { code, stdout } = await dispatch(['validate', '-o', 'json'], { cwd: makeHome(BROKEN) });
    const { kind, data, meta } = JSON.parse(stdout);
    expect({ code, kind, valid: meta.valid }).toEqual({ code: 2, kind: 'ProblemList', valid: false });
    expect(data).toHaveLength(2);
    expect(data[0]).toMatchObject({ severity: 'error', file: 'specs/app/S01.md', line: 6, col: 1 });
  });

  test('names the nearest project for one that is not there', async () => {
    const { code, stdout } = await dispatch(['validate', 'ap'], { cwd: makeHome(BROKEN) });
    expect(code).toBe(5);
    expect(stdout).toContain('did you mean "app"?');
  });

  test('turns warnings into errors with --strict', async () => {
    const home = makeHome({ 'specs/app/project.yaml': PROJECT_YAML });
    expect((await dispatch(['validate'], { cwd: home })).code).toBe(0);
    const { code, stdout } = await dispatch(['validate', '--strict'], { cwd: home });
    expect(code).toBe(2);
    expect(stdout).toContain('error[E_PROJECT_NO_SPECS]');
  });

  test('reports a missing nodes.json of a named home', async () => {
    const home = makeHome();
    const { rmSync } = await import('node:fs');
    rmSync(join(home, 'nodes.json'));
    const { code, stdout } = await dispatch(['validate', '--home', home]);
    expect(code).toBe(2);
    expect(stdout).toContain('E_NODES_MISSING');
  });

  test('checks dispatch.yaml of the home beside the settings of the command line that stand in it', async () => {
    const home = makeHome({
      'specs/app/project.yaml': PROJECT_YAML,
      'specs/app/S01.md': specText('S01'),
      'dispatch.yaml': 'color: never\nmodels:\n  split: { provider: glm, modle: x }\nfeed: { at: noon }\n',
    });
    const { code, stdout } = await dispatch(['validate'], { cwd: home });
    expect(code).toBe(2);
    expect(stdout).toContain('--> dispatch.yaml:3:27');
    expect(stdout).toContain('did you mean "model"?');
  });

  test('shows no control character that a spec contains', async () => {
    const home = makeHome({
      'specs/app/project.yaml': PROJECT_YAML,
      'specs/app/S01.md': specText('S01', { '"evil\\e]0;x\\a"': '1' }),
      'specs/app/S02.md': specText('S02', { evil: '\u001b]0;pwned\u0007' }),
    });
    const { code, stdout } = await dispatch(['validate'], { cwd: home });
    expect(code).toBe(2);
    expect(hasEscapes(stdout)).toBe(false);
  });
});

const GOOD = {
  'specs/app/project.yaml': PROJECT_YAML,
  'specs/app/S01.md': specText('S01'),
  'specs/app/S02.md': specText('S02', { depends_on: '[S01]' }),
  'specs/app/S03.md': specText('S03', { modifies: '["src/S01.ts"]' }),
};

describe('plan', () => {
  test('is Markdown in a pipe', async () => {
    const { code, stdout } = await dispatch(['plan', 'app'], { cwd: makeHome(GOOD) });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# Plan of `app`\n/u);
    expect(stdout).toContain('`src/S01.ts`');
  });

  test.each([['-o'], ['--output'], ['--out']])('is written as Markdown with %s', async (flag) => {
    const home = makeHome(GOOD);
    const { code, stdout, stderr } = await dispatch(['plan', 'app', flag, 'plan.md'], { cwd: home });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toContain(join(home, 'plan.md'));
    expect(readFileSync(join(home, 'plan.md'), 'utf8')).toMatch(/^# Plan of `app`\n/u);
  });

  test('is a table with the critical path on a terminal', async () => {
    const { stdout } = await dispatch(['plan', 'app', '--color', 'never'], {
      cwd: makeHome(GOOD),
      env: { DISPATCH_FORCE_TTY: '120' },
    });
    expect(stdout).toContain('critical path  S01 → S02');
    expect(stdout).toMatch(/takes turns +S01 and S03, because of src\/S01\.ts/u);
  });

  test('is JSON for a program', async () => {
    const { stdout } = await dispatch(['plan', 'app', '-o', 'json'], { cwd: makeHome(GOOD) });
    const { kind, data } = JSON.parse(stdout);
    expect(kind).toBe('Plan');
    expect(data.waves[0].tasks).toEqual(['S01', 'S03']);
    expect(data.critical.tasks).toEqual(['S01', 'S02']);
    expect(data.chainMs.S01).toBeGreaterThan(data.chainMs.S02);
  });

  test('refuses specs with errors and shows them', async () => {
    const { code, stdout, stderr } = await dispatch(['plan', 'app'], { cwd: makeHome(BROKEN) });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('app cannot be planned: 2 errors');
    expect(stderr).toContain('fix: dispatch validate app');
  });
});
