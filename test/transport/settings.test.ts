import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkTarget,
  parseResolved,
  readSshSettings,
  settingsFrom,
} from '../../src/transport/ssh-settings.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dispatch-settings-'));
});
afterAll(() => rm(dir, { recursive: true }));

describe('an ssh target', () => {
  it.each([
    'mac1',
    'codex-node-1',
    'root@10.0.0.7',
    'a.b.example',
    'u.x-y@[::1]',
    'ssh://me@host:2222',
    'h_1',
    'me@host.example:22',
  ])('may be %s', (target) => expect(() => checkTarget(target)).not.toThrow());

  it.each([
    '-oProxyCommand=touch x',
    '-',
    '',
    'a b',
    '$(id)',
    'x;id',
    '`id`',
    'me@-oProxyCommand=x',
    'a\nb',
    "a'b",
    'a'.repeat(300),
  ])('may not be %j', async (target) => {
    expect(() => checkTarget(target)).toThrow(expect.objectContaining({ code: 'E_SSH_ALIAS' }));
    await expect(readSshSettings({ target, configFile: null })).rejects.toMatchObject({
      code: 'E_SSH_ALIAS',
    });
  });
});

describe('settings of an ssh target', () => {
  it('come from ssh -G, with its Include and Match', async () => {
    const config = await write(
      'main',
      `Include ${join(dir, 'more')}\nMatch originalhost box exec "true"\n  User worker\n`,
    );
    await write(
      'more',
      `Host box\n  HostName Box.Example\n  Port 2222\n  IdentityFile ~/.ssh/special\n  IdentityFile %d/other-%r\n`,
    );
    const settings = await readSshSettings({ target: 'box', configFile: config });
    expect(settings).toMatchObject({
      hostname: 'box.example',
      port: 2222,
      user: 'worker',
      hostKeyName: '[box.example]:2222',
      identityFiles: [`${homedir()}/.ssh/special`, `${homedir()}/other-worker`],
      proxyJump: [],
      proxyCommand: null,
    });
  });

  it('expand the tokens of a ProxyCommand and list jump hosts in order', async () => {
    const config = await write(
      'proxy',
      'Host box\n  HostName 10.1.1.1\n  User me\n  ProxyCommand nc -x %% %h %p %r %n\nHost far\n  ProxyJump a,me@b:2200\n',
    );
    const box = await readSshSettings({ target: 'box', configFile: config });
    expect(box.proxyCommand).toBe('nc -x % 10.1.1.1 22 me box');
    const far = await readSshSettings({ target: 'far', configFile: config });
    expect(far.proxyJump).toEqual(['a', 'me@b:2200']);
  });

  it('that ssh cannot read are an error with the command that shows the line', async () => {
    const config = await write('broken', 'Host box\n  NoSuchKeyword yes\n');
    await expect(readSshSettings({ target: 'box', configFile: config })).rejects.toMatchObject({
      code: 'E_SSH_CONFIG',
      why: expect.stringContaining('line 2'),
      fix: expect.stringContaining('ssh -G'),
    });
  });

  it('keep keys that come several times in order', () => {
    expect(parseResolved('identityfile a\nport 1\nidentityfile b\n').get('identityfile')).toEqual(['a', 'b']);
  });

  it('switch the agent off, or take another one, where IdentityAgent says so', () => {
    const of = (agent: string): string | null =>
      settingsFrom({ target: 'b', configFile: null }, parseResolved(`hostname b\nidentityagent ${agent}\n`))
        .agent;
    expect(of('none')).toBeNull();
    expect(of('/run/agent.sock')).toBe('/run/agent.sock');
    expect(of('~/agent.sock')).toBe(`${homedir()}/agent.sock`);
  });
});

async function write(name: string, text: string): Promise<string> {
  const file = join(dir, name);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}
