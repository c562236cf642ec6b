import { execFileSync } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { DispatchError } from '../../src/model/error.ts';
import { chooseTransport } from '../../src/transport/choose.ts';
import { scanHostKey, trustHostKey, userKnownHosts } from '../../src/transport/host-key.ts';
import { algorithmsFor, parseFound } from '../../src/transport/known-hosts.ts';
import { nodeConfig, sshReach } from '../cluster/reach.ts';
import { type Sshd, type SshdOptions, startSshd } from '../cluster/sshd.ts';

let sshd: Sshd;
let started = false;
afterEach(async () => {
  if (started) await sshd.stop();
  started = false;
});

const both = ['ssh2', 'openssh'] as const;
type Which = (typeof both)[number];

describe.each(both)('host keys over %s', (which) => {
  it('of an unknown host stop the connection before anything is sent', async () => {
    await start({ trusted: false });
    const error = await problemOf(which);
    expect(error?.code).toBe('E_HOST_KEY_UNKNOWN');
    expect(error?.fix).toBe('dispatch nodes add box');
    expect(sshd.log).not.toContain('Accepted');
  });

  it('that changed stop the connection and name the line and the command that mends it', async () => {
    await start();
    await sshd.replaceHostKey();
    const error = await problemOf(which);
    expect(error?.code).toBe('E_HOST_KEY_CHANGED');
    expect(error?.where).toBe(`${sshd.knownHosts}:1`);
    expect(sshd.log).not.toContain('Accepted');

    execFileSync('/bin/sh', ['-c', error?.fix ?? 'exit 1'], { stdio: 'ignore' });
    await sshd.trust();
    expect(await problemOf(which)).toBeNull();
  });

  it('are found under a hashed name', async () => {
    await start();
    execFileSync('ssh-keygen', ['-H', '-f', sshd.knownHosts], { stdio: 'ignore' });
    expect(await readFile(sshd.knownHosts, 'utf8')).toMatch(/^\|1\|/);
    expect(await problemOf(which)).toBeNull();
  });

  it('of a type that is not recorded do not disturb one that is', async () => {
    await start({ hostKeyTypes: ['ed25519', 'ecdsa', 'rsa'], trusted: false });
    const [, , rsa] = await sshd.hostKeyLines();
    await writeFile(sshd.knownHosts, `${rsa}\n`);
    expect(await problemOf(which)).toBeNull();
  });

  it('that are revoked are refused although they are recorded', async () => {
    await start();
    const [line] = await sshd.hostKeyLines();
    await writeFile(sshd.knownHosts, `${line}\n@revoked ${line}\n`);
    expect((await problemOf(which))?.code).toBe('E_HOST_KEY_CHANGED');
  });

  it('are looked up under HostKeyAlias when there is one', async () => {
    await start({ clientConfig: ['HostKeyAlias the-box'], trusted: false });
    const [line = ''] = await sshd.hostKeyLines();
    await writeFile(sshd.knownHosts, `${line.replace(/^\S+/, 'the-box')}\n`);
    expect(await problemOf(which)).toBeNull();
  });
});

describe('a host that lost the type of key it was known by', () => {
  it('is a changed host', async () => {
    await start({ trusted: false });
    const other = join(sshd.dir, 'other');
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', other]);
    await writeFile(sshd.knownHosts, `${sshd.hostKeyName} ${await readFile(`${other}.pub`, 'utf8')}`);
    const error = await problemOf('ssh2');
    expect(error?.code).toBe('E_HOST_KEY_CHANGED');
    expect(error?.why).toContain('ecdsa-sha2-nistp256');
  });
});

describe('adding a host', () => {
  it('shows the fingerprints that ssh-keygen shows, and records the keys once', async () => {
    await start({ hostKeyTypes: ['ed25519', 'rsa'], trusted: false });
    const target = { target: sshd.alias, configFile: sshd.configFile };
    const keys = await scanHostKey(target);
    const shown = ['ed25519', 'rsa'].map(
      (type) =>
        execFileSync('ssh-keygen', ['-l', '-f', join(sshd.dir, `host_${type}.pub`)], {
          encoding: 'utf8',
        }).split(' ')[1],
    );
    expect(keys.map((key) => key.fingerprint)).toEqual(shown);
    expect(keys.map((key) => key.type)).toEqual(['ssh-ed25519', 'ssh-rsa']);

    const file = await userKnownHosts(target);
    expect(file).toBe(sshd.knownHosts);
    const lines = keys.map((key) => key.line);
    await trustHostKey(lines, file);
    await trustHostKey(lines, file);
    expect((await readFile(file, 'utf8')).trim().split('\n')).toEqual(lines);
    for (const which of both) expect(await problemOf(which)).toBeNull();
  });

  it('makes the file of known hosts readable for its owner alone', async () => {
    await start({ trusted: false });
    const file = join(sshd.dir, 'new', 'known_hosts');
    await trustHostKey(['host ssh-ed25519 AAAA'], file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(sshd.dir, 'new'))).mode & 0o777).toBe(0o700);
  });

  it('hashes the name where the ssh configuration asks for it', async () => {
    await start({ trusted: false, clientConfig: ['HashKnownHosts yes'] });
    const [key] = await scanHostKey({ target: sshd.alias, configFile: sshd.configFile });
    expect(key?.line).toMatch(/^\|1\|[^|]+\|\S+ ssh-ed25519 /);
    await trustHostKey([key?.line ?? ''], sshd.knownHosts);
    for (const which of both) expect(await problemOf(which)).toBeNull();
  });

  it('that is off fails as unreachable', async () => {
    await start({ trusted: false });
    await sshd.halt();
    await expect(scanHostKey({ target: sshd.alias, configFile: sshd.configFile })).rejects.toMatchObject({
      code: 'E_NODE_UNREACHABLE',
    });
  });
});

describe('the answer of ssh-keygen -F', () => {
  it('is read with its line numbers and markers', () => {
    const text = [
      '# Host box found: line 3 ',
      'box ssh-ed25519 AAAA1 a comment',
      '# Host box found: line 9 CA',
      '@cert-authority box ssh-rsa AAAA2',
      '# Host box found: line 12 REVOKED',
      '@revoked box ssh-rsa AAAA3',
      '',
    ].join('\n');
    const keys = parseFound(text, 'kh');
    expect(keys).toEqual([
      { file: 'kh', line: 3, type: 'ssh-ed25519', key: 'AAAA1', marker: null },
      { file: 'kh', line: 9, type: 'ssh-rsa', key: 'AAAA2', marker: 'cert-authority' },
      { file: 'kh', line: 12, type: 'ssh-rsa', key: 'AAAA3', marker: 'revoked' },
    ]);
    expect(algorithmsFor(keys)).toEqual(['ssh-ed25519']);
  });
});

async function start(options: SshdOptions = {}): Promise<void> {
  sshd = await startSshd(options);
  started = true;
}

/** What stops a connection, or null when a shell answered. */
async function problemOf(which: Which): Promise<DispatchError | null> {
  const { transport } = await chooseTransport(nodeConfig('n', sshReach(sshd, which)));
  try {
    const stream = await transport.open();
    stream.writable.write('echo through; exit 0\n');
    let text = '';
    for await (const bytes of stream.readable) text += String(bytes);
    const { problem } = await stream.closed;
    if (problem === null) expect(text).toBe('through\n');
    return problem;
  } catch (error) {
    return error as DispatchError;
  }
}
