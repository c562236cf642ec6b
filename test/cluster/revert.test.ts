/** What has merged is taken out again: through the queue and its gate, and never against what came later. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { gitIn, type Home, makeHome, PROJECT } from './home.ts';

// Each runs the command line many times, which takes its time on a machine that is busy with something else.
vi.setConfig({ testTimeout: 300_000 });

/** For what takes seconds on a machine that has nothing else to do. */
const PATIENCE_MS = 150_000;

function hub(home: Home, ...args: string[]): string {
  return gitIn(join(home.dir, '.dispatch', 'repos', `${PROJECT}.git`), ...args).trim();
}

/** Paths on integration below src/. */
function sources(home: Home): string[] {
  return hub(home, 'ls-tree', '-r', '--name-only', 'integration', 'src/').split('\n');
}

describe('a task that has merged is reverted', () => {
  test('what depends on it is marked, and collect delivers the revert like everything else', async () => {
    const home = makeHome({
      tasks: {
        A: {},
        B: { depends_on: ['A'] },
        X: {},
      },
    });
    expect((await home.start().ended).code).toBe(0);
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);

    const { code, stdout, stderr } = await home.dispatch(['revert', 'A', '--reason', 'the wrong letter']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('p/B has merged and depends on it'),
    });
    expect(stdout).toContain('✔ p/A reverted by ');
    expect(sources(home)).toEqual(['src/B.txt', 'src/X.txt', 'src/first.txt']);
    const trailer = '%(trailers:key=Dispatch-Reverts,valueonly)';
    expect(hub(home, 'log', '-1', `--format=%s|${trailer}`, 'integration')).toBe(
      'Revert A: The goal of A.|A',
    );
    expect(await home.status()).toMatchObject({
      A: { status: 'reverted', reason: 'the wrong letter' },
      B: { status: 'merged', reason: 'Reverted(A)' },
      X: { status: 'merged', reason: '' },
    });
    expect((await home.dispatch(['why', 'B'])).stdout).toContain('rests on what was reverted: p/A');

    expect((await home.dispatch(['collect', PROJECT])).code).toBe(3);
    expect(home.git('ls-tree', '--name-only', 'main', 'src/')).not.toContain('src/A.txt');
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });

  test('those that have not started wait for it, and a retry does it again with the reason', async () => {
    const prompt =
      'cp "$DISPATCH_PROMPT" "$MARKS/prompt-$DISPATCH_ATTEMPT"\nput src/A.txt "$DISPATCH_ATTEMPT"';
    const home = makeHome({
      tasks: { A: { agent: prompt }, B: { depends_on: ['A'] } },
      files: { 'agents/C.sh': 'put src/C.txt c\n' },
    });
    expect((await home.start().ended).code).toBe(0);
    expect((await home.dispatch(['revert', 'A', '--reason', 'the wrong letter'])).code).toBe(0);
    home.writeSpec('C', { depends_on: ['A'], modifies: ['src/C.txt'] });
    expect((await home.start().ended).code).toBe(3);
    expect(await home.words()).toEqual({ A: 'reverted', B: 'merged', C: 'blocked' });
    expect((await home.dispatch(['retry', 'A'])).code).toBe(0);
    expect((await home.start().ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1', 'A 2', 'B 1', 'C 1']);
    expect(home.read('prompt-2')).toContain('a person had it reverted: the wrong letter');
    expect((await home.status()).B?.reason).toBe('');
    expect(hub(home, 'show', 'integration:src/A.txt')).toBe('2');
  });

  test('a controller that runs does it as well, while agents work', async () => {
    const home = makeHome({ tasks: { A: {}, L: { agent: 'mark L-began\nawait L-goes\nput src/L.txt l' } } });
    const started = home.start({ limitMs: PATIENCE_MS });
    await started.news(`${PROJECT}/A`, 'merged', PATIENCE_MS);
    await home.marked('L-began', PATIENCE_MS);
    const reverted = await home.dispatch(['revert', 'A', '-o', 'json']);
    expect(reverted.code).toBe(0);
    const { data } = JSON.parse(reverted.stdout) as { data: unknown };
    expect(data).toEqual([
      { task: 'p/A', ok: true, commit: hub(home, 'rev-parse', 'integration'), resting: [] },
    ]);
    await started.news(`${PROJECT}/A`, 'reverted', PATIENCE_MS);
    home.mark('L-goes');
    expect((await started.ended).code).toBe(3);
    expect(await home.words()).toEqual({ A: 'reverted', L: 'merged' });
    expect(sources(home)).toEqual(['src/L.txt', 'src/first.txt']);
  });
});

describe('a revert is refused', () => {
  test('where later work changed the same lines: 409, the later tasks, and what to type; which then works', async () => {
    const home = makeHome({
      tasks: {
        A: { agent: 'put src/shared.txt "from A"', modifies: ['src/shared.txt'] },
        B: {
          agent: 'put src/shared.txt "from B"\nput src/B.txt b',
          modifies: ['src/shared.txt', 'src/B.txt'],
          depends_on: ['A'],
        },
      },
    });
    expect((await home.start().ended).code).toBe(0);
    const before = hub(home, 'rev-parse', 'integration');
    const { code, stderr } = await home.dispatch(['revert', 'A']);
    expect(code).toBe(6);
    expect(stderr).toContain('error[E_REVERT_CONFLICT] 409: p/A cannot be taken out');
    expect(stderr).toContain('src/shared.txt: changed since by B\n');
    expect(stderr).toContain('fix: dispatch revert p/B p/A');
    expect(hub(home, 'rev-parse', 'integration')).toBe(before);
    expect(await home.words()).toEqual({ A: 'merged', B: 'merged' });

    const both = await home.dispatch(['revert', 'A', 'B', '-o', 'json']);
    expect(both.code).toBe(0);
    expect(await home.words()).toEqual({ A: 'reverted', B: 'reverted' });
    expect(sources(home)).toEqual(['src/first.txt']);
  });

  test('where verify is red without it: it stays, with the output', async () => {
    const home = makeHome({
      tasks: {
        A: {},
        B: {
          agent: 'put tests/B.sh "test -f src/A.txt || { echo where is A; exit 1; }"',
          modifies: ['tests/B.sh'],
          depends_on: ['A'],
        },
      },
    });
    expect((await home.start().ended).code).toBe(0);
    const before = hub(home, 'rev-parse', 'integration');
    const { code, stderr } = await home.dispatch(['revert', 'A']);
    expect(code).toBe(3);
    expect(stderr).toContain('error[E_REVERT_RED] without p/A verify is red');
    expect(stderr).toContain('where is A');
    expect(stderr).toContain('fix: dispatch revert p/B p/A');
    expect(hub(home, 'rev-parse', 'integration')).toBe(before);
    expect(await home.words()).toEqual({ A: 'merged', B: 'merged' });
  });

  test('of what has not merged, or was reverted already', async () => {
    const home = makeHome({ tasks: { A: {}, N: { agent: 'exit 1' } } });
    expect((await home.start().ended).code).toBe(3);
    const never = await home.dispatch(['revert', 'A', 'N']);
    expect(never.code).toBe(6);
    expect(never.stderr).toContain('error[E_WRONG_STATE] p/N has not merged: it is failed');
    expect(await home.words()).toMatchObject({ A: 'merged' });
    expect((await home.dispatch(['revert', 'A'])).code).toBe(0);
    const twice = await home.dispatch(['revert', 'A']);
    expect(twice.code).toBe(6);
    expect(twice.stderr).toContain('fix: dispatch retry p/A');
  });
});

test('a controller that is killed in the middle of a revert is followed by one that lands it, after one gate', async () => {
  const home = makeHome({ tasks: { A: {} }, project: { trusted: true } });
  home.commit(
    {
      'tests/slow.sh': [
        `test -e ${home.marks}/reverting || exit 0`,
        `echo ran >>${home.marks}/gates`,
        `while ! test -e ${home.marks}/goes; do sleep 0.05; done`,
      ].join('\n'),
    },
    'a slow test',
  );
  expect((await home.start().ended).code).toBe(0);
  home.commit({ 'src/new.txt': 'so that no tree was gated before\n' }, 'new');
  expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
  home.mark('reverting');
  const first = home.spawn(['revert', 'A'], { limitMs: PATIENCE_MS });
  await home.marked('gates', PATIENCE_MS);
  await first.kill();
  expect(await home.words()).toEqual({ A: 'gating' });
  home.mark('goes');
  const { code, stdout } = await home.dispatch(['revert', 'A']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('p/A reverted by') });
  expect(readFileSync(join(home.marks, 'gates'), 'utf8')).toBe('ran\n');
  expect(sources(home)).toEqual(['src/first.txt', 'src/new.txt']);
});

test('a queue that stands still keeps a revert: the verb says so, and a drop gives it up', async () => {
  const home = makeHome({ tasks: { A: {} } });
  expect((await home.start().ended).code).toBe(0);
  expect((await home.dispatch(['queue', 'hold', PROJECT, '--reason', 'to look'])).code).toBe(0);
  const { code, stderr } = await home.dispatch(['revert', 'A']);
  expect(code).toBe(3);
  expect(stderr).toContain('error[E_REVERT_WAITS]');
  expect((await home.dispatch(['queue', 'show', '-o', 'name'])).stdout).toBe('p/A\n');
  const dropped = await home.dispatch(['queue', 'drop', 'A']);
  expect(dropped.stderr).toContain('stays merged');
  expect(await home.words()).toEqual({ A: 'merged' });
});
