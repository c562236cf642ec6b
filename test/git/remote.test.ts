import { readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseRemote } from '../../src/git/remote.ts';
import { remoteError, remoteWords, shellWord } from '../../src/git/remote-error.ts';
import { remoteSettings } from '../../src/git/remote-settings.ts';
import { git, GitError } from '../../src/git/run.ts';
import { scratch } from './repo.ts';

afterEach(() => vi.unstubAllEnvs());

describe('the address of a repository', () => {
  test.each([
    ['/srv/git/p.git', { kind: 'local', url: '/srv/git/p.git', path: '/srv/git/p.git' }],
    ['~/src/p', { kind: 'local', url: join(homedir(), 'src/p'), path: join(homedir(), 'src/p') }],
    ['file:///srv/a%20b', { kind: 'local', url: 'file:///srv/a%20b', path: '/srv/a b' }],
    ['/srv/odd:name', { kind: 'local', url: '/srv/odd:name', path: '/srv/odd:name' }],
    ['git@host:team/p.git', { kind: 'network', url: 'git@host:team/p.git', protocols: ['ssh', 'https'] }],
    ['ssh://host:2222/p', { kind: 'network', url: 'ssh://host:2222/p', protocols: ['ssh', 'https'] }],
    ['https://host/p', { kind: 'network', url: 'https://host/p', protocols: ['ssh', 'https'] }],
    ['http://host/p', { kind: 'network', url: 'http://host/p', protocols: ['ssh', 'https', 'http'] }],
  ])('%s is understood', (text, remote) => {
    expect(parseRemote(text)).toEqual(remote);
  });

  test('a relative path counts from here, and a leading dash is no option', () => {
    expect(parseRemote('-oProxyCommand=x')).toMatchObject({
      kind: 'local',
      path: join(process.cwd(), '-oProxyCommand=x'),
    });
  });

  test.each(['ext::sh -c id', 'fd::3', 'ftp://host/p', 'git://host/p', 'javascript://x'])(
    '%s is refused',
    (text) => {
      expect(() => parseRemote(text)).toThrow(expect.objectContaining({ code: 'E_REPO_MISSING' }));
    },
  );
});

describe('settings that reach a remote', () => {
  test('only those for reaching and proving oneself are taken from the user, exactly', async () => {
    const root = scratch();
    const config = join(root, 'config');
    const helper = '!f() { echo "password=a\\"b"; }; f';
    await git(['config', '--file', config, '--add', 'credential.https://ho"st/.helper', helper]);
    await git(['config', '--file', config, '--add', 'credential.helper', '']);
    await git(['config', '--file', config, '--add', 'http.proxy', 'http://proxy:1']);
    await git(['config', '--file', config, '--add', 'core.sshCommand', 'ssh -F x\ty']);
    await git(['config', '--file', config, '--add', 'core.hooksPath', '/evil']);
    await git(['config', '--file', config, '--add', 'alias.x', '!evil']);
    await git(['config', '--file', config, '--add', 'safe.directory', '/x']);
    await writeFile(join(root, 'more'), '[http]\n\tsslVerify\n');
    await git(['config', '--file', config, '--add', 'include.path', join(root, 'more')]);
    vi.stubEnv('GIT_CONFIG_GLOBAL', config);
    vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1');
    const file = join(root, 'out');
    const env = await remoteSettings(parseRemote('https://host/p'), file);
    expect(env.GIT_CONFIG_GLOBAL).toBe(file);
    const list = async (): Promise<string[]> =>
      (await git(['config', '--file', file, '--list', '-z'])).stdout.toString().split('\0').slice(0, -1);
    expect(await list()).toEqual([
      `credential.https://ho"st/.helper\n${helper}`,
      'credential.helper\n',
      'http.proxy\nhttp://proxy:1',
      'core.sshcommand\nssh -F x\ty',
      'http.sslverify',
    ]);
    await remoteSettings(parseRemote('/x'), file);
    expect(await list()).toEqual(['safe.directory\n/x']);
  });

  test('a configuration that git cannot read is no obstacle', async () => {
    const root = scratch();
    await writeFile(join(root, 'config'), '[broken');
    vi.stubEnv('GIT_CONFIG_GLOBAL', join(root, 'config'));
    vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1');
    await remoteSettings(parseRemote('/x'), join(root, 'out'));
    expect(await readFile(join(root, 'out'), 'utf8')).toBe('');
  });
});

describe('what git says about a remote', () => {
  test.each([
    [
      'git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.',
      'E_REPO_AUTH',
    ],
    ["fatal: could not read Username for 'https://github.com': terminal prompts disabled", 'E_REPO_AUTH'],
    ['Host key verification failed.\nfatal: Could not read from remote repository.', 'E_REPO_AUTH'],
    ["fatal: unable to access 'https://h/p/': The requested URL returned error: 403", 'E_REPO_AUTH'],
    ["remote: Repository not found.\nfatal: repository 'https://h/p/' not found", 'E_REPO_MISSING'],
    ["fatal: '/srv/p' does not appear to be a git repository", 'E_REPO_MISSING'],
    ['ssh: Could not resolve hostname h: Name or service not known', 'E_REPO_UNREACHABLE'],
    ['ssh: connect to host h port 22: Connection refused', 'E_REPO_UNREACHABLE'],
    ["fatal: unable to access 'https://h/': Could not resolve host: h", 'E_REPO_UNREACHABLE'],
    ['fatal: something new', 'E_REPO_FAILED'],
  ])('%j', (stderr, code) => {
    const error = new GitError(['fetch'], 'exit', 128, stderr);
    expect(remoteError(error, parseRemote('git@h:p'))).toMatchObject({ code, where: 'git@h:p' });
  });

  test('a deadline is “unreachable”, and other errors pass through', () => {
    expect(remoteError(new GitError(['fetch'], 'timeout', null, ''), parseRemote('git@h:p'))).toMatchObject({
      code: 'E_REPO_UNREACHABLE',
    });
    const other = new TypeError('x');
    expect(remoteError(other, parseRemote('git@h:p'))).toBe(other);
  });

  test('words lose control sequences and prefixes, commands are quoted only where they must be', () => {
    expect(remoteWords('remote: \u001b[31mNo\u001b[0m\nhint: x\nfatal: end\n\n')).toBe('No\nend');
    expect([shellWord('/a/b-c'), shellWord("it's here")]).toEqual(['/a/b-c', `'it'\\''s here'`]);
  });
});
