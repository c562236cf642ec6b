/** A store whose state cannot be right: its controller neither goes on as if nothing were nor ends, and says what to do. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Asides } from '../../src/controller/asides.ts';
import { freshMemory } from '../../src/controller/memory.ts';
import { homePaths } from '../../src/controller/paths.ts';
import { emptyState } from '../../src/model/state.ts';
import { httpReceiver } from '../alerts/receivers.ts';
import { key } from '../schedule/world.ts';
import { raw } from '../store/scratch.ts';
import { makeHome, PROJECT } from './home.ts';
import { until } from './until.ts';

const LIMIT_MS = 240_000;
const BROKEN = 'p/A: n is 5 after 1 attempts';

const ALERTS = `every: 200ms
rules:
  event-loop: { off: true }
  disk: { off: true }
sinks:
  - { kind: webhook, name: hook, url_env: HOOK }
`;

test('a state that cannot be right is told of at once, keeps work from starting, and is over when it is put right', {
  timeout: LIMIT_MS,
}, async () => {
  const receiver = await httpReceiver();
  const told = (): string[] =>
    receiver.received
      .flatMap(({ body }) => (JSON.parse(body) as { alerts: { state: string; key: string }[] }).alerts)
      .flatMap(({ state, key }) => (key === 'invariants' ? state : []));
  const home = makeHome({ tasks: { A: {} } });
  writeFileSync(join(home.dir, 'alerts.yaml'), ALERTS);
  expect((await home.dispatch(['start', PROJECT])).code).toBe(0);
  const store = raw(homePaths(home.dir).database);
  const setN = (n: number): void => {
    store.prepare("UPDATE tasks SET n = ? WHERE key = 'p/A'").run(n);
  };
  setN(5);
  home.writeSpec('B', { modifies: ['src/B.txt'], agent: 'put src/B.txt b' });

  const alone = await home.dispatch(['start', PROJECT]);
  expect(alone).toMatchObject({ code: 1, stderr: expect.stringContaining(BROKEN) as string });
  const check = await home.dispatch(['replay', '--check', '-o', 'json']);
  expect(check.code).toBe(1);
  expect(JSON.parse(check.stdout).data.broken).toEqual(
    expect.arrayContaining([{ event: null, what: BROKEN }]),
  );

  const env = { HOOK: `${receiver.url}/hook` };
  const serve = async () => {
    const started = home.spawn(['serve', '-o', 'ndjson'], { limitMs: LIMIT_MS, env });
    await started.until('that it serves', () => started.lines.some(({ type }) => type === 'Serve'));
    return started;
  };
  const damaged = await serve();
  await until('that it is told', () => told().includes('raised'));
  expect(damaged.notes.filter(({ code }) => code === 'E_INVARIANT').length).toBeGreaterThan(0);
  // What could not be applied is named wherever somebody looks, until it is deleted.
  const refused = { is: 'command', command: { verb: 'cancel', task: key('p', 'A'), reason: 'x' } } as const;
  const own = { home: home.dir, state: emptyState(), memory: freshMemory(emptyState()) };
  new Asides({ ...own, now: () => 1, note: () => undefined }).put(refused, new Error('never'));
  const health = await home.dispatch(['health', '-o', 'json']);
  const parts = JSON.parse(health.stdout).data as { part: string; ok: boolean; detail: string }[];
  expect(parts.find(({ part }) => part === 'invariants')).toMatchObject({
    ok: false,
    detail: expect.stringContaining('p/A: merged with attempt 1 of 5') as string,
  });
  expect(home.attempts()).toEqual(['A 1']);
  const aside = parts.find(({ part }) => part === 'aside');
  expect(aside).toMatchObject({ ok: false, detail: expect.stringContaining('the command cancel') as string });
  expect((await home.dispatch(['doctor', '-o', 'json'])).stdout).toContain('home.aside');
  expect((await home.dispatch(['why', 'A'])).stdout).toContain('dispatch explain E_UNFIT');
  rmSync(homePaths(home.dir).aside, { recursive: true });
  damaged.signal('SIGTERM');
  expect((await damaged.ended).code).toBe(0);

  setN(1);
  const mended = await serve();
  await until('that it is over', () => told().includes('resolved'));
  await home.dispatch(['start', PROJECT]);
  expect(home.attempts()).toContain('B 1');
  expect(told()).toEqual(['raised', 'resolved']);
  mended.signal('SIGTERM');
  expect((await mended.ended).code).toBe(0);
  expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
});
