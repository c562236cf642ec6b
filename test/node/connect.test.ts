import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bootstrapScript } from '../../src/node/bootstrap-script.ts';
import { type Connected, connectNode } from '../../src/node/connect.ts';
import type { NodeProgram } from '../../src/node/program.ts';
import { chooseTransport } from '../../src/transport/choose.ts';
import { CommandTransport } from '../../src/transport/command.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { nodeConfig, sshReach } from '../cluster/reach.ts';
import { type Sshd, startSshd } from '../cluster/sshd.ts';
import { until } from '../cluster/until.ts';
import { isAlive } from '../cluster/processes.ts';
import { lateWhen } from '../late.ts';
import { peerProgram } from './peer.ts';

let program: NodeProgram;
let home: string;
beforeAll(async () => {
  program = await peerProgram();
});
beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'dispatch-home-')));
});
afterEach(() => rm(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));

describe('a fresh node', () => {
  it('is given the program once, and starts it in one round trip from then on', async () => {
    const first = await connect(shellAt(home));
    expect(first.shipped).toBe(true);
    expect(first.node.version).toMatch(/^v\d+\./);
    const bin = await readdir(join(home, 'agent-worker/bin'));
    expect(bin.sort()).toEqual([`launch-${program.hash}.sh`, `task-wrapper-${program.hash}.mjs`]);
    expect(await readFile(join(home, `agent-worker/bin/task-wrapper-${program.hash}.mjs`))).toEqual(
      program.wrapper,
    );
    expect(await readFile(join(home, `agent-worker/bin/launch-${program.hash}.sh`))).toEqual(program.launch);

    const second = await connect(shellAt(home));
    expect(second.shipped).toBe(false);
  });

  it('gets a new program beside the old one, which attempts may still need', async () => {
    await connect(shellAt(home));
    program = await peerProgram('// another version\n');
    const again = await connect(shellAt(home));
    expect(again.shipped).toBe(true);
    expect(await readdir(join(home, 'agent-worker/bin'))).toHaveLength(4);
  });

  it('gets a damaged program again', async () => {
    await connect(shellAt(home));
    await writeFile(join(home, `agent-worker/bin/task-wrapper-${program.hash}.mjs`), 'broken');
    expect((await connect(shellAt(home))).shipped).toBe(true);
    expect((await connect(shellAt(home))).shipped).toBe(false);
  });

  it('may be reached by several controllers at once', async () => {
    const both = await Promise.all([connect(shellAt(home)), connect(shellAt(home)), connect(shellAt(home))]);
    expect(both).toHaveLength(3);
    expect(await readdir(join(home, 'agent-worker/bin'))).toHaveLength(2);
  });

  it('may have a home with a space in its path, and a worker directory of its own', async () => {
    const odd = join(home, "ann's home (new)");
    await mkdir(odd);
    await connect(shellAt(odd), '~/some.where/else_2');
    expect(await readdir(join(odd, 'some.where/else_2/bin'))).toHaveLength(2);
    await connect(shellAt(home), join(home, 'absolute'));
    expect(await readdir(join(home, 'absolute/bin'))).toHaveLength(2);
  });

  it.each(['relative', '~', '/', '~/a b', '/x/../etc', '/$(id)', '~/x;id', '/a\nb', "~/a'b", '~user/x'])(
    'is refused %j as the worker directory',
    (root) => {
      expect(() => bootstrapScript(program, root, 'ab'.repeat(16))).toThrow(
        expect.objectContaining({ code: 'E_NODE_ROOT' }),
      );
    },
  );

  it('is spoken to by a script that every sh can read', () => {
    const script = bootstrapScript(program, null, 'ab'.repeat(16));
    for (const shell of ['dash', 'bash']) execFileSync(shell, ['-n'], { input: script });
    execFileSync('bash', ['--posix', '-n'], { input: script });
  });
});

describe('a node that lacks something', () => {
  it('is told that it has no Node.js, or which one is too old', async () => {
    const bin = await toolbox(['tmux', 'git']);
    await expect(connect(shellWith(bin))).rejects.toMatchObject({
      code: 'E_NODE_NO_NODE',
      why: 'none was found',
      fix: expect.stringContaining('bootstrap.sh'),
    });
    await tool(bin, 'node', 'echo v18.20.0');
    await expect(connect(shellWith(bin))).rejects.toMatchObject({
      code: 'E_NODE_NO_NODE',
      why: `found only v18.20.0 at ${bin}/node`,
    });
  });

  it('is told that it has no tmux, or one that is too old', async () => {
    const bin = await toolbox(['git', 'node']);
    await expect(connect(shellWith(bin))).rejects.toMatchObject({
      code: 'E_NODE_NO_TMUX',
      why: 'none was found',
    });
    await tool(bin, 'tmux', 'echo "tmux 3.1c"');
    await expect(connect(shellWith(bin))).rejects.toMatchObject({
      code: 'E_NODE_NO_TMUX',
      why: 'found only tmux 3.1c',
    });
    await tool(bin, 'tmux', 'echo "tmux next-3.6"');
    await connect(shellWith(bin));
  });

  it('is told that it has no git, or one that is too old', async () => {
    const bin = await toolbox(['tmux', 'node']);
    await expect(connect(shellWith(bin))).rejects.toMatchObject({
      code: 'E_NODE_NO_GIT',
      why: 'none was found',
    });
    await tool(bin, 'git', 'echo "git version 2.29.2"');
    await expect(connect(shellWith(bin))).rejects.toMatchObject({ code: 'E_NODE_NO_GIT' });
    await tool(bin, 'git', 'echo "git version 2.39.5 (Apple Git-154)"');
    await connect(shellWith(bin));
  });

  it('may have shasum or openssl instead of sha256sum', async () => {
    for (const digest of ['shasum', 'openssl']) {
      const bin = await toolbox(['tmux', 'git', 'node', digest], ['sha256sum']);
      const connected = await connect(shellWith(bin), join(home, digest));
      expect(connected.shipped).toBe(true);
    }
    const bin = await toolbox(['tmux', 'git', 'node'], ['sha256sum']);
    await expect(connect(shellWith(bin))).rejects.toMatchObject({ code: 'E_NODE_NO_TOOL' });
  });

  it('uses the newest Node.js of nvm when the login shell finds none', async () => {
    const bin = await toolbox(['tmux', 'git']);
    for (const version of ['v9.11.2', 'v20.9.0', 'v20.19.0', 'v18.1.0']) {
      const dir = join(home, '.nvm/versions/node', version, 'bin');
      await mkdir(dir, { recursive: true });
      await writeFile(join(dir, 'node'), `#!/bin/sh\n[ "$1" = --version ] && { echo ${version}; exit; }\n`, {
        mode: 0o755,
      });
    }
    const connected = await connect(shellWith(bin));
    expect(connected.node).toEqual({
      version: 'v20.19.0',
      path: join(home, '.nvm/versions/node/v20.19.0/bin/node'),
    });
  });

  it.runIf(process.getuid?.() === 0)('has a full disk: the program is not half there', async () => {
    const disk = await tmpfs('size=64k');
    program = await peerProgram(`// ${'x'.repeat(200_000)}\n`);
    await expect(connect(shellAt(home), `${disk}/worker`)).rejects.toMatchObject({ code: 'E_NODE_NO_SPACE' });
    expect(await readdir(`${disk}/worker/bin`)).toEqual([]);
  });

  it.runIf(process.getuid?.() === 0)('has a read-only home', async () => {
    const disk = await tmpfs('size=1m,ro');
    await expect(connect(shellAt(home), `${disk}/worker`)).rejects.toMatchObject({
      code: 'E_NODE_NOT_WRITABLE',
      why: expect.stringContaining('Read-only file system'),
    });
  });

  it('has a file where the worker directory should be', async () => {
    await writeFile(join(home, 'agent-worker'), '');
    await expect(connect(shellAt(home))).rejects.toMatchObject({ code: 'E_NODE_NOT_WRITABLE' });
  });
});

describe('a way to the node that misbehaves', () => {
  it('does not run a shell: what it printed is in the message', async () => {
    await expect(
      connect(new CommandTransport(['sh', '-c', 'echo "This account is closed." >&2; exit 1'])),
    ).rejects.toMatchObject({
      code: 'E_NODE_SHELL',
      why: expect.stringContaining('This account is closed.'),
    });
  });

  it('ends a moment after its output: it is not killed before it has said why', async () => {
    const slow = new CommandTransport(['sh', '-c', 'exec >&-; sleep 0.2; echo "no route today" >&2; exit 5']);
    await expect(connect(slow)).rejects.toMatchObject({
      code: 'E_NODE_SHELL',
      why: expect.stringMatching(/exit code 5: no route today$/),
    });
  });

  it('changes bytes on the way: nothing is put in place', async () => {
    const through = new CommandTransport([
      'sh',
      '-c',
      'HOME="$0"; export HOME; sed -u s/Z/Y/ | /bin/sh',
      home,
    ]);
    program = { ...program, wrapper: Buffer.concat([program.wrapper, Buffer.from('// Z')]) };
    await expect(connect(through)).rejects.toMatchObject({ code: 'E_NODE_SHIP' });
    expect(await readdir(join(home, 'agent-worker/bin'))).toEqual([]);
    program = await peerProgram();
  });

  it('never answers: it is given up at the deadline and leaves no process', async () => {
    const silent = new CommandTransport(['sh', '-c', `echo $$ >"${home}/pid"; exec sleep 300`]);
    const said = (): string => (existsSync(join(home, 'pid')) ? readFileSync(join(home, 'pid'), 'utf8') : '');
    const connecting = lateWhen(
      () => said().endsWith('\n'),
      3000,
      () => connect(silent, null, 3000),
    );
    await expect(connecting).rejects.toMatchObject({ code: 'E_NODE_TIMEOUT' });
    await until('it is gone', () => !isAlive(Number(said())));
  });

  it('floods: it is closed', async () => {
    await expect(connect(new CommandTransport(['sh', '-c', 'exec yes']))).rejects.toMatchObject({
      code: 'E_NODE_SHELL',
    });
  });
});

describe('a node over ssh', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd({ maxSessions: 1 });
  });
  afterAll(() => sshd.stop());

  it.each(['ssh2', 'openssh'] as const)('whose login shell is noisy is understood, by %s', async (which) => {
    await writeFile(
      join(sshd.home, '.bashrc'),
      'printf "\\033[31mWelcome\\033[0m, no line end"; echo; echo deadbeef have v1 /bin/false; printf tail\n',
    );
    const { transport } = await chooseTransport(nodeConfig('n', sshReach(sshd, which)));
    const connected = await connect(transport, `~/by-${which}`);
    expect(connected.shipped).toBe(true);
    expect(await readdir(join(sshd.home, `by-${which}/bin`))).toHaveLength(2);
  });

  it.each(['ssh2', 'openssh'] as const)('that refuses us says why, by %s', async (which) => {
    const strange = await startSshd({ trusted: false });
    try {
      const { transport } = await chooseTransport(nodeConfig('n', sshReach(strange, which)));
      await expect(connect(transport)).rejects.toMatchObject({ code: 'E_HOST_KEY_UNKNOWN' });
      await strange.trust();
      await writeFile(join(strange.dir, 'authorized_keys'), '');
      await expect(connect(transport)).rejects.toMatchObject({ code: 'E_SSH_AUTH' });
      await strange.halt();
      await expect(connect(transport)).rejects.toMatchObject({ code: 'E_NODE_UNREACHABLE' });
    } finally {
      await strange.stop();
    }
  });

  it.each(['ssh2', 'openssh'] as const)(
    'whose forced command is not a shell says so, by %s',
    async (which) => {
      const forced = await startSshd({ forceCommand: '/bin/echo only sftp here' });
      try {
        const { transport } = await chooseTransport(nodeConfig('n', sshReach(forced, which)));
        await expect(connect(transport)).rejects.toMatchObject({
          code: 'E_NODE_SHELL',
          why: expect.stringContaining('only sftp here'),
        });
      } finally {
        await forced.stop();
      }
    },
  );
});

/** Connects, checks that the program runs, and closes. */
async function connect(
  transport: Transport,
  root: string | null = null,
  timeoutMs?: number,
): Promise<Connected> {
  const connected = await connectNode(transport, {
    name: 'n1',
    root,
    program,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  connected.stream.readable.resume();
  connected.stream.close();
  await connected.stream.closed;
  return connected;
}

/** /bin/sh in another home. */
function shellAt(dir: string): Transport {
  return new CommandTransport(['env', `HOME=${dir}`]);
}

/** /bin/sh that finds only the programs of this toolbox. */
function shellWith(bin: string): Transport {
  return new CommandTransport(['env', '-i', `HOME=${home}`, `PATH=${bin}`, join(bin, 'only')]);
}

/**
 * A directory with the standard programs and these. Its `only` is an sh whose script is rewritten to look nowhere else:
 * a machine without tmux cannot be had otherwise on one that has it.
 */
async function toolbox(programs: readonly string[], without: readonly string[] = []): Promise<string> {
  const bin = await realpath(await mkdtemp(join(home, 'bin-')));
  const standard = [
    'sh',
    'env',
    'head',
    'tail',
    'tr',
    'sed',
    'sort',
    'ls',
    'mkdir',
    'mv',
    'rm',
    'chmod',
    'find',
    'wc',
    'cat',
    'sha256sum',
  ];
  for (const name of [...standard, ...programs]) {
    if (without.includes(name)) continue;
    const path =
      name === 'node' ? process.execPath : execFileSync('which', [name], { encoding: 'utf8' }).trim();
    await symlink(path, join(bin, name));
  }
  const usual = '/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
  await writeFile(join(bin, 'only'), `#!/bin/sh\nexec sed -u 's|:${usual}||' | exec /bin/sh\n`, {
    mode: 0o755,
  });
  await tool(bin, 'only', `sed -u 's|:${usual}||' | /bin/sh`);
  return bin;
}

async function tool(bin: string, name: string, body: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${body}\n`);
  await chmod(join(bin, name), 0o755);
}

async function tmpfs(options: string): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'dispatch-disk-')));
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir]);
  mounted.push(dir);
  return dir;
}
const mounted: string[] = [];
afterEach(async () => {
  for (const dir of mounted.splice(0)) {
    await until('the file system can be unmounted', () => {
      try {
        execFileSync('umount', [dir], { stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    });
    await rm(dir, { recursive: true });
  }
});
