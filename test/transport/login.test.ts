import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { DispatchError } from '../../src/model/error.ts';
import { chooseTransport } from '../../src/transport/choose.ts';
import { nodeConfig, sshReach } from '../cluster/reach.ts';
import { type Sshd, type SshdOptions, startSshd } from '../cluster/sshd.ts';
import { until } from '../cluster/until.ts';

const running: Sshd[] = [];
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  for (const sshd of running.splice(0)) await sshd.stop();
});

describe.each(['ssh2', 'openssh'] as const)('a login over %s', (which) => {
  it('with a key that the server does not know is refused, and says what was tried', async () => {
    const sshd = await start();
    await writeFile(join(sshd.dir, 'authorized_keys'), '');
    const error = await problemOf(sshd, which);
    expect(error?.code).toBe('E_SSH_AUTH');
    expect(error?.fix).toContain('ssh-copy-id box');
    expect(error?.why).toMatch(which === 'ssh2' ? sshd.userKey : /Permission denied/);
  });

  it('to a port where nobody listens is unreachable', async () => {
    const sshd = await start();
    await sshd.halt();
    const error = await problemOf(sshd, which);
    expect(error?.code).toBe('E_NODE_UNREACHABLE');
    expect(error?.why).toMatch(/refused|ECONNREFUSED/);
  });

  it('to a host without an address is unreachable', async () => {
    const sshd = await start();
    const config = await readFile(sshd.configFile, 'utf8');
    const known = await readFile(sshd.knownHosts, 'utf8');
    await writeFile(sshd.configFile, config.replace('127.0.0.1', 'no-such-host.invalid'));
    await writeFile(sshd.knownHosts, known.replace('127.0.0.1', 'no-such-host.invalid'));
    expect((await problemOf(sshd, which))?.code).toBe('E_NODE_UNREACHABLE');
  });

  it('to something that accepts and then says nothing is given up', async () => {
    const sshd = await start({ clientConfig: ['ConnectTimeout 1'] });
    await sshd.halt();
    await listen(sshd.port, () => {});
    const error = await problemOf(sshd, which);
    expect(['E_NODE_TIMEOUT', 'E_NODE_UNREACHABLE']).toContain(error?.code);
  });

  it('to something that is not an ssh server is unreachable', async () => {
    const sshd = await start();
    await sshd.halt();
    await listen(sshd.port, (socket) => socket.end('HTTP/1.0 400 Bad Request\r\n\r\n'));
    expect((await problemOf(sshd, which))?.code).toBe('E_NODE_UNREACHABLE');
  });

  it('to a server that punishes us for refused logins says so, as far as ssh shows it', async () => {
    const sshd = await start();
    await sshd.halt();
    await listen(sshd.port, (socket) => socket.end('Not allowed at this time\r\n'));
    const error = await problemOf(sshd, which);
    expect(error?.code).toBe(which === 'ssh2' ? 'E_SSH_AUTH' : 'E_NODE_UNREACHABLE');
    if (which === 'ssh2') expect(error?.message).toContain('takes no logins from here for a while');
  });

  it('goes through a jump host, whose key is checked as well', async () => {
    const gate = await start({ alias: 'gate' });
    const box = await start();
    await appendFile(box.configFile, `  ProxyJump gate\n${await readFile(gate.configFile, 'utf8')}`);
    expect(await problemOf(box, which)).toBeNull();
    expect(gate.log).toContain('Accepted publickey');

    await gate.replaceHostKey();
    const error = await problemOf(box, which);
    expect(error?.code).toMatch(/E_HOST_KEY_CHANGED|E_HOST_KEY_UNKNOWN/);
    expect(gate.log).not.toContain('Accepted');
  });

  it('behind a jump host ends as soon as either of the two connections does', async () => {
    const gate = await start({ alias: 'gate' });
    const box = await start();
    await appendFile(box.configFile, `  ProxyJump gate\n${await readFile(gate.configFile, 'utf8')}`);
    const { transport } = await chooseTransport(nodeConfig('n', sshReach(box, which)));
    for (const lost of [box, gate]) {
      const stream = await transport.open();
      stream.writable.write('echo up\n');
      await once(stream.readable, 'data');
      lost.killConnections();
      // No keepalive is waited for: whoever stands in between has been told.
      expect((await stream.closed).exitCode).toBeNull();
      stream.close();
      await until('both have let go', () => box.sessions().length + gate.sessions().length === 0);
    }
  });

  it('goes through a ProxyCommand', async () => {
    const gate = await start({ alias: 'gate' });
    const box = await start({ clientConfig: [`ProxyCommand ssh -F ${gate.configFile} -W %h:%p gate`] });
    expect(await problemOf(box, which)).toBeNull();
    expect(gate.log).toContain('Accepted publickey');
  });

  it('uses the agent for a key with a passphrase', async () => {
    const sshd = await start();
    const agent = await startAgent(join(sshd.dir, 'agent.sock'));
    execFileSync('ssh-add', ['-q', sshd.userKey], {
      env: { ...process.env, SSH_AUTH_SOCK: agent },
      stdio: 'ignore',
    });
    // Keys that the server does not want must not use up its tries.
    for (let i = 0; i < 8; i += 1) {
      const other = join(sshd.dir, `other-${i}`);
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
      execFileSync('ssh-add', ['-q', other], {
        env: { ...process.env, SSH_AUTH_SOCK: agent },
        stdio: 'ignore',
      });
    }
    execFileSync('ssh-keygen', ['-q', '-p', '-N', 'secret', '-f', sshd.userKey]);
    const locked = await problemOf(sshd, which);
    expect(locked?.code).toBe('E_SSH_AUTH');
    if (which === 'ssh2') expect(locked?.why).toContain('has a passphrase');

    const config = await readFile(sshd.configFile, 'utf8');
    await writeFile(sshd.configFile, config.replace('IdentityAgent none', `IdentityAgent ${agent}`));
    expect(await problemOf(sshd, which)).toBeNull();
  });

  it('works with a login shell that prints and a server that allows one session', async () => {
    const sshd = await start({ maxSessions: 1 });
    await writeFile(join(sshd.home, '.bashrc'), 'echo "Welcome! You have mail."\n');
    expect(await problemOf(sshd, which)).toBeNull();
  });
});

describe('a login over system ssh', () => {
  it('goes through the control socket of a master that the user keeps', async () => {
    const sshd = await start({ maxSessions: 4 });
    const socket = join(sshd.dir, 'ctl');
    const master = spawn('ssh', ['-F', sshd.configFile, '-M', '-N', '-S', socket, 'box'], {
      stdio: 'ignore',
    });
    cleanups.push(() => master.kill());
    await check(() =>
      execFileSync('ssh', ['-F', sshd.configFile, '-S', socket, '-O', 'check', 'box'], { stdio: 'ignore' }),
    );
    // The socket is there a moment before this process has read sshd's line.
    await until('the login is in the log', () => count(sshd.log, 'Accepted publickey') === 1);
    const { transport } = await chooseTransport(nodeConfig('n', { ...sshReach(sshd), socket }));
    const stream = await transport.open();
    stream.readable.resume();
    stream.writable.write('exit 0\n');
    expect((await stream.closed).problem).toBeNull();
    expect(count(sshd.log, 'Accepted publickey')).toBe(1);
  });
});

async function start(options: SshdOptions = {}): Promise<Sshd> {
  const sshd = await startSshd(options);
  running.push(sshd);
  return sshd;
}

/** What stops a connection, or null when a shell answered. */
async function problemOf(sshd: Sshd, which: 'ssh2' | 'openssh'): Promise<DispatchError | null> {
  const { transport } = await chooseTransport(nodeConfig('n', sshReach(sshd, which)));
  try {
    const stream = await transport.open();
    stream.writable.write('echo through; exit 0\n');
    let text = '';
    for await (const bytes of stream.readable) text += String(bytes);
    const { problem, reason } = await stream.closed;
    if (problem === null) expect(text, reason).toContain('through\n');
    return problem;
  } catch (error) {
    return error as DispatchError;
  }
}

async function listen(port: number, onSocket: (socket: import('node:net').Socket) => void): Promise<Server> {
  const sockets = new Set<import('node:net').Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return server;
}

async function startAgent(socket: string): Promise<string> {
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  cleanups.push(() => agent.kill());
  await check(() => {
    try {
      execFileSync('ssh-add', ['-l'], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
    } catch (error) {
      // 1: the agent answers and has no keys.
      if ((error as { status?: number }).status !== 1) throw error;
    }
  });
  return socket;
}

async function check(works: () => void): Promise<void> {
  const deadline = performance.now() + 90_000;
  for (;;) {
    try {
      return works();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
