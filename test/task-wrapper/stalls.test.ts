/** Attempts that really hang, each in its own way, and what their node says of them. Nothing is ended for silence. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Token } from '../../src/model/ids.ts';
import type { Stall } from '../../src/model/stall.ts';
import type { AttemptOrder } from '../../src/protocol/order.ts';
import { type Client, plainOrder, shell, TestNode } from './client.ts';

const STREAMS = fileURLToPath(new URL('../fixtures/agent-events', import.meta.url));

let node: TestNode;
let client: Client;
let provider: Server;
let running: Token[] = [];

beforeEach(async () => {
  node = new TestNode();
  client = await node.join();
  provider = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  running = [];
});
afterEach(async () => {
  for (const token of running)
    await client.call({ op: 'cancel', token, reason: 'the test is over', epoch: 1 }).catch(() => {});
  provider.close();
  await node.clean();
});

/** Starts a shell text that is to be explained after this much silence. */
async function begin(script: string, kind: 'shell' | 'claude' = 'shell'): Promise<Token> {
  const plain = shell(script);
  const executor =
    kind === 'shell'
      ? plain
      : { ...plain, kind, command: [...plain.command, 'agent'], secrets: {}, call: { hangMs: 300_000 } };
  const order: AttemptOrder = plainOrder('', { stallMs: 1000, timeoutMs: 300_000 }, { executor });
  await client.call({ op: 'start', order });
  running.push(order.token);
  return order.token;
}

function stalls(token: Token): Stall[] {
  return client.events.flatMap((entry) =>
    entry.type === 'attempt.stalled' && entry.token === token ? [entry.stall] : [],
  );
}

/** The stall with this cause, once it was told. */
function told(token: Token, cause: Stall['cause']): Promise<Stall> {
  return client.until(
    () => stalls(token).find((stall) => stall.cause === cause),
    `${token} is told as ${cause}`,
  );
}

function movedAfter(token: Token, stall: Stall): boolean {
  const at = client.events.findIndex((entry) => entry.type === 'attempt.stalled' && entry.stall === stall);
  return client.events.slice(at).some((entry) => entry.type === 'attempt.moved' && entry.token === token);
}

test('each way of hanging is told by its cause, with what shows it, and is left alone', async () => {
  const { port } = provider.address() as { port: number };
  const [busy, typing, child, stopped, idle, trust, online, looping] = await Promise.all([
    begin('while :; do :; done'),
    begin('printf "Name: " >/dev/tty; read -r name </dev/tty; echo "$name"'),
    begin('echo testing; sleep 301; true'),
    begin('kill -STOP $$; echo on; sleep 302; true'),
    begin('exec sleep 303'),
    begin('echo "Do you trust the files in this folder?"; read -r yes </dev/tty', 'claude'),
    begin(`exec "${process.execPath}" -e 'require("node:net").connect(${port}, "127.0.0.1")'`),
    begin('while :; do echo "the same tool call"; sleep 0.05; done'),
  ]);

  expect(await told(typing, 'keyboard')).toMatchObject({
    evidence: { processes: [{ waits: 'terminal', state: 'sleeping' }], finished: false },
  });
  expect(await told(child, 'child')).toMatchObject({
    detail: 'sleep 301',
    evidence: { logBytes: 8, lastLines: ['testing'] },
  });
  expect((await told(trust, 'trust')).detail).toContain('Do you trust the files in this folder?');
  await told(idle, 'unknown');
  expect((await told(online, 'model')).evidence.processes[0]).toMatchObject({ waits: 'network' });
  expect((await told(looping, 'looping')).evidence.repeats).toMatchObject({ line: 'the same tool call' });

  expect((await told(busy, 'busy')).evidence.cpu?.usedMs).toBeGreaterThan(0);

  const stop = await told(stopped, 'stopped');
  const held = stop.evidence.processes.find(({ state }) => state === 'stopped');
  process.kill(held?.pid ?? 0, 'SIGCONT');
  await client.until(() => movedAfter(stopped, stop), 'a process that goes on takes its stall back');

  const { entries } = await client.call({ op: 'inventory' });
  expect(entries.map(({ state }) => state)).toEqual(Array.from(entries, () => 'running'));

  // Who waits on its terminal is shown there, and everybody else what they print; a person who types is in the live session.
  const look = await client.call({ op: 'attach', token: typing });
  expect(look).toMatchObject({ shows: 'terminal', now: { cause: 'keyboard' } });
  expect(look.argv.slice(-4)).toEqual(['attach-session', '-r', '-t', `=d_${typing}_1a`]);
  const log = await client.call({ op: 'attach', token: child });
  expect(log).toMatchObject({ shows: 'log', now: { cause: 'child' } });
  const write = await client.call({ op: 'attach', token: child, write: true });
  expect(write.argv.slice(-3)).toEqual(['attach-session', '-t', `=d_${child}_1a`]);
  expect(node.tmux('show-options', '-wv', '-t', `=d_${child}_1a:`, 'window-size').trim()).toBe('manual');
});

test('another supervisor neither tells a stall again nor forgets to take it back', async () => {
  const pipe = `${node.root}/pipe`;
  execFileSync('mkfifo', [pipe]);
  const token = await begin(`read -r line <${pipe}; echo on; exec sleep 304`);
  const first = await told(token, 'unknown');
  process.kill(node.supervisorPid(), 'SIGKILL');
  await client.closed;
  client = await node.join();
  writeFileSync(pipe, 'go\n');
  await client.until(() => movedAfter(token, stalls(token)[0] ?? first), 'the stall is taken back');
  await client.until(() => stalls(token).length > 1, 'it is silent again');
  const news = client.events.map(({ type }) => type);
  expect(news.filter((type) => type === 'attempt.stalled' || type === 'attempt.moved')).toEqual([
    'attempt.stalled',
    'attempt.moved',
    'attempt.stalled',
  ]);
});

test('what an agent has said of its result and its provider is told while it runs, each refusal once', async () => {
  const mark = `${node.root}/mark`;
  const [finished, login, limited] = await Promise.all([
    begin(`cat '${STREAMS}/claude.jsonl'; sleep 305; true`, 'claude'),
    begin(`cat '${STREAMS}/claude-401-retrying.jsonl'; sleep 306; true`, 'claude'),
    begin(
      `sed -n 1,2p '${STREAMS}/claude-429.jsonl'; while ! test -e ${mark}; do sleep 0.1; done; sed -n 2p '${STREAMS}/claude-429.jsonl'; exec sleep 307`,
      'claude',
    ),
  ]);
  const refusals = (token: Token) =>
    client.events.flatMap((entry) =>
      entry.type === 'provider.refused' && entry.token === token ? [entry] : [],
    );
  expect((await told(finished, 'finished')).evidence).toMatchObject({
    finished: true,
    lastEvent: 'result/success',
  });
  expect((await told(login, 'login')).detail).toContain('authentication_failed');
  const first = await told(limited, 'rate');
  expect(first.detail).toContain('rate_limit');
  expect(refusals(limited)[0]?.refusal).toEqual({ kind: 'rate', retryAfterMs: null });
  expect(refusals(login)[0]?.refusal).toEqual({ kind: 'login', retryAfterMs: null });
  writeFileSync(mark, '');
  await client.until(() => movedAfter(limited, first), 'it tries again');
  await client.until(
    () => stalls(limited).filter(({ cause }) => cause === 'rate').length > 1,
    'and is refused again',
  );
  const times = refusals(limited).map(({ at }) => at);
  expect(times.every((at, index) => index === 0 || at - (times[index - 1] ?? 0) >= 60_000)).toBe(true);
});
