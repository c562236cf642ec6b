/** bootstrap.sh as a text: whole or nothing, clean, and in the words of an old bash. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import fc from '../property.ts';
import { SCRIPT } from './machine.ts';

const text = readFileSync(SCRIPT);
const BASH = execFileSync('sh', ['-c', 'command -v bash'], { encoding: 'utf8' }).trim();

describe('a script that was cut off', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'dispatch-cut-'));
    for (const name of ['home', 'bin', 'system', 'work']) mkdirSync(join(dir, name));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  /** There is no program at all in its PATH, so nothing could happen even if it began. */
  const run = (script: Buffer) =>
    spawnSync(BASH, ['-s', '--', '--help'], {
      cwd: join(dir, 'work'),
      input: script,
      env: {
        PATH: join(dir, 'bin'),
        HOME: join(dir, 'home'),
        DISPATCH_BOOTSTRAP_SYSTEM: join(dir, 'system'),
      },
      encoding: 'utf8',
    });
  const doesNothing = (length: number): void => {
    const { status, stdout, stderr } = run(text.subarray(0, length));
    // Only bash says something: that the rest is missing.
    const words = stderr.split('\n').filter((line) => line !== '' && !line.startsWith(`${BASH}: line `));
    expect({ length, stdout, words, failed: status !== 0 }).toEqual({
      length,
      stdout: '',
      words: [],
      failed: true,
    });
  };

  const first = text.indexOf('\n{\n') + 2;

  test('does nothing, wherever the cut is', () => {
    fc.assert(fc.property(fc.integer({ min: first, max: text.length - 2 }), doesNothing), { numRuns: 40 });
    // The last lines are where a cut could leave something that runs.
    for (let length = text.length - 60; length < text.length - 1; length++) doesNothing(length);
    // Before the group there are a comment, and one command that only ends what is no bash.
    for (let length = text.indexOf('\n[') - 20; length < first; length++)
      expect({ length, stdout: run(text.subarray(0, length)).stdout }).toEqual({ length, stdout: '' });
    expect(readdirSync(join(dir, 'home'))).toEqual([]);
    expect(readdirSync(join(dir, 'work'))).toEqual([]);
  });

  test('and one that was not, runs', () => {
    writeFileSync(join(dir, 'bin', 'cat'), '#!/bin/sh\nexec /bin/cat "$@"\n', { mode: 0o755 });
    writeFileSync(join(dir, 'bin', 'id'), '#!/bin/sh\necho somebody\n', { mode: 0o755 });
    expect(run(text)).toMatchObject({ status: 0, stdout: expect.stringContaining('--tune-sshd') });
    expect(run(text.subarray(0, text.length - 1)).status).toBe(0);
    rmSync(join(dir, 'bin', 'cat'));
    rmSync(join(dir, 'bin', 'id'));
  });
});

test('another shell than bash is told so, and nothing else happens', ({ skip }) => {
  const isBash = spawnSync('/bin/sh', ['-c', 'test -n "$BASH_VERSION"']).status === 0;
  skip(isBash, 'sh is bash here');
  const { status, stdout, stderr } = spawnSync('/bin/sh', [SCRIPT, '--name', 'x'], {
    encoding: 'utf8',
    env: { PATH: '/nonexistent' },
  });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain('run it with bash');
});

test('shellcheck finds nothing', ({ skip }) => {
  const { status, stdout, error } = spawnSync('shellcheck', [SCRIPT], { encoding: 'utf8' });
  skip(error !== undefined, 'shellcheck is not installed here');
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

test('there is nothing in it that the bash of macOS (3.2) does not know', () => {
  const newer =
    /declare -[Ang]|local -[Ang]|\bmapfile\b|\breadarray\b|\bcoproc\b|\$\{[A-Za-z_]+(?:,,|\^\^|@[A-Z])|\|&|&>>|\[\[ -v|printf [^\n]*%\([^\n]*\)T|wait -n/u;
  const lines = text
    .toString('utf8')
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'));
  expect(lines.filter((line) => newer.test(line))).toEqual([]);
});

test('--help says every option that it takes', () => {
  const { stdout, status } = spawnSync('bash', [SCRIPT, '--help'], { encoding: 'utf8' });
  expect(status).toBe(0);
  const parse = text.toString('utf8').split(/^(?:parse|take)\(\) \{$/mu)[1] ?? '';
  const taken = new Set(parse.match(/(?<=^ {6}| \| )--[a-z-]+(?=\)| \|)/gmu));
  expect(taken.size).toBeGreaterThan(15);
  for (const option of taken) expect(stdout).toContain(option);
});

test.each([
  [['--nmae', 'x'], 'there is no option --nmae'],
  [['--name'], '--name needs a value'],
  [['--name', '../x'], '--name takes'],
  [['--name', 'x', '--slots', '0'], '--slots takes'],
  [['--name', 'x', '--slots', '1025'], '--slots takes'],
  [['--name', 'x', '--mode', 'a b'], '--mode takes'],
  [['--name', 'x', '--user', 'root'], 'agents refuse to run as root'],
  [['--name', 'x', '--root', '/srv/../etc'], '--root has no ..'],
  [['--name', 'x', '--root', '/srv/$(id)'], '--root takes'],
  [['--name', 'x', '--address', '-oProxyCommand=x'], '--address takes'],
  [['--name', 'x', '--registry', 'ftp://x'], '--registry takes'],
  [['--name', 'x', '--authorize', '/nonexistent/keys'], '--authorize'],
])('refuses %j before it looks at anything', (args, words) => {
  const { status, stderr } = spawnSync('bash', [SCRIPT, '--check', ...args], { encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain(words);
});
