/** Servers other than OpenSSH, and login shells other than bash whose start-up files talk: each for real. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectNode } from '../../src/node/connect.ts';
import type { NodeProgram } from '../../src/node/program.ts';
import { chooseTransport } from '../../src/transport/choose.ts';
import type { ByteStream } from '../../src/transport/transport.ts';
import { hasServer, type OtherServer, type RunningServer, startServer } from '../cluster/other-servers.ts';
import { nodeConfig, sshReach } from '../cluster/reach.ts';
import { type Sshd, startSshd } from '../cluster/sshd.ts';
import { peerProgram } from '../node/peer.ts';

let program: NodeProgram;
let root: string;
const streams: ByteStream[] = [];
beforeAll(async () => {
  program = await peerProgram();
});
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'dispatch-servers-')));
});
afterEach(async () => {
  for (const stream of streams.splice(0)) {
    stream.close();
    await stream.closed;
  }
  await rm(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

const SERVERS: readonly OtherServer[] = ['dropbear', 'tinysshd'];

describe.each(SERVERS)(
  '%s (skipped where it is not installed: apt install dropbear-bin tinysshd)',
  (kind) => {
    let server: RunningServer;
    beforeAll(async () => {
      if (hasServer(kind)) server = await startServer(kind);
    });
    afterAll(async () => server?.stop());

    it.skipIf(!hasServer(kind)).each(['ssh2', 'openssh'] as const)(
      'is logged in to, given the program, and logged in to again, by %s',
      async (transport) => {
        const reach = { by: 'ssh', target: server.alias, transport, socket: null } as const;
        const config = nodeConfig('n', { ...reach, configFile: server.configFile });
        for (const shipped of [true, false]) {
          const choice = await chooseTransport(config);
          expect(choice.kind).toBe(transport);
          const connected = await connectNode(choice.transport, {
            name: 'n',
            root: join(root, 'worker'),
            program,
          });
          streams.push(connected.stream);
          expect(connected.shipped).toBe(shipped);
        }
        expect(await readdir(join(root, 'worker/bin'))).toHaveLength(2);
      },
    );
  },
);

/** Where each shell's start-up file is, for a shell that is given a command and is no login shell. */
const SHELLS = [
  { shell: '/bin/bash', file: '.bashrc', prints: 'printf "welcome, \\\\$ # no line end"' },
  { shell: '/usr/bin/zsh', file: '.zshenv', prints: 'printf "welcome, \\\\$ # no line end"' },
  { shell: '/usr/bin/fish', file: '.config/fish/config.fish', prints: 'printf "welcome, no line end"' },
  { shell: '/usr/bin/tcsh', file: '.tcshrc', prints: 'echo -n "welcome, no line end"' },
] as const;

describe.each(SHELLS)(
  'a login shell $shell (skipped where it is not installed)',
  ({ shell, file, prints }) => {
    let sshd: Sshd;
    beforeAll(async () => {
      // As sshd starts the shell of an account: with -c and the command.
      sshd = await startSshd({ forceCommand: `exec ${shell} -c "$SSH_ORIGINAL_COMMAND"` });
      await mkdir(dirname(join(sshd.home, file)), { recursive: true });
      await writeFile(join(sshd.home, file), `${prints}\n`);
    });
    afterAll(() => sshd.stop());

    it.skipIf(!existsSync(shell)).each(['ssh2', 'openssh'] as const)(
      'that greets is understood, by %s',
      async (transport) => {
        const choice = await chooseTransport(nodeConfig('n', sshReach(sshd, transport)));
        const connected = await connectNode(choice.transport, {
          name: 'n',
          root: join(root, 'worker'),
          program,
        });
        streams.push(connected.stream);
        expect(connected.shipped).toBe(true);
      },
    );
  },
);
