import { expect, test } from 'vitest';
import type { Fact } from '../../src/model/event.ts';
import { added, BASE, claim, commit, done, PROJECT, SET_UP, token } from '../model/builder.ts';
import { dispatch, makeHome, record } from './dispatch.ts';

/** A task whose branch is in the queue, under attempt `number`. */
function queued(id: string, number: number): Fact[] {
  const head = commit(number + 0x100);
  return [
    added(id, { modifies: [`src/${id}.ts`], title: `Do ${id}` }),
    claim(id, number),
    { type: 'attempt.ended', token: token(number), outcome: done(head) },
    { type: 'candidate.accepted', token: token(number), head, changed: 1 },
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
