/** The packed tarball, installed as a user installs it. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endWorker } from './worker-end.ts';

const PROJECT_ROOT = resolve(import.meta.dirname, '../..');
const dir = mkdtempSync(join(tmpdir(), 'dcl-install-'));
/** Where the installed copy looks for it. */
const LIBRARY = join(
  dir,
  'prefix/lib/node_modules/dispatch/node_modules/better-sqlite3/build/Release/better_sqlite3.node',
);
/** npm's own words when there is no network, or a registry that cannot serve, and the cache lacks something. */
const NO_NETWORK =
  /\b(?:EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENOTCACHED|E429|E5\d\d|\w*CERT\w*)\b|network/u;
let noNetwork = false;

/**
 * npm packs a copy, so that the checkout's own dist/ stays as it is. Install scripts stay off, and the compiled SQLite
 * library of this checkout is put in place afterwards: compiling it again would take a minute and prove nothing of ours.
 */
beforeAll(() => {
  const copy = join(dir, 'copy');
  mkdirSync(copy);
  for (const name of [
    'package.json',
    '.npmrc',
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'bootstrap',
    'schemas',
    'scripts',
    'src',
    'task-wrapper',
    'test',
    'tsconfig.json',
  ]) {
    if (existsSync(join(PROJECT_ROOT, name)))
      cpSync(join(PROJECT_ROOT, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(copy, 'node_modules'));
  const packed = npm(copy, ['pack', '--pack-destination', dir]);
  expect(packed.status, packed.stderr).toBe(0);
  const tarball = readdirSync(dir).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`npm packed nothing: ${packed.stderr}`);
  const installed = npm(dir, [
    'install',
    '--global',
    '--prefix',
    join(dir, 'prefix'),
    '--ignore-scripts',
    '--prefer-offline',
    '--fetch-retries=1',
    '--fetch-timeout=30000',
    '--no-audit',
    '--no-fund',
    join(dir, tarball),
  ]);
  // One that waits for the registry until its time is over has said nothing.
  noNetwork = installed.status === null || (installed.status !== 0 && NO_NETWORK.test(installed.stderr));
  if (!noNetwork) expect(installed.status, installed.stderr).toBe(0);
}, 600_000);

afterAll(() => rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

describe('npm pack, npm install --global', () => {
  test('gives a dispatch that says its version', ({ skip }) => {
    skip(noNetwork, 'npm reaches no registry here');
    const { status, stdout } = dispatch(dir, ['--version']);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '0.1.0\n' });
  });

  test('brings bootstrap.sh along for machines that are no nodes yet', ({ skip }) => {
    skip(noNetwork, 'npm reaches no registry here');
    const { status, stdout } = dispatch(dir, ['nodes', 'bootstrap', '--script']);
    expect(status).toBe(0);
    expect(stdout).toBe(readFileSync(join(PROJECT_ROOT, 'bootstrap/bootstrap.sh'), 'utf8'));
  });

  test('where the SQLite library was not compiled: start and doctor say so, and what builds it', ({
    skip,
  }) => {
    skip(noNetwork, 'npm reaches no registry here');
    rmSync(LIBRARY, { force: true });
    const home = freshHome('unbuilt');
    expect(dispatch(home, ['init', 'chores']).status).toBe(0);
    const started = dispatch(home, ['start', 'chores']);
    expect(started.status).toBe(5);
    expect(started.stderr).toContain('error[E_SQLITE_MISSING] the SQLite library is not built for Node.js');
    const fix = `cd ${join(dir, 'prefix/lib/node_modules/dispatch')} && npm rebuild better-sqlite3`;
    expect(started.stderr).toContain(`fix: ${fix}`);
    expect(started.stderr.split('\n').length).toBeLessThan(6);
    expect(dispatch(home, ['doctor']).stdout).toContain(fix);
  });

  test('that makes a home, validates it and runs it, with its own copy of the program for nodes', ({
    skip,
  }) => {
    skip(noNetwork, 'npm reaches no registry here');
    putLibrary();
    const home = freshHome('built');
    const made = dispatch(home, ['init', 'chores']);
    expect(made.status).toBe(0);
    expect(made.stdout).toContain('nodes.json');
    const valid = dispatch(home, ['validate', 'chores']);
    expect(valid.status).toBe(0);
    const root = join(home, 'worker');
    writeFileSync(join(home, 'nodes.json'), JSON.stringify([{ name: 'here', local: true, root }]));
    const started = dispatch(home, ['start', 'chores']);
    endWorker(root);
    expect(started.status, started.stderr).toBe(0);
    expect(started.stdout).toContain('1/1 merged');
  });
});

function putLibrary(): void {
  const from = dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json'));
  mkdirSync(dirname(LIBRARY), { recursive: true });
  copyFileSync(join(from, 'build/Release/better_sqlite3.node'), LIBRARY);
}

function freshHome(name: string): string {
  const home = join(dir, name);
  mkdirSync(home);
  return home;
}

function dispatch(
  cwd: string,
  args: readonly string[],
): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, HOME: dir };
  return spawnSync(join(dir, 'prefix/bin/dispatch'), args, { cwd, env, encoding: 'utf8', timeout: 180_000 });
}

function npm(cwd: string, args: readonly string[]): { status: number | null; stderr: string } {
  // What the npm that runs the tests has set for them is not for this one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:npm_|INIT_CWD)/u.test(name)),
  );
  return spawnSync('npm', args, { cwd, env, encoding: 'utf8', timeout: 280_000 });
}
