/** A gate that cannot go red lets nothing start; one that can shows that once: with real programs. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { type Home, makeHome, PROJECT } from './home.ts';
import { until } from './until.ts';

// Each starts many programs; a busy machine needs its time for them.
vi.setConfig({ testTimeout: 300_000 });

/** The settings of a project whose gates are tried. */
const TRIED = { gates: { control: undefined }, trusted: true };

function triedHome(verify: string, files: Readonly<Record<string, string>> = {}): Home {
  const home = makeHome({ tasks: { A: {} }, files });
  home.writeProject({ ...TRIED, verify: verify.replaceAll('MARKS', home.marks) });
  return home;
}

/** A verify command that notes each run, then does this. */
function counted(command: string): string {
  return `echo run >>MARKS/verified; ${command}`;
}

function runs(home: Home): number {
  const file = join(home.marks, 'verified');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').length : 0;
}

async function controls(home: Home): Promise<unknown> {
  const { stdout } = await home.dispatch(['report', PROJECT, '-o', 'json']);
  return (JSON.parse(stdout) as { data: { controls: unknown } }).data.controls;
}

async function alerts(home: Home): Promise<unknown> {
  const { stdout } = await home.dispatch(['status', '-o', 'json']);
  return (JSON.parse(stdout) as { meta: { alerts: unknown } }).meta.alerts;
}

test('start refuses where the gate stays green on rubbish: no agent runs, and everything says why', async () => {
  const home = triedHome('sh test.sh | cat');
  const refused = await home.dispatch(['start', PROJECT]);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain('E_GATE_PROVES_NOTHING');
  expect(refused.stderr).toContain('--skip-control <reason>');
  expect(home.executions()).toEqual([]);
  expect(await alerts(home)).toMatchObject([{ code: 'E_GATE_PROVES_NOTHING', project: PROJECT }]);
});

test('a start that was refused is believed as soon as the gate is mended', async () => {
  const home = triedHome('sh test.sh | cat');
  expect((await home.dispatch(['start', PROJECT])).code).toBe(3);
  home.writeProject({ ...TRIED, verify: 'sh test.sh' });
  expect((await home.dispatch(['start', PROJECT])).code).toBe(0);
  expect(home.attempts()).toEqual(['A 1']);
  expect(await alerts(home)).toEqual([]);
});

test('a gate that was shown to go red is not tried again at the next start', async () => {
  const home = triedHome(counted('sh test.sh'), { 'agents/B.sh': 'put src/B.txt b\n' });
  expect((await home.dispatch(['start', PROJECT])).code).toBe(0);
  // On the base, on the broken copy, in the attempt, on the merge.
  expect(runs(home)).toBe(4);
  home.writeSpec('B', { modifies: ['src/B.txt'] });
  expect((await home.dispatch(['start', PROJECT])).code).toBe(0);
  expect(runs(home)).toBe(6);
  expect(await controls(home)).toMatchObject([{ verdict: 'proved' }]);
});

test('start --skip-control says why, and work starts without a try', async () => {
  const home = triedHome('true #');
  const { code } = await home.dispatch(['start', PROJECT, '--skip-control', 'it judges no files']);
  expect(code).toBe(0);
  expect(await controls(home)).toMatchObject([
    { verdict: 'skipped', note: expect.stringContaining('it judges no files') as string },
  ]);
});

test('a gate for tests that the tasks are to write is red on the base: that is said, and work starts', async () => {
  const home = triedHome('test -f src/A.txt && sh test.sh');
  const started = home.start();
  const { code, stdout } = await started.ended;
  expect(code).toBe(0);
  expect(stdout).toContain('is red on the base already');
  expect(await controls(home)).toMatchObject([{ verdict: 'red' }]);
});

test('a controller that is killed while the broken copy is judged leaves the trial to the next one', async () => {
  const home = triedHome(
    counted(
      'test "$(wc -l <MARKS/verified)" -ne 2 || while ! test -e MARKS/open; do : >MARKS/judging; sleep 0.05; done; sh test.sh',
    ),
  );
  const first = home.start();
  await home.marked('judging');
  await first.kill();
  expect(home.executions()).toEqual([]);
  const second = home.start();
  await until('the second controller', () => second.lines.length > 0);
  home.mark('open');
  expect((await second.ended).code).toBe(0);
  expect(await home.words()).toEqual({ A: 'merged' });
  expect(runs(home)).toBe(4);
  expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
});
