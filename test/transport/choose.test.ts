import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeReach } from '../../src/model/spec.ts';
import { chooseTransport } from '../../src/transport/choose.ts';
import { nodeConfig } from '../cluster/reach.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dispatch-choose-'));
});
afterAll(() => rm(dir, { recursive: true }));

describe('the transport of a node', () => {
  it('is a child process for this machine, and the command where there is one', async () => {
    expect((await chooseTransport(nodeConfig('n', { by: 'local' }))).kind).toBe('local');
    const choice = await chooseTransport(
      nodeConfig('n', { by: 'command', command: ['docker', 'exec', '-i', 'b'] }),
    );
    expect(choice.transport.describe()).toBe('the command docker exec -i b /bin/sh');
  });

  it('is ssh2 when the ssh configuration needs nothing else', async () => {
    expect(await kindFor('')).toMatchObject({ kind: 'ssh2' });
    expect(await kindFor('ProxyCommand nc %h %p')).toMatchObject({ kind: 'ssh2' });
    expect(await kindFor('ProxyJump other')).toMatchObject({ kind: 'ssh2' });
  });

  it.each([
    ['PKCS11Provider /usr/lib/pkcs11.so', 'PKCS11Provider'],
    ['SecurityKeyProvider /usr/lib/sk.so', 'SecurityKeyProvider'],
    ['CertificateFile ~/.ssh/id-cert.pub', 'CertificateFile'],
    ['KnownHostsCommand /bin/keys %H', 'KnownHostsCommand'],
    ['PubkeyAuthentication no\n  GSSAPIAuthentication yes', 'GSSAPI authentication only'],
    ['PreferredAuthentications hostbased', 'a login without public keys'],
    ['ProxyCommand helper %C', '%C in ProxyCommand'],
  ])('is system ssh for %j', async (line, what) => {
    const choice = await kindFor(line);
    expect(choice.kind).toBe('openssh');
    expect(choice.reason).toContain(what);
  });

  it('is system ssh when a jump host needs it', async () => {
    const config = await write('Host box\n  ProxyJump gate\nHost gate\n  PKCS11Provider /x.so\n');
    const choice = await chooseTransport(nodeConfig('n', ssh(config)));
    expect(choice.kind).toBe('openssh');
    expect(choice.reason).toContain('for the jump host gate');
  });

  it('is system ssh for a certificate that lies beside the key, and for a security key', async () => {
    const key = join(dir, 'id');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    expect((await kindFor(`IdentityFile ${key}`)).kind).toBe('ssh2');
    await writeFile(`${key}-cert.pub`, 'ssh-ed25519-cert-v01@openssh.com AAAA');
    expect((await kindFor(`IdentityFile ${key}`)).reason).toContain('the certificate');
    await rm(`${key}-cert.pub`);
    await writeFile(`${key}.pub`, `sk-${await readFile(`${key}.pub`, 'utf8')}`);
    expect((await kindFor(`IdentityFile ${key}`)).reason).toContain('the security key');
  });

  it('is system ssh for a host that is known by a certificate authority', async () => {
    const known = join(dir, 'ca_hosts');
    await writeFile(known, '@cert-authority *.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO9Mu8eB\n');
    const choice = await kindFor(`HostName a.example\n  UserKnownHostsFile ${known}`);
    expect(choice.reason).toContain('@cert-authority');
  });

  it('is what nodes.json says, whatever the ssh configuration needs', async () => {
    const config = await write('Host box\n  PKCS11Provider /x.so\n');
    expect((await chooseTransport(nodeConfig('n', { ...ssh(config), transport: 'ssh2' }))).kind).toBe('ssh2');
    const plain = await write('Host box\n');
    expect((await chooseTransport(nodeConfig('n', { ...ssh(plain), transport: 'openssh' }))).kind).toBe(
      'openssh',
    );
  });

  it('is system ssh when a control socket is given, and uses it', async () => {
    const config = await write('Host box\n');
    const choice = await chooseTransport(nodeConfig('n', { ...ssh(config), socket: '/run/me/ctl' }));
    expect(choice.kind).toBe('openssh');
    expect(choice.transport.describe()).toContain('/run/me/ctl');
  });

  it('is refused for an alias that begins with a dash', async () => {
    await expect(
      chooseTransport(nodeConfig('n', { ...ssh(await write('')), target: '-oProxyCommand=id' })),
    ).rejects.toMatchObject({ code: 'E_SSH_ALIAS' });
  });
});

let files = 0;
async function write(text: string): Promise<string> {
  const file = join(dir, `config-${files++}`);
  await writeFile(file, `${text}\nHost *\n  UserKnownHostsFile /dev/null\n  IdentityFile ${dir}/none\n`, {
    mode: 0o600,
  });
  return file;
}

function ssh(configFile: string): Extract<NodeReach, { by: 'ssh' }> {
  return { by: 'ssh', target: 'box', transport: 'auto', socket: null, configFile };
}

async function kindFor(lines: string): Promise<{ kind: string; reason: string }> {
  return chooseTransport(nodeConfig('n', ssh(await write(`Host box\n  ${lines}`))));
}
