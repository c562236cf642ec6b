/** What is put back from a backup goes on where the world is, and work that nobody merged comes back by its token. */
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { gitIn, type Home, makeHome, PROJECT } from './home.ts';
import type { Running } from './running.ts';
import { until } from './until.ts';

const WAITS =
  'mark "began-$DISPATCH_TASK-$DISPATCH_ATTEMPT"; await "go-$DISPATCH_TASK"; put "src/$DISPATCH_TASK.txt" done';
const LIMIT_MS = 480_000;
const FENCE = /^\w+ refs\/dispatch\/fence\n/mu;
const PATIENCE_MS = 180_000;

interface HealthPart {
  readonly part: string;
  readonly ok: boolean;
  readonly detail: string;
}

interface WorkRow {
  readonly id: string;
  readonly task: string | null;
  readonly what: string;
  readonly place: string;
  readonly why: string;
}

async function serving(home: Home, env: Readonly<Record<string, string>> = {}): Promise<Running> {
  const serve = home.spawn(['serve', '-o', 'ndjson'], { limitMs: LIMIT_MS, env });
  await serve.until('that it serves', () => serve.lines.some(({ type }) => type === 'Serve'));
  return serve;
}

async function json(home: Home, ...args: string[]): Promise<{ code: number | null; data: never }> {
  const { code, stdout, stderr } = await home.dispatch([...args, '-o', 'json'], { limitMs: LIMIT_MS });
  expect(stderr, `dispatch ${args.join(' ')}`).toBe('');
  return { code, data: JSON.parse(stdout).data as never };
}

async function works(home: Home): Promise<readonly WorkRow[]> {
  return (await json(home, 'rescue', PROJECT)).data;
}

describe('recovery', { timeout: LIMIT_MS }, () => {
  test('a home put back from a backup merges nothing twice, shows what it does not know, and goes on', async () => {
    const home = makeHome({
      tasks: {
        A: {},
        // Refused by its own gate: its branch is kept, and merges never.
        K: { verify: 'false' },
        B: { agent: WAITS },
        C: { depends_on: ['B'] },
      },
      files: { 'agents/N.sh': 'put src/N.txt n\n', 'agents/W.sh': `${WAITS}\n` },
    });
    const serve = await serving(home);
    const watched = home.start({ limitMs: LIMIT_MS });
    await serve.news(`${PROJECT}/A`, 'merged', PATIENCE_MS);
    await serve.news(`${PROJECT}/K`, 'failed', PATIENCE_MS);
    await home.marked('began-B-1', PATIENCE_MS);
    const { file } = (await json(home, 'backup')).data as { file: string };

    // After the backup: what it knows as running lands, with what depends on it; a new task lands; another one runs.
    home.mark('go-B');
    await serve.news(`${PROJECT}/C`, 'merged', PATIENCE_MS);
    home.writeSpec('N', { modifies: ['src/N.txt'] });
    home.writeSpec('W', { modifies: ['src/W.txt'] });
    await serve.news(`${PROJECT}/N`, 'merged', PATIENCE_MS);
    await home.marked('began-W-1', PATIENCE_MS);
    const refused = await home.dispatch(['restore', file]);
    expect({ code: refused.code, says: refused.stderr }).toEqual({
      code: 6,
      says: expect.stringContaining('E_CONTROLLER_RUNNING'),
    });
    await serve.kill();
    await watched.kill();

    const restored = (await json(home, 'restore', file)).data as { tasks: string[]; problems: string[] };
    expect(restored).toMatchObject({ problems: [], files: [] });
    expect(restored.tasks.toSorted()).toEqual([`${PROJECT}/B`, `${PROJECT}/C`, `${PROJECT}/N`]);
    expect((await home.dispatch(['replay', '--check'])).stdout).toMatch(/^equal: /u);
    expect(await home.words()).toMatchObject({
      A: 'merged',
      B: 'merged',
      C: 'merged',
      N: 'merged',
      K: 'failed',
    });

    // The attempt that began after the backup goes on, and is nobody's.
    const [lost] = (await works(home)).filter(({ task }) => task === `${PROJECT}/W`);
    expect(lost).toMatchObject({
      place: 'attempts',
      why: 'this store does not know it; on its node: it runs',
    });
    const second = await serving(home);
    const again = home.start({ limitMs: LIMIT_MS });
    await second.until('that the node tells of it', () =>
      second.notes.some(({ message }) => message.includes('this store does not know')),
    );
    await until(
      'that W runs as an attempt of this store too',
      () => attemptsAt(home, 'W') === 2,
      PATIENCE_MS,
    );
    home.mark('go-W');
    await second.news(`${PROJECT}/W`, 'merged', PATIENCE_MS);
    await again.ended;
    const delivered = await home.dispatch(['collect', PROJECT], { limitMs: LIMIT_MS });
    expect(delivered.stdout).toContain('delivered');
    await until(
      'that the attempt of before has ended too',
      async () => (await works(home)).some(({ id, what }) => id === lost?.id && what === 'result'),
      PATIENCE_MS,
    );
    second.signal('SIGTERM');
    expect((await second.ended).code).toBe(0);

    expect(home.landed()).toEqual(['A', 'B', 'C', 'N', 'W']);
    expect(home.attempts()).toEqual(['A 1', 'B 1', 'C 1', 'K 1', 'N 1', 'W 1', 'W 1']);

    // Everything that has not merged is there, and comes back.
    const left = await works(home);
    const kept = left.find(({ task }) => task === `${PROJECT}/K`);
    expect(kept).toMatchObject({ what: 'branch', place: 'hub' });
    expect(left).toHaveLength(2);
    for (const [id, branch, path] of [
      [lost?.id.slice(0, 12), 'rescued/W', 'src/W.txt'],
      [kept?.id, 'rescued/K', 'src/K.txt'],
    ]) {
      expect(await home.dispatch(['rescue', id ?? '', '--as', branch ?? ''])).toMatchObject({
        code: 0,
        stderr: '',
      });
      expect(home.git('show', `${branch}:${path}`)).not.toBe('');
    }
    const twice = await home.dispatch(['rescue', lost?.id ?? '', '--as', 'rescued/K']);
    expect({ code: twice.code, says: twice.stderr }).toEqual({
      code: 2,
      says: expect.stringContaining('has a branch rescued/K already'),
    });

    // A store that nobody can use, and no backup: what has landed is in the hub, and what has not is found without it.
    const known = await works(home);
    const database = join(home.dir, '.dispatch', 'state.db');
    const spoilt = new Database(database);
    spoilt.exec('ALTER TABLE nodes ADD COLUMN region TEXT');
    spoilt.close();
    const shut = await home.dispatch(['status']);
    expect({ code: shut.code, says: shut.stderr }).toEqual({
      code: 6,
      says: expect.stringMatching(/E_STORE_FORM[^]*dispatch restore --from-hubs/u),
    });
    const unaided = await home.dispatch(['rescue', PROJECT, '-o', 'json']);
    expect(unaided.stderr).toContain('E_STORE_FORM');
    const found = JSON.parse(unaided.stdout).data as WorkRow[];
    expect(found.map(({ id, place }) => [id, place])).toEqual(known.map(({ id, place }) => [id, place]));
    const rebuilt = (await json(home, 'restore', '--from-hubs')).data as { tasks: string[]; aside: string };
    expect(rebuilt).toMatchObject({ problems: [] });
    expect(rebuilt.tasks.toSorted()).toEqual(['A', 'B', 'C', 'N', 'W'].map((id) => `${PROJECT}/${id}`));
    expect(existsSync(join(rebuilt.aside, 'state.db'))).toBe(true);
    expect((await home.dispatch(['replay', '--check'])).stdout).toMatch(/^equal: /u);
    // The nodes follow it, and only what has not landed runs again.
    expect((await home.start({ limitMs: LIMIT_MS }).ended).code).toBe(3);
    expect(home.attempts()).toEqual(['A 1', 'B 1', 'C 1', 'K 1', 'K 1', 'N 1', 'W 1', 'W 1']);
    expect(home.landed()).toEqual(['A', 'B', 'C', 'N', 'W']);
  });

  test('a hub that is gone comes back with every branch, and files of a cancelled attempt come back from its node', async () => {
    const home = makeHome({
      tasks: {
        A: {},
        K: { verify: 'false' },
        X: { agent: 'put src/X.txt half; mark half; await never' },
      },
    });
    const serve = await serving(home);
    const watched = home.start({ limitMs: LIMIT_MS });
    await serve.news(`${PROJECT}/A`, 'merged', PATIENCE_MS);
    await serve.news(`${PROJECT}/K`, 'failed', PATIENCE_MS);
    await home.marked('half', PATIENCE_MS);
    expect((await home.dispatch(['cancel', 'X'])).code).toBe(0);
    await until(
      'that the files of X are kept',
      async () =>
        (await works(home)).some(({ task, why }) => task === `${PROJECT}/X` && !why.includes('it runs')),
      PATIENCE_MS,
    );
    await watched.ended;
    const hub = join(home.dir, '.dispatch', 'repos', `${PROJECT}.git`);
    const refs = (): string => gitIn(hub, 'for-each-ref', '--format=%(objectname) %(refname)');
    await until('that the branch of K is in the hub', async () => refs().split('refs/cand/').length === 3);
    const before = refs();
    const { file } = (await json(home, 'backup')).data as { file: string };
    await serve.kill();

    rmSync(hub, { recursive: true });
    rmSync(join(home.dir, '.dispatch', 'state.db'));
    expect((await json(home, 'restore', file)).data).toMatchObject({ problems: [], tasks: [] });
    // One is new: no git of before lands any more.
    expect(refs()).toMatch(FENCE);
    expect(refs().replace(FENCE, '')).toBe(before);
    gitIn(hub, 'rev-list', '--objects', '--quiet', '--all');

    const files = (await works(home)).find(({ task }) => task === `${PROJECT}/X`);
    expect(files).toMatchObject({ what: 'files' });
    expect(await home.dispatch(['rescue', files?.id ?? '', '--as', 'half'])).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(home.file('src/X.txt', 'half')).toBe('half\n');
  });

  test('a hub that does not work ends in safe mode, told once and shown with the way out; what ended meanwhile lands when it works', async () => {
    const early = Array.from({ length: 8 }, (_, at) => `A${at + 1}`);
    const home = makeHome({
      tasks: {
        ...Object.fromEntries(early.map((id) => [id, { agent: WAITS }])),
        B: { depends_on: ['A1'] },
      },
      nodes: [{ name: 'here', local: true, slots: 8 }],
    });
    writeFileSync(join(home.dir, 'alerts.yaml'), 'every: 1s\n');
    const serve = await serving(home);
    const watched = home.start({ limitMs: LIMIT_MS });
    for (const id of early) await home.marked(`began-${id}-1`, PATIENCE_MS);
    const objects = join(home.dir, '.dispatch', 'repos', `${PROJECT}.git`, 'objects');
    renameSync(objects, `${objects}.gone`);
    for (const id of early) home.mark(`go-${id}`);
    const told = (text: string) => (): boolean =>
      serve.notes.some(({ about, message }) => about === 'component' && message.includes(text));
    const alerted = (text: string) => (): boolean =>
      serve.notes.some(({ about, message }) => about === 'alert' && message.startsWith(text));
    await serve.until('that the hub is degraded', told('failed 3 times in a row'));
    await serve.until('that nothing new starts', told('failed 40 times in a row'), PATIENCE_MS);
    await serve.until('that an alert says so', alerted(`P0: no new work of ${PROJECT} starts`));
    const why = (await json(home, 'why', 'B')).data as { blockers: { why: string; part?: string }[] };
    expect(why.blockers).toContainEqual(
      expect.objectContaining({ why: 'safe-mode', part: `the hub of ${PROJECT}` }),
    );
    expect((await home.dispatch(['why', 'B'])).stdout).toContain('dispatch doctor');
    expect((await home.dispatch(['status'])).stderr).toContain(`safe mode, no new work of ${PROJECT} starts`);
    expect((await home.dispatch(['doctor'])).stdout).toMatch(
      /fail\tproject\.p\.hub\t.* is damaged\t.*\t.*dispatch restore/u,
    );
    const health = await json(home, 'health');
    expect(health.code).toBe(3);
    expect(health.data as HealthPart[]).toContainEqual(
      expect.objectContaining({ part: 'component', ok: false, detail: expect.stringContaining('safe mode') }),
    );
    renameSync(`${objects}.gone`, objects);
    for (const id of [...early, 'B']) await serve.news(`${PROJECT}/${id}`, 'merged', PATIENCE_MS);
    await serve.until('that it works again', told('works again'));
    await serve.until('that the alert is over', alerted('resolved: it was: no new work'));
    for (const code of ['E_DEGRADED', 'E_SAFE_MODE'])
      expect(serve.notes.filter((one) => one.about === 'component' && one.code === code)).toHaveLength(1);
    expect((await json(home, 'alerts')).data).toEqual([]);
    expect((await watched.ended).code).toBe(0);
    expect(home.attempts()).toEqual([...early, 'B'].map((id) => `${id} 1`));
    serve.signal('SIGTERM');
    expect((await serve.ended).code).toBe(0);
  });

  test('serve makes the backup of the day when it is due, alerts until it can, and a defect ends it for whoever supervises it', async () => {
    const home = makeHome({ tasks: { A: {} } });
    const first = await serving(home);
    expect((await home.start({ limitMs: LIMIT_MS }).ended).code).toBe(0);
    first.signal('SIGTERM');
    await first.ended;
    const backups = join(home.dir, '.dispatch', 'backups');
    expect((await home.dispatch(['backup'])).code).toBe(0);
    const [asked = ''] = readdirSync(backups);
    rmSync(join(backups, asked));
    const old = '20200101T000000Z-daily.tar.gz';
    writeFileSync(join(backups, old), '');

    const preload = join(home.base, 'defect.mjs');
    writeFileSync(
      preload,
      "process.on('SIGUSR2', () => void Promise.reject(new Error('a planted defect')));\n",
    );
    // A backup is only what replays: tables that do not say what the log says make none.
    writeFileSync(join(home.dir, 'alerts.yaml'), 'every: 1s\n');
    const tables = new Database(join(home.dir, '.dispatch', 'state.db'));
    tables.exec('UPDATE tasks SET n = 7');
    const second = await serving(home, { NODE_OPTIONS: `--import=${preload}` });
    const alerted = (running: Running, text: string) => (): boolean =>
      running.notes.some(({ about, message }) => about === 'alert' && message.startsWith(text));
    await second.until('that it cannot be made', alerted(second, 'P0: the backup of the day cannot be made'));
    expect(readdirSync(backups)).toEqual([old]);
    tables.exec('UPDATE tasks SET n = 1');
    tables.close();
    second.signal('SIGUSR2');
    const { code, stderr } = await second.ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('a planted defect') });
    const thrown = join(home.base, 'thrown.mjs');
    writeFileSync(thrown, "process.on('SIGUSR2', () => { throw new Error('a planted exception'); });\n");
    const third = await serving(home, { NODE_OPTIONS: `--import=${thrown}` });
    await third.until('that the backup is made', () =>
      third.notes.some(({ about, message }) => about === 'backup' && message.startsWith('wrote ')),
    );
    expect(readdirSync(backups).filter((name) => name.endsWith('-daily.tar.gz'))).toHaveLength(2);
    await third.until('that the alert is over', alerted(third, 'resolved: it was: the backup of the day'));
    third.signal('SIGUSR2');
    const last = await third.ended;
    expect({ code: last.code, stderr: last.stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('a planted exception'),
    });
    // It holds nothing: the next one takes over at once.
    expect((await home.dispatch(['status'])).stderr).toContain('no controller runs');
  });
});

/** Trees of attempts of a task that are on the node now. */
function attemptsAt(home: Home, task: string): number {
  return home.executions().filter((one) => one.task === task).length;
}
