/**
 * The servers of the demo, on loopback: an OpenSSH server, which makes this machine a second node, and the stand-in for a
 * model. They outlive the demo, so that its home can be looked around in, end by themselves after an hour, and are ended by
 * process id when the demo runs again or is cleaned.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/cluster/sshd.ts';
import { ALIAS, DEMO, NODES, nodeRoot, ROOT } from './place.ts';

/** Nothing is left behind by accident for longer than this. Seconds. */
const LIFE = 3600;
const PIDS = join(DEMO, 'pids');
const SSH = join(DEMO, 'ssh');

/** What ssh has to know to reach the server: a configuration file with one alias. */
export const SSH_CONFIG = join(SSH, 'config');

/** An OpenSSH server with its own host key, user key and configuration; nothing in ~/.ssh is read or written. */
export async function startSshd(): Promise<void> {
  mkdirSync(SSH, { recursive: true, mode: 0o700 });
  const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'].find((file) =>
    existsSync(file),
  );
  if (sshd === undefined) throw new Error('sshd is missing: run `make setup`');
  const port = await freePort();
  for (const key of ['host_key', 'user_key']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(SSH, key)]);
  }
  writeFileSync(join(SSH, 'authorized_keys'), readFileSync(join(SSH, 'user_key.pub')), { mode: 0o600 });
  writeFileSync(join(SSH, 'sshd_config'), serverConfig(port));
  writeFileSync(SSH_CONFIG, clientConfig(port));
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const command = [sshd, '-D', '-e', '-f', join(SSH, 'sshd_config')];
  await serve(command, join(SSH, 'sshd.log'), /Server listening/u);
}

/**
 * The model server of the tests. It says each of the answers once, and answers by rule from then on.
 * @returns its address.
 */
export async function startModel(answers: readonly unknown[]): Promise<string> {
  const dir = join(DEMO, 'model');
  mkdirSync(dir, { recursive: true });
  const files = answers.map((answer, index) => {
    const file = `answer-${index + 1}.json`;
    writeFileSync(join(dir, file), JSON.stringify(answer));
    return file;
  });
  writeFileSync(join(dir, 'behave'), [...files.map((file) => `say:${file}`), 'work'].join('\n'));
  const command = [process.execPath, join(ROOT, 'test', 'agents', 'model-server.mjs'), dir];
  const said = await serve(command, join(dir, 'server.log'), /^\d+$/mu);
  return `http://127.0.0.1:${said}`;
}

/** Ends the servers of an earlier demo, and its nodes' tmux servers. */
export function endAll(): void {
  const pids = existsSync(PIDS) ? readFileSync(PIDS, 'utf8').split('\n').filter(Boolean) : [];
  for (const pid of pids) end(Number(pid));
  for (const node of NODES) {
    const socket = join(nodeRoot(node), 'run', 'tmux.sock');
    if (existsSync(socket)) spawnSync('tmux', ['-S', socket, 'kill-server'], { stdio: 'ignore' });
  }
}

/** Starts a program that stays, and waits until its log says that it is ready. @returns what that says. */
async function serve(command: readonly string[], log: string, ready: RegExp): Promise<string> {
  const [program = '', ...args] = command;
  const out = openSync(log, 'a');
  const child = spawn(program, args, { detached: true, stdio: ['ignore', out, out] });
  const life = `sleep ${LIFE}; kill ${child.pid} 2>/dev/null`;
  const timer = spawn('/bin/sh', ['-c', life, 'demo', DEMO], { detached: true, stdio: 'ignore' });
  appendFileSync(PIDS, `${child.pid}\n${timer.pid}\n`);
  child.unref();
  timer.unref();
  return await said(child, log, ready);
}

async function said(child: ChildProcess, log: string, ready: RegExp): Promise<string> {
  for (const last = performance.now() + 10_000; performance.now() < last; ) {
    const found = ready.exec(readFileSync(log, 'utf8'));
    if (found !== null) return found[0];
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${child.spawnfile} did not start: ${readFileSync(log, 'utf8')}`);
}

/** Ends a process and its group by id, if that id still belongs to something that the demo started. */
function end(pid: number): void {
  const args = spawnSync('ps', ['-o', 'args=', '-ww', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  if (!args.includes(DEMO)) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    process.kill(pid, 'SIGTERM');
  }
}

function serverConfig(port: number): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(SSH, 'host_key')}`,
    `AuthorizedKeysFile ${join(SSH, 'authorized_keys')}`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'StrictModes no',
    'UsePAM no',
    `PidFile ${join(SSH, 'sshd.pid')}`,
    '',
  ].join('\n');
}

function clientConfig(port: number): string {
  return [
    `Host ${ALIAS}`,
    '  HostName 127.0.0.1',
    `  Port ${port}`,
    `  IdentityFile ${join(SSH, 'user_key')}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${join(SSH, 'known_hosts')}`,
    '  GlobalKnownHostsFile /dev/null',
    '',
  ].join('\n');
}
