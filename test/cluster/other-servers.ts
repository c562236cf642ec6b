/**
 * SSH servers that are not OpenSSH, on loopback ports of their own. Both look for keys only in the account's home, so they
 * run in bubblewrap with a directory of ours in its place; nothing in ~/.ssh is read or written.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from './sshd.ts';
import { until } from './until.ts';

export type OtherServer = 'dropbear' | 'tinysshd';

export interface RunningServer {
  readonly alias: string;
  /** For `ssh -F` and nodes.json's configFile. */
  readonly configFile: string;
  stop(): Promise<void>;
}

const PROGRAMS: Readonly<Record<OtherServer, readonly string[]>> = {
  dropbear: ['dropbear', 'dropbearkey'],
  tinysshd: ['tinysshd', 'tinysshd-makekey', 'tinysshd-printkey'],
};

/** True when the programs and a sandbox to run them in are here. Tinysshd changes its account, to the same one too, as only root may. */
export function hasServer(kind: OtherServer): boolean {
  if (kind === 'tinysshd' && process.getuid?.() !== 0) return false;
  const there = [...PROGRAMS[kind], 'bwrap'].every((name) => programPath(name) !== null);
  return there && spawnSync('bwrap', ['--bind', '/', '/', 'true']).status === 0;
}

export async function startServer(kind: OtherServer): Promise<RunningServer> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), `dispatch-${kind}-`)));
  const home = join(dir, 'home');
  await mkdir(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  const userKey = join(dir, 'user_key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', userKey]);
  await writeFile(join(home, '.ssh/authorized_keys'), await readFile(`${userKey}.pub`), { mode: 0o600 });
  const port = await freePort();
  const { hostKey, stop } =
    kind === 'dropbear' ? await dropbear(dir, home, port) : await tinysshd(dir, home, port);
  const knownHosts = join(dir, 'known_hosts');
  await writeFile(knownHosts, `[127.0.0.1]:${port} ssh-ed25519 ${hostKey}\n`);
  const configFile = join(dir, 'ssh_config');
  await writeFile(
    configFile,
    [
      `Host ${kind}`,
      'HostName 127.0.0.1',
      `Port ${port}`,
      `User ${userInfo().username}`,
      `IdentityFile ${userKey}`,
      'IdentitiesOnly yes',
      'IdentityAgent none',
      `UserKnownHostsFile ${knownHosts}`,
      'GlobalKnownHostsFile /dev/null',
      '',
    ].join('\n'),
  );
  return {
    alias: kind,
    configFile,
    stop: async () => {
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

interface Started {
  /** In base64, as known_hosts has it. */
  readonly hostKey: string;
  stop(): Promise<void>;
}

async function dropbear(dir: string, home: string, port: number): Promise<Started> {
  const key = join(dir, 'host_key');
  const made = execFileSync(programPath('dropbearkey') ?? '', ['-t', 'ed25519', '-f', key], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const program = programPath('dropbear') ?? '';
  const args = ['-F', '-E', '-s', '-r', key, '-p', `127.0.0.1:${port}`, '-P', join(dir, 'pid')];
  const server = spawn('bwrap', [...caged(home), program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  server.stderr.on('data', (bytes: Buffer) => {
    log += bytes.toString('utf8');
  });
  await until('dropbear listens', () => {
    if (server.exitCode !== null) throw new Error(`dropbear ended: ${log}`);
    return log.includes('Not backgrounding');
  });
  return { hostKey: /ssh-ed25519 (\S+)/.exec(made)?.[1] ?? '', stop: () => ended(server) };
}

/** It serves one connection on its standard input and output, as from inetd; here each gets a socket of ours. */
async function tinysshd(dir: string, home: string, port: number): Promise<Started> {
  const keys = join(dir, 'keys');
  execFileSync(programPath('tinysshd-makekey') ?? '', ['-q', keys]);
  const printed = execFileSync(programPath('tinysshd-printkey') ?? '', [keys], { encoding: 'utf8' });
  const program = programPath('tinysshd') ?? '';
  const children = new Set<ChildProcess>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const child = spawn('bwrap', [...caged(home), program, '-q', keys], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    children.add(child);
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    child.stdin.on('error', () => {});
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
    child.once('exit', () => {
      children.delete(child);
      socket.destroy();
    });
    socket.once('close', () => {
      sockets.delete(socket);
      child.kill();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    hostKey: /ssh-ed25519 (\S+)/.exec(printed)?.[1] ?? '',
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all([...children].map(ended));
    },
  };
}

/** Arguments of bwrap: everything as it is, but for the home; gone with whoever started it. */
function caged(home: string): string[] {
  // A server that changes to the account it serves needs root's rights; bwrap drops them unless told.
  const rights = process.getuid?.() === 0 ? ['--cap-add', 'ALL'] : [];
  // The home that the account has: HOME may say another one.
  const view = ['--bind', '/', '/', '--dev-bind', '/dev', '/dev', '--bind', home, userInfo().homedir];
  return ['--die-with-parent', ...rights, ...view];
}

function programPath(name: string): string | null {
  const dirs = ['/usr/sbin', '/usr/local/sbin', ...(process.env.PATH ?? '').split(':')];
  return dirs.map((dir) => join(dir, name)).find((path) => existsSync(path)) ?? null;
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
