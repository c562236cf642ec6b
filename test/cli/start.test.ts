import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { holdStore } from '../../src/store/sqlite/hold.ts';
import { until } from '../cluster/until.ts';
import { dispatch, hasEscapes, scratch } from './dispatch.ts';
import { choresHome, codeHome, landed, subjects } from './fleet.ts';

describe('start', () => {
  test('runs tasks to their end, one line per change in a pipe, and exits 0', async () => {
    const home = choresHome({ good: 'echo hello from $DISPATCH_TASK' }, { A1: 'good', A2: 'good' });
    const { code, stdout, stderr } = await dispatch(['start', 'chores'], { cwd: home });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^\d{4}-\S+Z chores\/A1 running node=here try=1$/mu);
    expect(stdout).toMatch(/^\d{4}-\S+Z chores\/A1 merged$/mu);
    expect(stdout).toContain('chores: 2/2 merged in ');
    expect(hasEscapes(stdout)).toBe(false);

    const log = await dispatch(['logs', 'A1'], { cwd: home });
    expect(log).toMatchObject({ code: 0, stderr: '' });
    expect(log.stdout).toContain('hello from A1');
    const again = await dispatch(['start', 'chores', '--quiet'], { cwd: home });
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
    expect((await dispatch(['replay', '--check'], { cwd: home })).code).toBe(0);
  });

  test('exits 3 when a task failed, says why and what to type, and retry runs it again', async () => {
    const home = choresHome({ broken: 'echo broken; exit 7' }, { A1: 'broken' });
    const { code, stdout } = await dispatch(['start', 'chores'], { cwd: home });
    expect(code).toBe(3);
    expect(stdout).toContain('chores/A1 failed');
    expect(stdout).toContain('dispatch retry chores/A1');
    const retried = await dispatch(['retry', 'A1'], { cwd: home });
    expect(retried).toMatchObject({ code: 0, stdout: '✔ chores/A1 open again\n', stderr: '' });
    const { stdout: status } = await dispatch(['status', '-o', 'json'], { cwd: home });
    expect(JSON.parse(status).data[0]).toMatchObject({ status: 'ready', attempt: 1 });
  });

  test('detaches at Ctrl-C: the agent goes on, and start takes it up again', async () => {
    const dir = scratch();
    const [began, go] = [join(dir, 'began'), join(dir, 'go')];
    const wait = `echo began; touch ${began}; while ! test -e ${go}; do sleep 0.05; done; echo went`;
    const home = choresHome({ slow: wait }, { A1: 'slow' });
    const first = await dispatch(['start', 'chores'], {
      cwd: home,
      // That it is to run is said before the node has been told.
      interruptAt: until('the agent runs', () => existsSync(began)),
    });
    expect(first.code).toBe(130);
    expect(first.stderr).toContain('detached; the agents that run go on');
    expect(first.stderr).toContain('dispatch start chores');

    const followed = dispatch(['logs', 'A1', '-f'], {
      cwd: home,
      onOutput: (text) => {
        if (text.includes('began')) writeFileSync(go, '');
        return null;
      },
    });
    expect((await followed).stdout).toMatch(/began[^]*went/u);
    const second = await dispatch(['start', 'chores', '-o', 'ndjson'], { cwd: home });
    expect(second.code).toBe(0);
    const lines = second.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toEqual({ type: 'version', schema: 'dispatch/v1' });
    expect(lines.filter(({ data }) => data?.word === 'running')).toEqual([]);
    expect(lines.at(-1)).toMatchObject({
      type: 'Result',
      data: { project: 'chores', counts: { merged: 1 } },
    });
  });

  test('refuses a second controller and says who holds the home; commands reach the first', async () => {
    const home = choresHome({ slow: 'sleep 600' }, { A1: 'slow' });
    let done: (() => void) | null = null;
    const started = new Promise<void>((resolve) => {
      done = resolve;
    });
    const first = dispatch(['start', 'chores'], {
      cwd: home,
      onOutput: (text) => {
        if (text.includes('A1 running')) done?.();
        return null;
      },
    });
    await started;
    const second = await dispatch(['start', 'chores'], { cwd: home });
    expect({ code: second.code, stdout: second.stdout }).toEqual({ code: 6, stdout: '' });
    expect(second.stderr).toMatch(/error\[E_CONTROLLER_RUNNING\].*pid \d+.*since \d{4}-/u);
    const { stdout } = await dispatch(['status', '-o', 'json'], { cwd: home });
    expect(JSON.parse(stdout).meta.controller.pid).toBeGreaterThan(0);
    expect((await dispatch(['nodes', 'cordon', 'here', '-o', 'name'], { cwd: home })).stdout).toBe('here\n');
    expect((await dispatch(['nodes', 'list'], { cwd: home })).stdout).toContain('here\t1/2\tcordon');
    expect((await dispatch(['nodes', 'remove', 'here'], { cwd: home })).code).toBe(6);
    expect((await dispatch(['cancel', 'A1', '--reason', 'enough'], { cwd: home })).code).toBe(0);
    const { code, stdout: lines } = await first;
    expect(code).toBe(3);
    expect(lines).toContain('chores/A1 cancelled enough');
  });

  test('waits for a controller that has just begun, and takes its place when it ends instead', async () => {
    const home = choresHome({ good: 'echo hello' }, { A1: 'good', A2: 'good' });
    const database = join(home, '.dispatch', 'state.db');
    mkdirSync(join(home, '.dispatch'));
    for (const verb of [
      ['start', 'chores'],
      ['nodes', 'cordon', 'here'],
    ]) {
      const letGo = holdStore(database, 1_000_000);
      const { code, stderr } = await dispatch(verb, {
        cwd: home,
        onError: (text) => {
          if (text.includes('waiting')) letGo();
          return null;
        },
      });
      letGo();
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr: `pid ${process.pid} holds the home and does not listen yet: waiting\n`,
      });
    }
  });

  test('starts nothing when a spec is wrong, and shows all that is', async () => {
    const home = choresHome({ good: 'true' }, { A1: 'good', A2: 'god', A3: 'goood' });
    const { code, stdout, stderr } = await dispatch(['start', 'chores'], { cwd: home });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('specs/chores/A2.md');
    expect(stderr).toContain('specs/chores/A3.md');
    expect(stderr).toContain('nothing was started: 2 errors');
    expect((await dispatch(['status'], { cwd: home })).stderr).toContain('E_NO_STORE');
  });

  test('names the nearest project for a misspelt one', async () => {
    const { code, stderr } = await dispatch(['start', 'chore'], {
      cwd: choresHome({ good: 'true' }, { A1: 'good' }),
    });
    expect(code).toBe(5);
    expect(stderr).toContain('did you mean "chores"?');
  });

  test('redraws on a terminal', async () => {
    const home = choresHome({ good: 'true' }, { A1: 'good' });
    const { code, stdout } = await dispatch(['start', 'chores'], {
      cwd: home,
      env: { DISPATCH_FORCE_TTY: '100' },
    });
    expect(code).toBe(0);
    expect(stdout).toContain('1/1 merged');
  });
});

describe('collect', () => {
  test('lands what merged and exits 0; again, it has nothing new', async () => {
    const { home, repo } = codeHome({ one: 'echo 1 > src/one.txt', two: 'echo 2 > src/two.txt' });
    expect((await dispatch(['start', 'code'], { cwd: home })).code).toBe(0);
    expect(subjects(repo)).toEqual(['first']);
    const { code, stdout } = await dispatch(['collect', 'code'], { cwd: home });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^delivered [0-9a-f]{10} to main \(2 tasks\)$/mu);
    expect(landed(repo)).toEqual(['one', 'two']);
    expect((await dispatch(['report', 'code'], { cwd: home })).stdout).toContain('main: delivered ');
    expect((await dispatch(['collect', 'code'], { cwd: home })).code).toBe(0);
  });

  test('exits 3 and says what was left when a task was refused', async () => {
    const { home, repo } = codeHome({ one: 'echo 1 > src/one.txt', two: 'echo 2 > src/other.txt' });
    const started = await dispatch(['start', 'code'], { cwd: home });
    expect(started.code).toBe(3);
    expect(started.stdout).toContain('src/other.txt');
    const { code, stdout } = await dispatch(['collect', 'code', '-o', 'json'], { cwd: home });
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'RunResult',
      data: [{ counts: { merged: 1, failed: 1 } }],
    });
    expect(subjects(repo)).toHaveLength(2);
  });

  test('exits 6 when the target is checked out, and lands nothing', async () => {
    const { home, repo } = codeHome({ one: 'echo 1 > src/one.txt' });
    const { execFileSync } = await import('node:child_process');
    execFileSync('git', ['--git-dir', repo, 'worktree', 'add', '-q', join(home, 'checkout'), 'main']);
    expect((await dispatch(['start', 'code'], { cwd: home })).code).toBe(0);
    const { code, stderr } = await dispatch(['collect', 'code'], { cwd: home });
    expect(code).toBe(6);
    expect(stderr).toContain('error[E_TARGET_CHECKED_OUT]');
    expect(subjects(repo)).toEqual(['first']);
  });

  test('refuses a project without a repository', async () => {
    const home = choresHome({ good: 'true' }, { A1: 'good' });
    await dispatch(['start', 'chores'], { cwd: home });
    const { code, stderr } = await dispatch(['collect', 'chores'], { cwd: home });
    expect(code).not.toBe(0);
    expect(stderr).toContain('E_NOTHING_TO_COLLECT');
  });
});

describe('nodes that cannot be reached', () => {
  test('end start with 7 and the reason of each, and nothing is lost', async () => {
    const home = choresHome({ good: 'true' }, { A1: 'good' });
    writeFileSync(join(home, 'nodes.json'), '[{ "name": "pod", "command": ["false"] }]');
    const { code, stderr } = await dispatch(['start', 'chores'], { cwd: home });
    expect(code).toBe(7);
    expect(stderr).toContain('error[E_NO_NODE_REACHED]');
    expect(stderr).toContain('pod: ');
    expect(stderr).toContain('dispatch start chores');
    const { stdout } = await dispatch(['status', '-o', 'json'], { cwd: home });
    expect(JSON.parse(stdout).data[0]).toMatchObject({ status: 'ready', attempt: 0, reason: 'NoController' });
  });
});
