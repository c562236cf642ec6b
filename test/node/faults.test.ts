/** An ssh server that misbehaves on purpose: what sshd never does, and a broken one may. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import ssh2, { type Connection, type Server, type ServerChannel } from 'ssh2';
import { connectNode } from '../../src/node/connect.ts';
import { chooseTransport } from '../../src/transport/choose.ts';
import { nodeConfig } from '../cluster/reach.ts';
import { until } from '../cluster/until.ts';
import { peerProgram } from './peer.ts';

let dir: string;
let server: Server | null = null;
const sockets = new Set<Socket>();
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dispatch-faults-'));
  for (const name of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, name)]);
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server?.close();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

describe('a server that', () => {
  it('lets us in and never answers a command is given up at the deadline, and the connection closed', async () => {
    await serve(() => {});
    await expect(connect(400)).rejects.toMatchObject({ code: 'E_NODE_TIMEOUT' });
    await until('the connection is closed', () => sockets.size === 0);
  });

  it('refuses commands says so', async () => {
    await serve((_accept, reject) => reject());
    await expect(connect()).rejects.toMatchObject({ code: 'E_NODE_SHELL' });
    await until('the connection is closed', () => sockets.size === 0);
  });

  it('drops the connection in the middle of the script is no answer', async () => {
    await serve((accept, _reject, client) => {
      accept().write('half an ans');
      setImmediate(() => client.end());
    });
    await expect(connect()).rejects.toMatchObject({
      code: 'E_NODE_SHELL',
      why: expect.stringContaining('half an ans'),
    });
  });

  it('sends garbage instead of ssh packets is unreachable', async () => {
    await serve((accept) => {
      accept();
      for (const socket of sockets) socket.write(Buffer.alloc(4096, 0x41));
    });
    await expect(connect(3000)).rejects.toMatchObject({ name: 'DispatchError' });
    await until('the connection is closed', () => sockets.size === 0);
  });

  it('closes the channel and keeps the connection is left', async () => {
    await serve((accept) => {
      const channel = accept();
      channel.exit(9);
      channel.end();
    });
    await expect(connect()).rejects.toMatchObject({
      code: 'E_NODE_SHELL',
      why: expect.stringContaining('exit code 9'),
    });
    await until('the connection is closed', () => sockets.size === 0);
  });
});

type OnExec = (accept: () => ServerChannel, reject: () => void, client: Connection) => void;

async function serve(onExec: OnExec): Promise<void> {
  const made = new ssh2.Server({ hostKeys: [await readFile(join(dir, 'host'))] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => context.accept());
    client.on('ready', () => {
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec, reject) => onExec(acceptExec, reject, client));
      });
    });
  });
  server = made;
  (
    made as unknown as { _srv: { on(event: 'connection', listener: (socket: Socket) => void): void } }
  )._srv.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const address = made.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const { port } = address;
  const [type, key] = (await readFile(join(dir, 'host.pub'), 'utf8')).split(' ');
  await writeFile(join(dir, 'known'), `[127.0.0.1]:${port} ${type} ${key}\n`);
  await writeFile(
    join(dir, 'config'),
    `Host box\n HostName 127.0.0.1\n Port ${port}\n IdentityFile ${join(dir, 'user')}\n IdentitiesOnly yes\n UserKnownHostsFile ${join(dir, 'known')}\n`,
  );
}

async function connect(timeoutMs = 20_000): Promise<unknown> {
  const { transport } = await chooseTransport(
    nodeConfig('n1', {
      by: 'ssh',
      target: 'box',
      transport: 'ssh2',
      socket: null,
      configFile: join(dir, 'config'),
    }),
  );
  return connectNode(transport, { name: 'n1', root: null, program: await peerProgram(), timeoutMs });
}
