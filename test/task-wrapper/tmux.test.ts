import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silenced } from '../../task-wrapper/login-records.ts';
import { openRoot, type Root } from '../../task-wrapper/root.ts';
import { applyConfig, SUPERVISOR, Tmux, tmux, writeConfig } from '../../task-wrapper/tmux.ts';
import { until } from './client.ts';

const REAL = execFileSync('/bin/sh', ['-c', 'command -v tmux'], { encoding: 'utf8' }).trim();

let root: Root;
let server: Tmux;
let changes: number;
let lost: number;
let told: string[];
beforeEach(async () => {
  root = openRoot(mkdtempSync(join(tmpdir(), 'tw-tmux-')));
  writeConfig(root);
  changes = 0;
  lost = 0;
  told = [];
  await tmux(root, ['new-session', '-d', '-s', SUPERVISOR, 'sleep', '300']);
  server = new Tmux(root, {
    onChange: () => {
      changes += 1;
    },
    onLost: () => {
      lost += 1;
    },
    tell: (fact) => told.push(fact.type),
  });
  server.connect();
  await until(() => clients().length === 1);
});
afterEach(() => {
  vi.unstubAllEnvs();
  server.close();
  try {
    execFileSync('tmux', ['-S', root.tmuxSocket, 'kill-server'], { stdio: 'ignore' });
  } catch {
    // It has been killed by the test.
  }
  rmSync(root.path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

function clients(): string[] {
  return execFileSync('tmux', ['-S', root.tmuxSocket, 'list-clients', '-F', '#{client_pid}'], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter((line) => line !== '');
}

test('a session that is asked for twice is there once, by either way', async () => {
  await server.newSession('d_one', ['sleep', '300']);
  await server.newSession('d_one', ['sleep', '300']);
  process.kill(Number(clients()[0]), 'SIGKILL');
  await server.newSession('d_one', ['sleep', '300']);
  await server.newSession('d_two', ['sleep', '300']);
  expect((await server.sessions()).map((line) => line.split(' ')[1]).sort()).toEqual([
    'd_one',
    'd_two',
    SUPERVISOR,
  ]);
  // The client comes back by itself, because the session that it lives in is there.
  await until(() => clients().length === 1);
  expect(lost).toBe(0);
});

test('a name is never taken for the beginning of another', async () => {
  await server.newSession('d_abc', ['sleep', '300']);
  expect(await server.hasSession('d_abc')).toBe(true);
  expect(await server.hasSession('d_ab')).toBe(false);
  await server.killSession('d_ab');
  expect(await server.hasSession('d_abc')).toBe(true);
});

test('many commands at once are answered in order', async () => {
  const names = Array.from({ length: 50 }, (_, index) => `d_${index}`);
  await Promise.all(names.map((name) => server.newSession(name, ['sleep', '300'])));
  const there = await Promise.all([...names, 'd_50'].map((name) => server.hasSession(name)));
  expect(there).toEqual([...names.map(() => true), false]);
});

test('words that tmux would interpret go another way and stay words', async () => {
  const out = join(root.path, 'out');
  await server.newSession('d_words', [
    '/bin/sh',
    '-c',
    `printf %s "$1" > ${out}`,
    'sh',
    `#(touch ${root.path}/canary); kill-server "x' $HOME`,
  ]);
  await until(() => existsSync(out) && readFileSync(out, 'utf8') !== '');
  expect(readFileSync(out, 'utf8')).toBe(`#(touch ${root.path}/canary); kill-server "x' $HOME`);
  expect(existsSync(`${root.path}/canary`)).toBe(false);
});

test('a session that ends is noticed, and so is the end of the server', async () => {
  await server.newSession('d_short', ['true']);
  await until(() => changes > 0);
  process.kill(Number(await tmux(root, ['display-message', '-p', '#{pid}'])), 'SIGKILL');
  await until(() => lost === 1);
});

test('a socket that a cleaner removed comes back, the sessions stay, and both are told', async () => {
  const pid = await tmux(root, ['display-message', '-p', '#{pid}']);
  rmSync(root.tmuxSocket);
  await until(() => told.length === 2);
  expect(told).toEqual(['tmux.lost', 'tmux.mended']);
  expect(await tmux(root, ['display-message', '-p', '#{pid}'])).toBe(pid);
  expect(lost).toBe(0);
  // Both at once: without its client the supervisor must not take the server for dead.
  const attached = clients().map(Number);
  rmSync(root.tmuxSocket);
  for (const client of attached) process.kill(client, 'SIGKILL');
  await until(() => told.length === 4 && clients().length === 1);
  expect(lost).toBe(0);
  expect(await tmux(root, ['display-message', '-p', '#{pid}'])).toBe(pid);
});

test('a socket that is lost as soon as the client attached comes back all the same', async () => {
  server.close();
  await until(() => clients().length === 0);
  // Whoever asks over the socket, and not over the line that stands, comes too late.
  const late = join(root.path, 'late');
  mkdirSync(late);
  const script = `#!/bin/sh\ncase "$*" in *display-message*) exit 1 ;; esac\nexec ${REAL} "$@"\n`;
  writeFileSync(join(late, 'tmux'), script, { mode: 0o700 });
  vi.stubEnv('PATH', `${late}:${process.env['PATH']}`);
  server = new Tmux(root, { onChange: () => {}, onLost: () => {}, tell: (fact) => told.push(fact.type) });
  server.connect();
  await until(() => clients().length === 1);
  rmSync(root.tmuxSocket);
  await until(() => told.length === 2);
  expect(told).toEqual(['tmux.lost', 'tmux.mended']);
});

const hasRecorder = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64'].some((dir) =>
  existsSync(`${dir}/libutempter.so.0`),
);

test.skipIf(!hasRecorder)(
  'panes are not recorded as logins, and what runs in them does not see how (skipped where tmux records none)',
  async () => {
    const server = await tmux(root, ['display-message', '-p', '#{pid}']);
    const maps = readFileSync(`/proc/${server.trim()}/maps`, 'utf8');
    expect(maps).toContain(`${root.run}/lib/libutempter.so.0`);
    const out = join(root.path, 'env');
    await tmux(root, [
      'new-session',
      '-d',
      '-s',
      'd_env',
      '/bin/sh',
      '-c',
      `env > ${out}.new; mv ${out}.new ${out}`,
    ]);
    await until(() => existsSync(out));
    expect(readFileSync(out, 'utf8')).toContain('TERM=screen');
    expect(readFileSync(out, 'utf8')).not.toContain('LD_LIBRARY_PATH');
  },
);

test('a file that is not the library is left alone', () => {
  expect(silenced(Buffer.from(''))).toBeNull();
  expect(silenced(Buffer.from('#!/bin/sh\n'))).toBeNull();
  // An ELF file that has none of the names: the shell's own interpreter.
  expect(silenced(readFileSync(process.platform === 'linux' ? '/bin/sh' : '/dev/null'))).toBeNull();
});

test('a server that a service keeps running gets the configuration, and stays when the last session ends', async () => {
  const other = openRoot(mkdtempSync(join(tmpdir(), 'tw-tmux-')));
  const show = (...args: string[]): string =>
    execFileSync('tmux', ['-S', other.tmuxSocket, ...args], { encoding: 'utf8' }).trim();
  writeConfig(other);
  const service = spawn('tmux', ['-D', '-S', other.tmuxSocket, '-f', '/dev/null'], { stdio: 'ignore' });
  try {
    await until(() => existsSync(other.tmuxSocket));
    await applyConfig(other);
    expect(show('show', '-gv', 'default-size')).toBe('200x50');
    await tmux(other, ['new-session', '-d', '-s', 'd_one', 'true']);
    await until(() => show('list-sessions') === '');
    expect(service.exitCode).toBe(null);
  } finally {
    service.kill('SIGKILL');
    rmSync(other.path, { recursive: true, force: true });
  }
});

test('without a server there is nothing to configure, and none is started for it', async () => {
  const other = openRoot(mkdtempSync(join(tmpdir(), 'tw-tmux-')));
  writeConfig(other);
  await applyConfig(other);
  expect(existsSync(other.tmuxSocket)).toBe(false);
  rmSync(other.path, { recursive: true, force: true });
});
