import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { runScript } from '../../src/node/run-script.ts';
import { chooseTransport } from '../../src/transport/choose.ts';
import { CommandTransport } from '../../src/transport/command.ts';
import { LocalTransport } from '../../src/transport/local.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { nodeConfig, sshReach } from '../cluster/reach.ts';
import { type Sshd, startSshd } from '../cluster/sshd.ts';
import { until } from '../cluster/until.ts';

let sshd: Sshd;
let dir: string;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dispatch-script-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

const ways: [string, () => Promise<Transport>][] = [
  ['a local child process', async () => new LocalTransport()],
  ['a command', async () => new CommandTransport(['env'])],
  ['ssh2', async () => (await chooseTransport(nodeConfig('box', sshReach(sshd, 'ssh2')))).transport],
  ['system ssh', async () => (await chooseTransport(nodeConfig('box', sshReach(sshd, 'openssh')))).transport],
];

test.each(ways)(
  'arguments and files arrive as they are, and so does what it prints: %s',
  async (_way, make) => {
    const args = ['a b', "it's", '$(id)', '*', '', '--flag=x\\n', '-n'];
    const key = Buffer.from([0, 255, 10, 13, 39, 0x80]);
    const script = `printf '<%s>\\n' "$@"; cp key "${dir}/key"; stat -c '%a' key . ; pwd >"${dir}/where"; echo said >&2; echo 'no end of line' >&2; printf last; exit 7`;
    const said: string[] = [];
    const end = await run(await make(), script, { args, files: { key }, onLine: (line) => said.push(line) });
    expect(end.code).toBe(7);
    expect(end.stdout.split('\n')).toEqual([...args.map((arg) => `<${arg}>`), '600', '700', 'last']);
    expect(readFileSync(join(dir, 'key'))).toEqual(key);
    expect(said).toEqual(['said', 'no end of line']);
    expect(existsSync(readFileSync(join(dir, 'where'), 'utf8').trim())).toBe(false);
  },
);

test('what a login prints before, and escape sequences in what the script says, do no harm', async () => {
  const noisy = new CommandTransport([
    'sh',
    '-c',
    'echo welcome; printf "\\033]0;x\\007no end"; exec "$@"',
    'sh',
  ]);
  const said: string[] = [];
  const end = await run(noisy, "printf '\\033]0;evil\\007red \\033[31mtext\\n' >&2; echo out", {
    onLine: (line) => said.push(line),
  });
  expect(end).toEqual({ code: 0, stdout: 'out' });
  expect(said).toEqual(['red text']);
});

test('a script that is larger than a pipe holds arrives whole', async () => {
  const script = `${'# a line that is only there to be long\n'.repeat(20_000)}echo whole`;
  expect(await run(new LocalTransport(), script)).toEqual({ code: 0, stdout: 'whole' });
});

test('a cut connection is an error that says so, and the script goes on to its end', async () => {
  const [, make] = ways[2] ?? [];
  if (make === undefined) throw new Error('there is no such way');
  const script = `trap '' HUP PIPE
pwd >"${dir}/where"; echo started >&2
until test -e "${dir}/go"; do sleep 0.05; done
echo 'nobody hears this' >&2; echo nor this; : >"${dir}/done"`;
  const running = run(await make(), script, { onLine: () => sshd.killConnections() });
  await expect(running).rejects.toMatchObject({
    code: 'E_NODE_DISCONNECTED',
    why: expect.stringContaining('goes on'),
  });
  writeFileSync(join(dir, 'go'), '');
  await until('the script has ended', () => existsSync(join(dir, 'done')), 60_000);
  const where = readFileSync(join(dir, 'where'), 'utf8').trim();
  await until('its files are gone', () => !existsSync(where), 60_000);
});

test('a far end without a shell, or without bash, is named', async () => {
  await expect(run(new CommandTransport(['echo', 'go away']), 'true')).rejects.toMatchObject({
    code: 'E_NODE_SHELL',
    why: expect.stringContaining('0'),
  });
  const bare = new CommandTransport(['env', 'PATH=/nonexistent']);
  await expect(run(bare, 'true')).rejects.toMatchObject({ code: 'E_NODE_SHELL', why: 'it has no bash' });
});

interface Extra {
  readonly args?: readonly string[];
  readonly files?: Readonly<Record<string, Buffer>>;
  readonly onLine?: (line: string) => void;
}

function run(transport: Transport, script: string, { args = [], files = {}, onLine = () => {} }: Extra = {}) {
  return runScript(transport, { name: 'box', script: Buffer.from(script), args, files, onLine });
}
