import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseTransport } from '../../src/transport/choose.ts';
import { CommandTransport } from '../../src/transport/command.ts';
import { LocalTransport } from '../../src/transport/local.ts';
import type { ByteStream, Transport } from '../../src/transport/transport.ts';
import { nodeConfig, sshReach } from '../cluster/reach.ts';
import { type Sshd, startSshd } from '../cluster/sshd.ts';
import { until } from '../cluster/until.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd({ maxSessions: 1 });
});
afterAll(() => sshd.stop());

const transports: readonly (readonly [string, () => Promise<Transport>])[] = [
  ['a local child process', async () => new LocalTransport()],
  ['a command', async () => new CommandTransport(['env', 'MARK=1'])],
  ['ssh2', async () => (await chooseTransport(nodeConfig('n', sshReach(sshd, 'ssh2')))).transport],
  ['system ssh', async () => (await chooseTransport(nodeConfig('n', sshReach(sshd, 'openssh')))).transport],
];

describe.each(transports)('a stream by %s', (_name, make) => {
  it('leads to /bin/sh with its script on the stream, and tells how it ended', async () => {
    const stream = await (await make()).open();
    stream.writable.write('printf "%s" "$0 $#"; echo from the side >&2; exit 7\n');
    const [text, end] = await Promise.all([textOf(stream), stream.closed]);
    expect(text).toBe('/bin/sh 0');
    expect(stream.stderrTail()).toBe('from the side');
    expect(end.problem).toBeNull();
    expect(end.reason).toContain('exit code 7');
  });

  it('carries every byte both ways, a megabyte of them', async () => {
    const stream = await (await make()).open();
    const sent = randomBytes(1 << 20);
    stream.writable.write(`{ printf ready; head -c ${sent.length}; exit; }\n`);
    const got: Buffer[] = [];
    stream.readable.on('data', (bytes: Buffer) => got.push(bytes));
    await until('the shell has read its script', () => Buffer.concat(got).toString().startsWith('ready'));
    stream.writable.write(sent);
    await stream.closed;
    expect(Buffer.concat(got).subarray(5).equals(sent)).toBe(true);
  });

  it('is over at once and for good when it is closed, even twice', async () => {
    const stream = await (await make()).open();
    stream.readable.resume();
    stream.close();
    stream.close();
    expect((await stream.closed).problem).toBeNull();
    // A late write must not take the process down.
    stream.writable.write('too late\n');
  });

  it('can be given up while it opens', async () => {
    const stop = new AbortController();
    const opening = (await make()).open(stop.signal);
    stop.abort();
    const outcome = await opening.then(
      async (stream) => (await stream.closed).reason,
      (error: Error) => error.message,
    );
    expect(outcome).toBeTruthy();
  });

  it('says in words how the node is reached', async () => {
    expect((await make()).describe()).toMatch(/\w{3}/);
  });
});

describe('a local stream', () => {
  it('does not hand the keys in our environment to the node', async () => {
    process.env.MY_SECRET_KEY = 'hidden';
    const stream = await new LocalTransport().open();
    delete process.env.MY_SECRET_KEY;
    stream.writable.write('env; exit\n');
    expect(await textOf(stream)).not.toContain('hidden');
  });
});

describe('a command', () => {
  it('that does not exist is an unreachable node, with the way to mend it', async () => {
    const stream = await new CommandTransport(['no-such-program-here', '-i']).open();
    const { problem } = await stream.closed;
    expect(problem?.code).toBe('E_NODE_UNREACHABLE');
    expect(problem?.fix).toContain('no-such-program-here');
  });

  it('whose helper keeps the output open does not keep the stream from ending', async () => {
    const stream = await new LocalTransport().open();
    let text = '';
    stream.readable.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
    stream.writable.write('sleep 300 & echo $!; exit 0\n');
    expect((await stream.closed).reason).toContain('exit code 0');
    expect(text).toMatch(/^\d+\n$/);
    process.kill(Number(text), 'SIGKILL');
  });
});

describe('a killed connection', () => {
  it.each(['ssh2', 'openssh'] as const)('ends a stream of %s', async (transport) => {
    const choice = await chooseTransport(nodeConfig('n', sshReach(sshd, transport)));
    const stream = await choice.transport.open();
    stream.writable.write('echo up\n');
    await new Promise((resolve) => stream.readable.once('data', resolve));
    stream.readable.resume();
    expect(sshd.killConnections()).toBeGreaterThan(0);
    expect((await stream.closed).reason).toBeTruthy();
  });
});

async function textOf(stream: ByteStream): Promise<string> {
  let text = '';
  for await (const bytes of stream.readable) text += String(bytes);
  return text;
}
