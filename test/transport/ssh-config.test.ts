/** What users have in ~/.ssh/config, by both ways of ssh, against a real server: what works with `ssh` works here. */
import { execFileSync } from 'node:child_process';
import { appendFile, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { DispatchError } from '../../src/model/error.ts';
import { chooseTransport } from '../../src/transport/choose.ts';
import { nodeConfig, sshReach } from '../cluster/reach.ts';
import { type Sshd, type SshdOptions, startSshd } from '../cluster/sshd.ts';
import { until } from '../cluster/until.ts';

const running: Sshd[] = [];
afterEach(async () => {
  delete process.env.DISPATCH_TEST_KEYS;
  for (const sshd of running.splice(0)) await sshd.stop();
});

describe.each(['ssh2', 'openssh'] as const)('over %s', (which) => {
  it('identity files are tried in their order, whatever their type', async () => {
    const sshd = await start();
    const rsa = await keygen(sshd, 'rsa');
    await configure(sshd, { IdentityFile: [rsa, sshd.userKey] });
    expect(await problemOf(sshd, which)).toBeNull();
    for (const key of [rsa, await keygen(sshd, 'ecdsa')]) {
      await copyFile(`${key}.pub`, join(sshd.dir, 'authorized_keys'));
      await configure(sshd, { IdentityFile: [key] });
      expect(await problemOf(sshd, which)).toBeNull();
    }
  });

  it('more keys than the server hears are a refusal that says how to send fewer', async () => {
    const sshd = await start({ config: ['MaxAuthTries 3'] });
    const others = await Promise.all([1, 2, 3, 4].map((n) => keygen(sshd, 'ed25519', String(n))));
    await configure(sshd, { IdentityFile: [...others, sshd.userKey] });
    const error = await problemOf(sshd, which);
    expect(error).toMatchObject({ code: 'E_SSH_AUTH', fix: expect.stringContaining('IdentitiesOnly') });
  });

  it('jump hosts are passed in their order, also where each names the one before it', async () => {
    const [first, second] = [await start({ alias: 'first' }), await start({ alias: 'second' })];
    const box = await start();
    const gates = `${await readFile(first.configFile, 'utf8')}${await readFile(second.configFile, 'utf8')}`;
    await configure(box, { ProxyJump: 'first,second' }, gates);
    expect(await problemOf(box, which)).toBeNull();
    await until('both were passed', () => [first, second].every((gate) => logins(gate) === 1));

    const named = gates.replace('Host second', 'Host second\n  ProxyJump first');
    await configure(box, { ProxyJump: 'second' }, named);
    expect(await problemOf(box, which)).toBeNull();
    await until('both were passed again', () => [first, second].every((gate) => logins(gate) === 2));
  });

  it('Include, Match, tokens and variables lead to the right files', async () => {
    const sshd = await start();
    process.env.DISPATCH_TEST_KEYS = sshd.dir;
    await mkdir(join(sshd.dir, sshd.user));
    await copyFile(sshd.userKey, join(sshd.dir, sshd.user, `box-${sshd.port}-127.0.0.1`));
    await configure(sshd, { IdentityFile: [], UserKnownHostsFile: [] });
    await copyFile(sshd.configFile, join(sshd.dir, 'more'));
    await writeFile(
      sshd.configFile,
      `Include ${join(sshd.dir, 'mor?')}
Match host 127.0.0.1 exec "test %n = box"
  UserKnownHostsFile \${DISPATCH_TEST_KEYS}/none %d/no-such-file "\${DISPATCH_TEST_KEYS}/known_hosts"
Match final all
  IdentityFile \${DISPATCH_TEST_KEYS}/%r/%n-%p-%h
`,
    );
    expect(await problemOf(sshd, which)).toBeNull();
  });

  it('a key in the second file of known hosts, or the global one, is as good as one in the first', async () => {
    const sshd = await start();
    const first = join(sshd.dir, 'first');
    await writeFile(first, 'other.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO9Mu8eB\n');
    await configure(sshd, { UserKnownHostsFile: `${first} ${sshd.knownHosts}` });
    expect(await problemOf(sshd, which)).toBeNull();
    const [line] = await sshd.hostKeyLines();
    await rm(sshd.knownHosts);
    expect((await problemOf(sshd, which))?.code).toBe('E_HOST_KEY_UNKNOWN');
    const global = join(sshd.dir, 'global');
    await writeFile(global, `${line}\n`);
    await configure(sshd, { GlobalKnownHostsFile: global });
    expect(await problemOf(sshd, which)).toBeNull();
  });

  it('an address of a family that is not allowed is not used', async () => {
    const sshd = await start({ trusted: false });
    const [line = ''] = await sshd.hostKeyLines();
    await writeFile(sshd.knownHosts, `${line.replace('127.0.0.1', 'localhost')}\n`);
    await configure(sshd, { HostName: 'localhost', AddressFamily: 'inet6' });
    expect((await problemOf(sshd, which))?.code).toBe('E_NODE_UNREACHABLE');
    await configure(sshd, { HostName: 'localhost', AddressFamily: 'inet' });
    expect(await problemOf(sshd, which)).toBeNull();
  });

  // Elsewhere the loopback has one address.
  it.skipIf(process.platform !== 'linux')('BindAddress is where the connection comes from', async () => {
    const sshd = await start();
    await configure(sshd, { BindAddress: '127.0.0.7' });
    expect(await problemOf(sshd, which)).toBeNull();
    await until('it has been told', () => sshd.log.includes('from 127.0.0.7'));
  });
});

describe('what only OpenSSH can do is left to it', () => {
  it('a certificate of the user, and one of the host', async () => {
    const sshd = await start({ trusted: false });
    const ca = await keygen(sshd, 'ed25519', 'ca');
    const sign = (...args: string[]): void => {
      execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'test', ...args], { stdio: 'ignore' });
    };
    sign('-n', sshd.user, `${sshd.userKey}.pub`);
    sign('-h', '-n', '127.0.0.1', join(sshd.dir, 'host_ed25519.pub'));
    const authority = await readFile(`${ca}.pub`, 'utf8');
    await writeFile(sshd.knownHosts, `@cert-authority ${sshd.hostKeyName} ${authority}`);
    await sshd.halt();
    await writeFile(join(sshd.dir, 'authorized_keys'), '');
    await appendFile(
      join(sshd.dir, 'sshd_config'),
      `TrustedUserCAKeys ${ca}.pub\nHostCertificate ${join(sshd.dir, 'host_ed25519-cert.pub')}\n`,
    );
    await sshd.start();
    const choice = await chooseTransport(nodeConfig('n', sshReach(sshd, 'auto')));
    expect(choice).toMatchObject({ kind: 'openssh', reason: expect.stringContaining('certificate') });
    expect(await problemOf(sshd, 'auto')).toBeNull();
  });

  it('a token or a home that is not expanded here', async () => {
    const sshd = await start();
    for (const file of ['~root/.ssh/key', '~/%C']) {
      await configure(sshd, { IdentityFile: file });
      const { kind, reason } = await chooseTransport(nodeConfig('n', sshReach(sshd, 'auto')));
      expect(kind, reason).toBe('openssh');
    }
  });
});

async function start(options: SshdOptions = {}): Promise<Sshd> {
  const sshd = await startSshd(options);
  running.push(sshd);
  return sshd;
}

/** Writes the client's configuration: the usual one with these keys, some of them several times, and what follows it. */
async function configure(
  sshd: Sshd,
  keys: Readonly<Record<string, string | readonly string[]>>,
  more = '',
): Promise<void> {
  const usual = {
    HostName: '127.0.0.1',
    Port: String(sshd.port),
    User: sshd.user,
    IdentityFile: sshd.userKey,
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    UserKnownHostsFile: sshd.knownHosts,
    GlobalKnownHostsFile: '/dev/null',
  };
  const lines = Object.entries({ ...usual, ...keys }).flatMap(([key, value]) =>
    [value].flat().map((one) => `  ${key} ${one}\n`),
  );
  await writeFile(sshd.configFile, `Host ${sshd.alias}\n${lines.join('')}${more}`);
}

async function keygen(sshd: Sshd, type: string, name = type): Promise<string> {
  const file = join(sshd.dir, `user-${name}`);
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', file]);
  return file;
}

function logins(sshd: Sshd): number {
  return sshd.log.split('Accepted publickey').length - 1;
}

/** What stops a connection, or null when a shell answered. */
async function problemOf(sshd: Sshd, which: 'ssh2' | 'openssh' | 'auto'): Promise<DispatchError | null> {
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
