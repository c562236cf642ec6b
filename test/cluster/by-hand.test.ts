/** Gates that a person runs: on one branch, or again on what has merged. They look, and change nothing. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { gitIn, type Home, makeHome, PROJECT } from './home.ts';

// Each runs the command line many times, which takes its time on a machine that is busy with something else.
vi.setConfig({ testTimeout: 300_000 });

interface GateJson {
  readonly verdict: string;
  readonly gates: readonly { gate: string; verdict: string; findings: { message: string }[] }[];
  readonly conflicts: readonly { path: string; tasks: string[] }[];
  readonly output: string;
}

interface VerifyJson {
  readonly verdict: string;
  readonly tasks: readonly { task: string; gates: { gate: string; verdict: string }[] }[];
  readonly steps: readonly { commit: string; brought: string[]; runs: { verdict: string }[] }[];
  readonly turnedRed: { commit: string; brought: string[] } | null;
}

function hub(home: Home, ...args: string[]): string {
  return gitIn(join(home.dir, '.dispatch', 'repos', `${PROJECT}.git`), ...args).trim();
}

/** For what takes seconds on a machine that has nothing else to do. */
const PATIENCE_MS = 150_000;

/** All that may not change: refs and objects of the hub, and what the store says. */
async function everything(home: Home): Promise<unknown> {
  const { stdout, stderr } = await home.dispatch(['report', PROJECT, '-o', 'json']);
  if (stdout === '') throw new Error(stderr);
  const { tasks, counts } = (JSON.parse(stdout) as { data: { tasks: unknown; counts: unknown } }).data;
  return { refs: hub(home, 'for-each-ref'), objects: hub(home, 'count-objects', '-v'), tasks, counts };
}

async function gate(home: Home, ...args: string[]): Promise<{ code: number | null; data: GateJson }> {
  const { code, stdout, stderr } = await home.dispatch(['gate', ...args, '-o', 'json']);
  if (stdout === '') throw new Error(stderr);
  return { code, data: (JSON.parse(stdout) as { data: GateJson }).data };
}

async function verify(home: Home, ...args: string[]): Promise<{ code: number | null; data: VerifyJson }> {
  const { code, stdout, stderr } = await home.dispatch(['verify', PROJECT, ...args, '-o', 'json']);
  if (stdout === '') throw new Error(stderr);
  return { code, data: (JSON.parse(stdout) as { data: VerifyJson }).data };
}

/** Pushes a branch with these files, on top of main, to the user's repository. */
function pushBranch(home: Home, name: string, files: Readonly<Record<string, string>>): void {
  home.git('branch', name, 'main');
  home.commit(files, `for ${name}`, name);
}

const verdicts = (gates: GateJson['gates']): Record<string, string> =>
  Object.fromEntries(gates.map((row) => [row.gate, row.verdict]));

describe('dispatch gate', () => {
  test('a branch that was refused: each gate says what it says, with the whole output, and nothing is changed', async () => {
    const home = makeHome({
      tasks: {
        A: {},
        R: {
          agent: 'put src/elsewhere.txt x\nput tests/R.sh "seq 1 2000; echo no luck today; exit 1"',
          modifies: ['tests/R.sh'],
        },
      },
    });
    expect((await home.start().ended).code).toBe(3);
    const before = await everything(home);
    const { code, data } = await gate(home, 'R');
    expect(code).toBe(3);
    expect(data.verdict).toBe('red');
    expect(verdicts(data.gates)).toEqual({
      commit: 'green',
      scope: 'red',
      content: 'green',
      placeholder: 'green',
      verify: 'red',
    });
    expect(data.output).toContain('\n1000\n');
    expect(data.output).toContain('no luck today\nFAIL tests/R.sh\n');

    const read = await home.dispatch(['gate', 'R']);
    expect(read.code).toBe(3);
    expect(read.stdout).toContain('no luck today\n');
    expect(read.stdout).toMatch(/scope\s+red\s+src\/elsewhere\.txt was added/u);
    expect(read.stdout).toMatch(/p\/R [0-9a-f]{10} is red\n$/u);
    expect(await everything(home)).toEqual(before);
  });

  test('a branch of a person that conflicts with what merged names the task; one that is not there is an error', async () => {
    const home = makeHome({ tasks: { A: {} } });
    pushBranch(home, 'rival', { 'src/A.txt': 'from a person\n' });
    expect((await home.start().ended).code).toBe(0);
    const before = await everything(home);
    const rival = await gate(home, 'A', '--ref', 'rival');
    expect(rival.code).toBe(6);
    expect(rival.data).toMatchObject({ conflicts: [{ path: 'src/A.txt', tasks: ['A'] }] });
    const missing = await home.dispatch(['gate', 'A', '--ref', 'rivall']);
    expect({ code: missing.code, stderr: missing.stderr }).toEqual({
      code: 5,
      stderr: expect.stringContaining('error[E_NOT_FOUND] no commit or branch "rivall"'),
    });
    expect(await everything(home)).toEqual(before);
  });

  test('a branch of a person that is green, and one whose gate cannot run, which is no verdict on it', async () => {
    const home = makeHome({
      tasks: { N: { verify: 'no-such-program', agent: 'exit 1' }, O: { agent: 'exit 1' } },
    });
    pushBranch(home, 'mine', { 'src/N.txt': 'n\n' });
    pushBranch(home, 'other', { 'src/O.txt': 'o\n' });
    expect((await home.start().ended).code).toBe(3);
    const none = await home.dispatch(['gate', 'N']);
    expect(none.code).toBe(5);
    expect(none.stderr).toContain('error[E_NO_ATTEMPT] attempt 1 of p/N has no branch in the hub');
    const unlucky = await gate(home, 'N', '--ref', 'mine');
    expect({ code: unlucky.code, verdict: unlucky.data.verdict }).toEqual({ code: 9, verdict: 'broken' });
    const good = await gate(home, 'O', '--ref', 'other');
    expect({ code: good.code, verdict: good.data.verdict }).toEqual({ code: 0, verdict: 'green' });
  });

  test('beside a controller that runs, which does not notice', async () => {
    const home = makeHome({ tasks: { A: {}, L: { agent: 'mark L-began\nawait L-goes\nput src/L.txt l' } } });
    const started = home.start({ limitMs: PATIENCE_MS });
    await started.news(`${PROJECT}/A`, 'merged', PATIENCE_MS);
    await home.marked('L-began', PATIENCE_MS);
    const { code, data } = await gate(home, 'A');
    expect({ code, verdict: data.verdict }).toEqual({ code: 0, verdict: 'green' });
    home.mark('L-goes');
    expect((await started.ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1', 'L 1']);
  });

  test('a person who leaves ends it, and the node has nothing left to run', async () => {
    const home = makeHome({ tasks: { A: {} }, project: { trusted: true } });
    expect((await home.start().ended).code).toBe(0);
    const wait = `echo waiting; : >${home.marks}/waits; while ! test -e ${home.marks}/never; do sleep 0.05; done\n`;
    pushBranch(home, 'slow', { 'tests/slow.sh': wait });
    const running = home.spawn(['gate', 'A', '--ref', 'slow'], { limitMs: PATIENCE_MS });
    await home.marked('waits', PATIENCE_MS);
    running.signal('SIGINT');
    expect((await running.ended).code).toBe(130);
    const root = join(home.root('here'), 'by-hand');
    expect([readdirSync(join(root, 'attempts')), readdirSync(join(root, 'done')).length]).toEqual([[], 1]);
  });
});

describe('dispatch verify', () => {
  test('all green, then red from the commit on that brought the test, which --each names; nothing is changed', async () => {
    const home = makeHome({
      tasks: {
        A: {},
        B: {
          agent: 'put tests/B.sh "test ! -e $MARKS/broken"',
          modifies: ['tests/B.sh'],
          depends_on: ['A'],
        },
        C: { depends_on: ['B'] },
      },
      project: { trusted: true },
    });
    expect((await home.start().ended).code).toBe(0);
    const before = await everything(home);
    const green = await verify(home);
    expect(green).toMatchObject({ code: 0, data: { verdict: 'green', turnedRed: null } });
    expect(green.data.tasks.map(({ task }) => task)).toEqual(['A', 'B', 'C']);
    expect(green.data.steps).toHaveLength(1);

    home.mark('broken');
    const { code, stdout, stderr } = await home.dispatch(['verify', PROJECT, '--each']);
    expect(code).toBe(3);
    expect(
      [...stderr.matchAll(/^verify on [0-9a-f]{10} \((\w)\): (\w+) /gmu)].map(([, task, said]) => [
        task,
        said,
      ]),
    ).toEqual([
      ['A', 'green'],
      ['B', 'red'],
      ['C', 'red'],
    ]);
    const [landed = ''] = hub(
      home,
      'log',
      '--first-parent',
      '--format=%H',
      '--grep=Dispatch-Task: B',
      'integration',
    ).split('\n');
    expect(stdout).toContain(`it turned red at ${landed.slice(0, 10)}, which brought B\n`);
    expect(await everything(home)).toEqual(before);
  });

  test('a test that goes both ways on one commit is a flake, and what the rules forbid by now is red', async () => {
    const allow = { placeholder: { allow: [{ path: 'src/A.txt', text: 'TODO', reason: 'it is a list' }] } };
    const tasks = { A: { agent: 'put src/A.txt "TODO: buy milk"' } };
    const project = { trusted: true };
    const home = makeHome({ tasks, project: { ...project, gates: allow } });
    home.commit(
      {
        'tests/flaky.sh': `test -e ${home.marks}/steady || { test -e ${home.marks}/flaky && : >${home.marks}/steady && exit 1; }; true\n`,
      },
      'a test that goes both ways',
    );
    expect(await home.start().ended).toMatchObject({ code: 0 });
    home.mark('flaky');
    const flaky = await verify(home);
    expect(flaky).toMatchObject({ code: 0, data: { verdict: 'flaky' } });

    home.writeProject(project);
    expect((await home.start().ended).code).toBe(0);
    const read = await home.dispatch(['verify', PROJECT]);
    expect(read.code).toBe(3);
    expect(read.stdout).toMatch(/red {2}A placeholder: src\/A\.txt:1 /u);
    expect(read.stdout).toContain(`${PROJECT}: red on `);
  });
});
