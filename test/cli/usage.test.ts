import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dispatch, hasEscapes, makeHome, scratch } from './dispatch.ts';

describe('the command line', () => {
  test('answers --version with the version alone', async () => {
    const { code, stdout, stderr } = await dispatch(['--version']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/u);
  });

  test('shows help when nothing is asked', async () => {
    const { code, stdout } = await dispatch([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Examples:\n {2}\$ dispatch init/u);
  });

  test('answers an unknown verb with 2 and the nearest one', async () => {
    const { code, stdout, stderr } = await dispatch(['statsu']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain("error[E_USAGE] unknown command 'statsu'");
    expect(stderr).toContain('did you mean status?');
  });

  test('answers an unknown option with 2 and the nearest one', async () => {
    const { code, stderr } = await dispatch(['status', '--wacth']);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean --watch?');
    expect(stderr).toContain('dispatch help status');
  });

  test('answers an unknown verb of nodes with 2 and the nearest one', async () => {
    const { code, stderr } = await dispatch(['nodes', 'dran', 'mac2']);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean drain?');
  });

  test('names what is missing when an argument is', async () => {
    const { code, stderr } = await dispatch(['plan']);
    expect(code).toBe(2);
    expect(stderr).toContain("missing required argument 'project'");
  });

  test.each([['-o', 'jsno'], ['--output=jsno'], ['-ojsno']])(
    'refuses an unknown output format: %s',
    async (...args) => {
      const { code, stderr } = await dispatch(['explain', ...args]);
      expect(code).toBe(2);
      expect(stderr).toContain('did you mean json?');
    },
  );

  test('takes global options before and after the verb', async () => {
    const before = await dispatch(['--json', 'explain', 'E_USAGE']);
    const after = await dispatch(['explain', 'E_USAGE', '--json']);
    expect(before).toEqual(after);
    expect(JSON.parse(after.stdout)).toMatchObject({ schema: 'dispatch/v1', kind: 'ErrorCode' });
  });
});

describe('errors', () => {
  test('go to stderr, and stdout stays empty', async () => {
    const { code, stdout, stderr } = await dispatch(['status'], { cwd: scratch() });
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/^error\[E_NO_HOME\] .*\n {2}where: .*\n {2}why: .*\n {2}fix: dispatch init/u);
  });

  test.each([[['-o', 'json']], [['--json']], [['-o', 'ndjson']]])(
    'are JSON when JSON is asked for: %s',
    async (flags) => {
      const { code, stdout, stderr } = await dispatch(['status', ...flags], { cwd: scratch() });
      expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
      expect(JSON.parse(stderr)).toMatchObject({
        schema: 'dispatch/v1',
        kind: 'Error',
        data: { code: 'E_NO_HOME', exit: 5 },
      });
    },
  );

  test('are JSON even when the command line itself is not understood', async () => {
    const { code, stderr } = await dispatch(['status', '--wacth', '-o', 'json']);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ data: { code: 'E_USAGE', exit: 2 } });
  });

  test('are explained at length, however the code is written', async () => {
    const long = await dispatch(['explain', 'error[E_NO_HOME]']);
    expect(long).toEqual(await dispatch(['explain', 'no-home']));
    expect(long.stdout).toContain('E_NO_HOME: no dispatch home here (exit 5)');
  });

  test('that do not exist get the nearest that does', async () => {
    const { code, stderr } = await dispatch(['explain', 'E_NO_HOEM']);
    expect(code).toBe(5);
    expect(stderr).toContain('did you mean E_NO_HOME?');
  });

  test('each have a title, a text and a known exit code', async () => {
    const { stdout } = await dispatch(['explain', '-o', 'json']);
    const codes = JSON.parse(stdout).data as { code: string; title: string; explain: string; exit: number }[];
    expect(codes.length).toBeGreaterThan(40);
    for (const { code, title, explain, exit } of codes) {
      expect(code).toMatch(/^E_[A-Z0-9_]+$/u);
      expect(title.length, code).toBeGreaterThan(5);
      expect(explain.length, code).toBeGreaterThan(20);
      expect([1, 2, 3, 4, 5, 6, 7, 8], code).toContain(exit);
    }
  });
});

describe('colour', () => {
  const wrong = ['explain', 'E_NONE'];

  test('is absent in a pipe', async () => {
    expect(hasEscapes((await dispatch(wrong)).stderr)).toBe(false);
  });

  test.each([
    [[...wrong, '--color', 'always'], {}],
    [wrong, { FORCE_COLOR: '1' }],
    [wrong, { CLICOLOR_FORCE: '1' }],
    [wrong, { DISPATCH_COLOR: 'always', NO_COLOR: '1' }],
    [wrong, { DISPATCH_FORCE_TTY: '80' }],
  ])('is there when it is asked for: %s %s', async (args, env) => {
    expect((await dispatch(args, { env })).stderr).toContain('\u001b[');
  });

  test.each([
    [[...wrong, '--color', 'never'], { FORCE_COLOR: '1' }],
    [wrong, { DISPATCH_FORCE_TTY: '80', NO_COLOR: '1' }],
    [wrong, { DISPATCH_FORCE_TTY: '80', CLICOLOR: '0' }],
    [wrong, { DISPATCH_FORCE_TTY: '80', TERM: 'dumb' }],
    [wrong, { FORCE_COLOR: '1', NO_COLOR: '1' }],
  ])('is absent when it is not wanted: %s %s', async (args, env) => {
    expect(hasEscapes((await dispatch(args, { env })).stderr)).toBe(false);
  });
});

describe('configuration', () => {
  test('flags win over variables, those over ./dispatch.yaml, that over the file in XDG_CONFIG_HOME', async () => {
    const home = makeHome();
    const config = scratch();
    mkdirSync(join(config, 'dispatch'));
    writeFileSync(join(config, 'dispatch', 'config.yaml'), 'output: name\n');
    const env = { XDG_CONFIG_HOME: config };
    const list = (args: string[], more: Record<string, string> = {}) =>
      dispatch(['nodes', 'list', ...args], { cwd: home, env: { ...env, ...more } });
    expect((await list([])).stdout).toBe('mac2\n');
    writeFileSync(join(home, 'dispatch.yaml'), 'output: json\n');
    expect((await list([])).stdout).toContain('"kind":"NodeList"');
    expect((await list([], { DISPATCH_OUTPUT: 'ndjson' })).stdout).toMatch(/^\{"type":"version"/u);
    expect((await list(['-o', 'table'], { DISPATCH_OUTPUT: 'ndjson' })).stdout).toMatch(/^NODE\t/u);
  });

  test('a relative home in a file starts at the file', async () => {
    const home = makeHome();
    const elsewhere = scratch();
    mkdirSync(join(elsewhere, 'dispatch'));
    writeFileSync(
      join(elsewhere, 'dispatch', 'config.yaml'),
      `home: ${join('..', '..', home.split('/').at(-1) ?? '')}\n`,
    );
    const { code, stdout } = await dispatch(['nodes', 'list', '-o', 'name'], {
      cwd: elsewhere,
      env: { XDG_CONFIG_HOME: elsewhere },
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'mac2\n' });
  });

  test.each([
    ['outptu: json\n', 'did you mean "output"?'],
    ['output: jsno\n', 'did you mean json?'],
    ['output: [json]\n', 'output is not a text'],
    ['- a\n', 'not a list of `key: value` lines'],
    ['a: [\n', 'not YAML'],
  ])('a file with %j is refused by its name', async (text, message) => {
    const home = makeHome({ 'dispatch.yaml': text });
    const { code, stderr } = await dispatch(['nodes', 'list'], { cwd: home });
    expect(code).toBe(2);
    expect(stderr).toContain('error[E_CONFIG]');
    expect(stderr).toContain(message);
    expect(stderr).toContain(`where: ${join(home, 'dispatch.yaml')}`);
  });

  test('a variable with a wrong value is refused by its name', async () => {
    const { code, stderr } = await dispatch(['explain'], { env: { DISPATCH_COLOR: 'sometimes' } });
    expect(code).toBe(2);
    expect(stderr).toContain('where: DISPATCH_COLOR');
  });
});

describe('the home', () => {
  test('is found from a directory below it', async () => {
    const home = makeHome({ 'specs/web/.keep': '' });
    const { code, stdout } = await dispatch(['nodes', 'list', '-o', 'name'], {
      cwd: join(home, 'specs', 'web'),
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'mac2\n' });
  });

  test.each([
    ['--home', '/nonexistent/home', 'does not exist'],
    ['--home', '/etc/hostname', 'not a directory'],
  ])('%s %s is refused: it %s', async (flag, path, why) => {
    const { code, stderr } = await dispatch(['nodes', 'list', flag, path]);
    expect(code).toBe(5);
    expect(stderr).toContain(why);
    expect(stderr).toContain(`dispatch init --home ${path}`);
  });

  test('named by DISPATCH_HOME wins over the one that is here', async () => {
    const here = makeHome();
    const named = makeHome({ 'nodes.json': '[{ "name": "other", "local": true }]' });
    const { stdout } = await dispatch(['nodes', 'list', '-o', 'name'], {
      cwd: here,
      env: { DISPATCH_HOME: named },
    });
    expect(stdout).toBe('other\n');
  });
});
