import { expect, test } from 'vitest';
import type { Fact } from '../../src/model/event.ts';
import { added, BASE, BASIS, claim, commit, done, PROJECT, SET_UP, token } from '../model/builder.ts';
import { dispatch, makeHome, record } from './dispatch.ts';

/** A task whose branch is in the queue, under attempt `number`. */
function queued(id: string, number: number, more: { changed?: number; changesTests?: boolean } = {}): Fact[] {
  const head = commit(number + 0x100);
  return [
    added(id, { modifies: [`src/${id}.ts`], title: `Do ${id}` }),
    claim(id, number),
    { type: 'attempt.ended', token: token(number), outcome: done(head) },
    { type: 'candidate.accepted', token: token(number), head, changed: 1, ...more },
  ];
}

const STACKED: Fact = {
  type: 'merge.prepared',
  token: token(1),
  onto: BASE,
  commit: commit(0x200),
  tree: 'tree',
  aside: false,
};

async function home(...more: readonly Fact[]): Promise<string> {
  const place = makeHome();
  await record(place, ...SET_UP, ...queued('S01', 1), ...queued('S02', 2), ...queued('S03', 3), ...more);
  return place;
}

/** Place and task of each row. */
async function shown(cwd: string): Promise<string[][]> {
  const { stdout } = await dispatch(['queue', 'show'], { cwd });
  const lines = stdout.trimEnd().split('\n').slice(1);
  return lines.map((line) => line.split('\t').slice(0, 2));
}

test('the queue shows what is stacked and what waits, in the order in which it goes', async () => {
  const cwd = await home(STACKED);
  expect(await shown(cwd)).toEqual([
    ['stacked 1', 'S01'],
    ['queued 1', 'S02'],
    ['queued 2', 'S03'],
  ]);
  const bare = await dispatch(['queue'], { cwd });
  expect(bare.stdout).toBe((await dispatch(['queue', 'show'], { cwd })).stdout);
});

test('a word that is no verb of the queue is refused with the nearest one; a group without a verb says what to type', async () => {
  const cwd = await home();
  const wrong = await dispatch(['queue', 'relese'], { cwd });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('did you mean release?   dispatch help queue');
  const bare = await dispatch(['tunnels'], { cwd });
  expect(bare.code).toBe(2);
  expect(bare.stderr).toContain('dispatch tunnels does nothing by itself');
  expect(bare.stderr).toContain('fix: dispatch help tunnels');
});

test('a held queue says who stopped it and why, until it is released', async () => {
  const cwd = await home();
  const held = await dispatch(['queue', 'hold', PROJECT, '--reason', 'db is down'], { cwd });
  expect(held).toMatchObject({ code: 0, stdout: `✔ ${PROJECT} stands still\n` });
  expect((await dispatch(['queue', 'show'], { cwd })).stderr).toContain('db is down');
  expect((await dispatch(['why', 'S02'], { cwd })).stdout).toContain('db is down');
  expect((await dispatch(['queue', 'release', PROJECT], { cwd })).code).toBe(0);
  expect((await dispatch(['queue', 'show'], { cwd })).stderr).not.toContain('db is down');
});

test('a branch goes to the front, and one that is dropped is out', async () => {
  const cwd = await home();
  await dispatch(['queue', 'hold', PROJECT], { cwd });
  expect((await dispatch(['queue', 'front', 'S03'], { cwd })).code).toBe(0);
  expect((await dispatch(['queue', 'drop', 'S01'], { cwd })).code).toBe(0);
  expect(await shown(cwd)).toEqual([
    ['queued 1', 'S03'],
    ['queued 2', 'S02'],
  ]);
});

test('a gate that was red and then green on one commit is shown as flaky by queue, status and report', async () => {
  const cwd = await home(
    STACKED,
    { type: 'merge.doubted', token: token(1), findings: [], output: 'red', failed: ['test_clock'], ...BASIS },
    { type: 'gate.proved', project: PROJECT, token: token(1), tree: 'tree', ...BASIS },
  );
  const gate = {
    verify: 'make test',
    runs: 2,
    flakes: 1,
    rate: 0.5,
    tests: [{ name: 'test_clock', flakes: 1 }],
  };
  for (const verb of [['queue', 'show'], ['status']]) {
    const text = await dispatch(verb, { cwd });
    expect(text.stderr).toContain('flaky gate of app, `make test`, 1 of 2 runs (50.0 %): test_clock');
    const json = await dispatch([...verb, '-o', 'json'], { cwd });
    expect(JSON.parse(json.stdout)).toMatchObject({ meta: { flaky: [{ project: PROJECT, ...gate }] } });
  }
  const report = await dispatch(['report', PROJECT], { cwd });
  expect(report.stdout).toContain(
    '## Flaky\n\n- `make test`: red, then green on the same commit in 1 of 2 runs',
  );
  expect(report.stdout).toContain('`test_clock`: 1 of 2 runs (50.0 %)');
  const json = await dispatch(['report', PROJECT, '-o', 'json'], { cwd });
  expect(JSON.parse(json.stdout)).toMatchObject({ data: { flaky: [gate] } });
  expect((await dispatch(['replay', '--check'], { cwd })).code).toBe(0);
});

test('what is likely to be bad goes last, and the queue says why', async () => {
  const cwd = await home(...queued('S04', 4, { changed: 40, changesTests: false }), ...queued('S05', 5));
  expect((await shown(cwd)).map(([, task]) => task)).toEqual(['S01', 'S02', 'S03', 'S05', 'S04']);
  const { stdout } = await dispatch(['queue', 'show', '-o', 'json'], { cwd });
  const { data } = JSON.parse(stdout) as {
    data: { task: string; doubt: { chance: number; signs: string[] } }[];
  };
  expect(data.at(-1)).toMatchObject({
    task: 'S04',
    doubt: { signs: ['changes 40 files', 'changes no test'] },
  });
  expect((await dispatch(['queue', 'show'], { cwd })).stdout).toContain(
    '11 %: changes 40 files, changes no test',
  );
});

test('a broken gate is an alert wherever a person or a program looks, until the queue is released', async () => {
  const message = 'the verify command was not found (exit code 127)';
  const broke: Fact = { type: 'gate.broke', project: PROJECT, reason: message, times: 1 };
  const cwd = await home(STACKED, broke);
  const alert = {
    project: PROJECT,
    code: 'E_GATE_BROKEN',
    message: expect.stringContaining(message) as string,
  };
  for (const verb of [['status'], ['queue', 'show'], ['report', PROJECT]]) {
    const text = await dispatch(verb, { cwd });
    expect(text.stdout + text.stderr).toContain('exit code 127');
    const { stdout } = await dispatch([...verb, '-o', 'json'], { cwd });
    const { meta, data } = JSON.parse(stdout) as { meta?: { alerts?: unknown }; data: { alerts?: unknown } };
    expect(meta?.alerts ?? data.alerts).toMatchObject([alert]);
  }
  await record(cwd, { type: 'queue.held', project: PROJECT, by: 'dispatch', reason: message });
  expect((await dispatch(['status'], { cwd })).stderr).toContain(`fix: dispatch queue release ${PROJECT}`);
  expect((await dispatch(['queue', 'release', PROJECT], { cwd })).code).toBe(0);
  expect((await dispatch(['status'], { cwd })).stderr).not.toContain('alert');
});
