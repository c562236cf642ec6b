/** Alerts and health of a home that is kept: told once across a crash, told when over, and asked for over HTTP. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { httpReceiver } from '../alerts/receivers.ts';
import { type Home, makeHome } from './home.ts';
import type { Running } from './running.ts';
import { until } from './until.ts';

const LIMIT_MS = 240_000;

const ALERTS = `every: 200ms
rules:
  node-down: { after: 300ms }
  event-loop: { off: true }
  disk: { off: true }
sinks:
  - { kind: terminal }
  - { kind: webhook, name: hook, url_env: HOOK }
  # Nobody listens there.
  - { kind: slack, name: broken, url: "http://127.0.0.1:2/secret-hook" }
`;

interface Told {
  readonly state: string;
  readonly key: string;
  readonly code: string;
}

test('an alert is told once, also after a crash; what is over says so; a sink that fails is told of by the others', {
  timeout: LIMIT_MS,
}, async () => {
  const receiver = await httpReceiver();
  // A busy machine may be slow to reach itself: that is another story.
  const told = (): string[] =>
    receiver.received
      .flatMap(({ body }) => (JSON.parse(body) as { alerts: Told[] }).alerts)
      .filter(({ key }) => key !== 'node/here')
      .map(({ state, key, code }) => `${state} ${key} ${code}`);
  const home = makeHome({
    tasks: { A: {} },
    nodes: [
      { name: 'here', local: true },
      { name: 'gone', command: ['false'] },
    ],
  });
  writeFileSync(join(home.dir, 'alerts.yaml'), ALERTS);
  writeFileSync(join(home.dir, 'dispatch.yaml'), 'serve: { listen: "127.0.0.1:0" }\n');
  const env = { HOOK: `${receiver.url}/hook` };
  expect(await home.dispatch(['health'])).toMatchObject({
    code: 7,
    stderr: expect.stringContaining('E_NO_CONTROLLER') as string,
  });

  const first = await serving(home, env);
  await until('that both are told', () => told().length >= 2);
  expect(told().toSorted()).toEqual(['raised node/gone E_NODE_DOWN', 'raised sink/broken E_SINK']);
  expect(first.output).not.toContain('secret-hook');
  expect(first.notes.filter(({ about, name }) => about === 'alert' && name === 'gone')).toHaveLength(1);

  const url = healthUrl(first);
  const token = readFileSync(join(home.dir, '.dispatch', 'health.token'), 'utf8').trim();
  const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(`${url}${path}`, { headers })).status;
  expect(await status('/health')).toBe(200);
  await until('that it is ready', async () => (await status('/health/ready')) === 200);
  expect(await status('/health/deep')).toBe(401);
  expect(await status('/health/deep', { authorization: `Bearer ${token}` })).toBe(503);
  const health = await home.dispatch(['health', '-o', 'json']);
  expect(health.code).toBe(3);
  const parts = JSON.parse(health.stdout).data as { part: string; about: string | null; ok: boolean }[];
  expect(parts).toMatchObject([
    { part: 'store' },
    { part: 'controller' },
    { part: 'reconciled' },
    { part: 'node', about: 'here' },
    { part: 'node', about: 'gone', ok: false },
    { part: 'component', ok: true },
    { part: 'disk' },
    { part: 'event-loop' },
    { part: 'invariants', ok: true },
    { part: 'aside', ok: true },
  ]);

  const listed = async (...args: string[]): Promise<Listed[]> => {
    const { stdout } = await home.dispatch(['alerts', 'list', '-o', 'json', ...args]);
    return (JSON.parse(stdout) as { data: Listed[] }).data.filter(({ key }) => key !== 'node/here');
  };
  const isRecorded = async (): Promise<boolean> =>
    (await listed()).every(({ told: by }) => by.includes('hook'));
  await until('that it is recorded who was told', isRecorded);
  await first.kill();
  const second = await serving(home, env);
  await second.until('that it tells again what was not taken', () =>
    second.output.includes('"code":"E_SINK"'),
  );
  expect(await home.dispatch(['alerts', 'ack', 'node/gone'])).toMatchObject({ code: 0 });
  expect((await home.dispatch(['alerts', 'ack', 'node/nowhere'])).code).toBe(5);
  const open = await listed();
  expect(open.map(({ key }) => key).toSorted()).toEqual(['node/gone', 'sink/broken']);
  expect(open.find(({ key }) => key === 'node/gone')?.told.toSorted()).toEqual(['hook', 'terminal']);
  expect((await home.dispatch(['alerts'])).stdout).toContain('known to ');

  home.writeNodes([{ name: 'here', local: true }]);
  await until('that it is over', () => told().includes('resolved node/gone E_NODE_DOWN'));
  writeFileSync(join(home.dir, 'alerts.yaml'), ALERTS.replace(/ {2}# Nobody[^]*$/u, ''));
  await until('that the sink is over', () => told().includes('resolved sink/broken E_SINK'));
  expect(told().toSorted()).toEqual([
    'raised node/gone E_NODE_DOWN',
    'raised sink/broken E_SINK',
    'resolved node/gone E_NODE_DOWN',
    'resolved sink/broken E_SINK',
  ]);
  expect(await listed()).toEqual([]);
  expect((await listed('--all')).map(({ key }) => key).toSorted()).toEqual(['node/gone', 'sink/broken']);

  writeFileSync(join(home.dir, 'alerts.yaml'), 'sinks: [{ kind: pigeon }]\n');
  await second.until('that the file is refused', () =>
    second.notes.some(({ name, code }) => name === 'alerts.yaml' && code !== null),
  );
  second.signal('SIGTERM');
  expect((await second.ended).code).toBe(0);
  expect((await home.dispatch(['validate'])).stdout).toContain('alerts.yaml:1:17');
  writeFileSync(join(home.dir, 'alerts.yaml'), ALERTS);
  const tested = home.spawn(['alerts', 'test', 'hook', 'broken', '-o', 'json'], { env });
  const { code, stdout } = await tested.ended;
  expect(code).toBe(3);
  expect(JSON.parse(stdout).data).toMatchObject([
    { sink: 'hook', taken: true, reason: null },
    { sink: 'broken', taken: false, reason: expect.stringContaining('ECONNREFUSED') as string },
  ]);
  expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
});

interface Listed {
  readonly key: string;
  readonly told: readonly string[];
}

async function serving(home: Home, env: Readonly<Record<string, string>>): Promise<Running> {
  const serve = home.spawn(['serve', '-o', 'ndjson'], { limitMs: LIMIT_MS, env });
  await serve.until('that it serves', () => serve.lines.some(({ type }) => type === 'Serve'));
  return serve;
}

/** Where it says that it answers. */
function healthUrl(serve: Running): string {
  const note = serve.notes.find(({ about, code }) => about === 'health' && code === null);
  return /http:\/\/\S+?(?=\/health)/u.exec(note?.message ?? '')?.[0] ?? '';
}
