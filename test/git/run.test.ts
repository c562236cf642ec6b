import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { git, GitError, gitVersion, requireGit } from '../../src/git/run.ts';
import { isAlive } from '../cluster/processes.ts';
import { until } from '../cluster/until.ts';
import { lateWhen } from '../late.ts';
import { Repo, scratch } from './repo.ts';

afterEach(() => vi.unstubAllEnvs());

/** Puts a program called git first on the PATH. */
async function fakeGit(script: string): Promise<string> {
  const bin = join(scratch(), 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'git'), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, 'git'), 0o755);
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
  return bin;
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

async function failure(work: Promise<unknown>): Promise<GitError> {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof GitError)) throw error;
  return error;
}

describe('starting git', () => {
  test('an exit code that is not an answer is an error with the arguments and the last words', async () => {
    const error = await failure(git(['rev-parse', '--verify', 'nothing'], { gitDir: '/nowhere' }));
    expect(error).toMatchObject({ why: 'exit', code: 128, argv: ['rev-parse', '--verify', 'nothing'] });
    expect(error.message).toMatch(/^git rev-parse: exit 128: fatal: not a git repository/);
    expect((await git(['rev-parse'], { gitDir: '/nowhere', okCodes: [128] })).code).toBe(128);
  });

  test('a missing git and a missing directory are told apart', async () => {
    const error = await failure(git(['--version'], { cwd: '/no/such/place' }));
    expect(error).toMatchObject({ why: 'spawn' });
    expect(error.message).toContain('/no/such/place');
    vi.stubEnv('PATH', scratch());
    await expect(gitVersion()).rejects.toMatchObject({ code: 'E_GIT_MISSING' });
  });

  test('a git that is too old is refused by name', async () => {
    await fakeGit('echo "git version 2.37.9 (Apple Git-1)"');
    await expect(requireGit()).rejects.toMatchObject({
      code: 'E_GIT_TOO_OLD',
      message: 'git 2.37.9 is too old',
    });
    await fakeGit('echo "git version 2.38.0"');
    expect(await requireGit()).toEqual({ major: 2, minor: 38, text: '2.38.0' });
  });

  test('past the deadline git and everything that it started is ended', async () => {
    const dir = scratch();
    await fakeGit(`sleep 600 & echo $! > ${dir}/child; echo $$ > ${dir}/git; wait`);
    const pids = (): number[] =>
      ['child', 'git'].map((name) => Number(/^(\d+)\n/u.exec(readIfThere(join(dir, name)))?.[1]));
    const error = await lateWhen(
      () => !pids().some(Number.isNaN),
      3000,
      () => failure(git(['x'], { timeoutMs: 3000 })),
    );
    expect(error.why).toBe('timeout');
    await until('both are gone', () => !pids().some(isAlive));
  });

  test('more output than asked for ends git', async () => {
    await fakeGit('exec yes');
    expect((await failure(git(['x'], { maxBytes: 100_000 }))).why).toBe('too-much-output');
  });

  test('a git that does not read its input is not a failure', async () => {
    await fakeGit('exit 0');
    expect((await git(['x'], { input: Buffer.alloc(10_000_000) })).code).toBe(0);
    expect((await git(['x'], { input: Readable.from([Buffer.alloc(10_000_000)]) })).code).toBe(0);
  });

  test('input comes from a text, bytes or a stream', async () => {
    const expected = (await git(['hash-object', '--stdin'], { input: 'hello' })).stdout.toString();
    expect((await git(['hash-object', '--stdin'], { input: Buffer.from('hello') })).stdout.toString()).toBe(
      expected,
    );
    const stream = Readable.from([Buffer.from('hel'), Buffer.from('lo')]);
    expect((await git(['hash-object', '--stdin'], { input: stream })).stdout.toString()).toBe(expected);
  });

  test('no variable of the caller’s git reaches git, and others do', async () => {
    await fakeGit('env');
    vi.stubEnv('GIT_DIR', '/evil');
    vi.stubEnv('GIT_INDEX_FILE', '/evil');
    vi.stubEnv('GIT_EXTERNAL_DIFF', 'evil');
    vi.stubEnv('GIT_ALLOW_PROTOCOL', 'ext');
    vi.stubEnv('LANGUAGE', 'de');
    vi.stubEnv('KEPT', 'yes');
    const seen = (await git(['x'], { env: { EXTRA: '1', GIT_EDITOR: undefined } })).stdout.toString();
    expect(seen).not.toMatch(/evil|ALLOW_PROTOCOL|LANGUAGE|GIT_EDITOR/);
    expect(seen).toMatch(/^KEPT=yes$/m);
    expect(seen).toMatch(/^EXTRA=1$/m);
    expect(seen).toMatch(/^GIT_CONFIG_GLOBAL=\/dev\/null$/m);
  });

  test('a transport that was not named is not used', async () => {
    const repo = await Repo.create();
    await repo.commit({ 'a.txt': 'a\n' });
    const error = await failure(git(['ls-remote', repo.dir]));
    expect(error.stderr).toContain("transport 'file' not allowed");
    expect((await git(['ls-remote', repo.dir], { protocols: ['file'] })).code).toBe(0);
    const ext = await failure(git(['ls-remote', 'ext::sh -c id'], { protocols: ['file', 'ssh', 'https'] }));
    expect(ext.stderr).toContain("transport 'ext' not allowed");
  });

  test('a bare repository that happens to lie around is not used', async () => {
    const root = scratch();
    await git(['init', '-q', '--bare', root]);
    expect((await failure(git(['rev-parse', '--git-dir'], { cwd: root }))).stderr).toMatch(
      /cannot use bare repository/,
    );
    expect((await git(['rev-parse', '--git-dir'], { gitDir: root })).code).toBe(0);
  });

  test('it runs in a session of its own, where no terminal can be asked', async () => {
    await fakeGit('ps -o sid= -p $$ | tr -d " "; echo $$; (: < /dev/tty) 2>/dev/null && echo tty; exit 0');
    const [session, pid, tty] = (await git(['x'])).stdout.toString().trim().split('\n');
    expect(session).toBe(pid);
    expect(tty).toBeUndefined();
  });
});
