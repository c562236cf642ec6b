import { spawnSync } from 'node:child_process';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/model/event.ts';
import {
  added,
  BASE,
  claim,
  commit,
  config,
  key,
  NODE,
  PROJECT,
  SET_UP,
  stallFor,
  token,
  wayToMerge,
} from '../model/builder.ts';
import { dispatch, hasEscapes, makeHome, record } from './dispatch.ts';

const NODE_UP: Fact = {
  type: 'node.connected',
  node: NODE,
  bootId: 'b',
  journal: 'j',
  program: 'p'.repeat(64),
};

const STORY: readonly Fact[] = [
  ...SET_UP,
  NODE_UP,
  added('S01-schema', { title: 'The schema' }),
  added('S02-service', { dependsOn: ['S01-schema' as never], modifies: ['src/b.ts'] }),
  added('S03-router', { dependsOn: ['S02-service' as never], modifies: ['src/c.ts'] }),
  added('S04-auth', { modifies: ['src/d.ts'] }),
  added('S05-more', { dependsOn: ['S04-auth' as never] }),
  added('S06-lock', { modifies: ['src/b.ts'] }),
  ...wayToMerge('S01-schema', 1, BASE),
  claim('S02-service', 2),
  { type: 'attempt.running', token: token(2) },
  { type: 'attempt.progressed', token: token(2), round: 2, step: 'verify' },
  claim('S04-auth', 3),
  {
    type: 'attempt.ended',
    token: token(3),
    outcome: { kind: 'failed', cause: 'executor', message: 'gone', exitCode: 127, rounds: 1, usage: null },
  },
  { type: 'task.failed', task: key('S04-auth'), reason: 'executor: \u001b]0;pwned\u0007gone', findings: [] },
];

async function homeWith(...facts: readonly Fact[]): Promise<string> {
  const home = makeHome();
  await record(home, ...facts);
  return home;
}

describe('status', () => {
  test('says where every task is, tab-separated in a pipe', async () => {
    const home = await homeWith(...STORY);
    const { code, stdout, stderr } = await dispatch(['status', 'app'], { cwd: home });
    expect(code).toBe(0);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(rows[0]).toEqual(['STATUS', 'TASK', 'NODE', 'TRY', 'STEP', 'SINCE', 'REASON']);
    expect(rows.slice(1).map(([status, task, node, n, step]) => [status, task, node, n, step])).toEqual([
      ['merged', 'S01-schema', 'mac2', '1', '-'],
      ['running', 'S02-service', 'mac2', '1', '2:verify'],
      ['waiting', 'S03-router', '-', '-', '-'],
      ['failed', 'S04-auth', 'mac2', '1', '-'],
      ['blocked', 'S05-more', '-', '-', '-'],
      ['locked', 'S06-lock', '-', '-', '-'],
    ]);
    expect(rows[4]?.[6]).toBe('executor: gone');
    expect(rows[1]?.[5]).toMatch(/^\d{4}-\d\d-\d\dT/u);
    expect(stderr).toContain('1/6 merged');
    expect(stderr).toContain('no controller runs');
    expect(hasEscapes(stdout)).toBe(false);
  });

  test('gives a program rows and counts', async () => {
    const { stdout } = await dispatch(['status', '-o', 'json'], { cwd: await homeWith(...STORY) });
    const { schema, kind, data, meta } = JSON.parse(stdout);
    expect({ schema, kind }).toEqual({ schema: 'dispatch/v1', kind: 'TaskList' });
    expect(data[1]).toMatchObject({
      project: 'app',
      task: 'S02-service',
      status: 'running',
      round: 2,
      step: 'verify',
    });
    expect(data[2].reason).toBe('NoController');
    expect(meta).toMatchObject({ total: 6, controller: null, counts: { merged: 1, running: 1, failed: 1 } });
  });

  test('gives one object per line after the version with ndjson, and names with name', async () => {
    const home = await homeWith(...STORY);
    const lines = (await dispatch(['status', '-o', 'ndjson'], { cwd: home })).stdout.trimEnd().split('\n');
    expect(JSON.parse(lines[0] ?? '')).toEqual({ type: 'version', schema: 'dispatch/v1' });
    expect(lines).toHaveLength(7);
    expect((await dispatch(['status', '-o', 'name'], { cwd: home })).stdout).toContain('app/S01-schema\n');
  });

  test('has symbols and ages on a terminal, and cuts nothing but the last column', async () => {
    const { stdout } = await dispatch(['status', '--color', 'never'], {
      cwd: await homeWith(...STORY),
      env: { DISPATCH_FORCE_TTY: '70' },
    });
    expect(stdout).toContain('✔ merged');
    expect(stdout).toContain('▶ running');
    for (const line of stdout.trimEnd().split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(78);
  });

  test('names the nearest project for one that does not exist', async () => {
    const { code, stderr } = await dispatch(['status', 'ap'], { cwd: await homeWith(...STORY) });
    expect(code).toBe(5);
    expect(stderr).toContain('did you mean app?');
  });

  test('says what to type before anything was started', async () => {
    const { code, stderr } = await dispatch(['status'], { cwd: makeHome() });
    expect(code).toBe(5);
    expect(stderr).toContain('dispatch start <project>');
  });

  test('--watch prints one line per change in a pipe and ends at Ctrl-C', async () => {
    const home = await homeWith(...STORY.slice(0, -2));
    let told = false;
    const { code, stdout } = await dispatch(['status', '--watch'], {
      cwd: home,
      onOutput: (text) => {
        if (!told && text.includes('S06-lock')) {
          told = true;
          void record(home, ...STORY.slice(-2));
        }
        return text.includes('app/S04-auth failed') ? 'SIGINT' : null;
      },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d{4}-\S+ app\/S01-schema merged node=mac2 try=1 commit=/u);
    expect(stdout.match(/S01-schema/gu)).toHaveLength(1);
    expect(stdout).toContain('app/S04-auth running');
  });
});

describe('why', () => {
  test.each([
    [
      'S03',
      ['app/S03-router is waiting', 'no controller runs: dispatch start app', 'it waits for app/S02-service'],
    ],
    ['S05', ['app/S05-more is blocked', 'app/S04-auth', 'fix: dispatch retry app/S04-auth']],
    ['app/S06-lock', ['is locked', 'app/S02-service holds src/b.ts']],
    ['S02-service', ['is running', 'attempt 1 is running']],
    ['S04', ['is failed', 'it is over (failed): executor: ', 'gone', 'fix: dispatch retry app/S04-auth']],
  ])('answers for %s', async (task, lines) => {
    const { code, stdout } = await dispatch(['why', task], { cwd: await homeWith(...STORY) });
    expect(code).toBe(0);
    for (const line of lines) expect(stdout).toContain(line);
    expect(hasEscapes(stdout)).toBe(false);
  });

  test('lists what each node says', async () => {
    const home = await homeWith(...SET_UP, { type: 'node.marked', node: NODE, mark: 'cordon' }, added('S01'));
    const { stdout } = await dispatch(['why', 'S01'], { cwd: home });
    expect(stdout).toMatch(/no node takes it now:\n +mac2: .*cordon/u);
  });

  test('gives a program the blockers', async () => {
    const { stdout } = await dispatch(['why', 'S03', '--json'], { cwd: await homeWith(...STORY) });
    expect(JSON.parse(stdout).data).toMatchObject({
      task: 'app/S03-router',
      status: 'waiting',
      blockers: [{ why: 'dependency', on: ['app/S02-service'] }, {}].slice(0, 1),
    });
  });

  test('names the nearest task for a misspelt one', async () => {
    const { code, stderr } = await dispatch(['why', 'S03-ruoter'], { cwd: await homeWith(...STORY) });
    expect(code).toBe(5);
    expect(stderr).toContain('did you mean S03-router?');
  });

  test('refuses an id that two projects have', async () => {
    const other = { ...config(), name: 'web' as never };
    const home = await homeWith(
      ...SET_UP,
      { type: 'project.configured', config: other },
      added('S01'),
      added('S01', { project: 'web' as never }),
    );
    const { code, stderr } = await dispatch(['why', 'S01'], { cwd: home });
    expect(code).toBe(2);
    expect(stderr).toContain('app/S01  or  web/S01');
    expect((await dispatch(['why', 'web/S01'], { cwd: home })).code).toBe(0);
  });

  test('does not take S0 for S01', async () => {
    expect((await dispatch(['why', 'S0'], { cwd: await homeWith(...STORY) })).code).toBe(5);
  });
});

describe('an attempt that has fallen silent', () => {
  const PROCESS = {
    pid: 7,
    command: 'ssh x',
    state: 'sleeping',
    waits: 'terminal',
    cpuMs: 0,
    ageMs: 1,
  } as const;
  const evidence = { processes: [PROCESS], lastLines: ['Pass\u001b[31mword:'] };
  const stall = { ...stallFor('keyboard', evidence), detail: 'ssh \u001b]0;pwned\u0007x' };
  const SILENT: readonly Fact[] = [...STORY, { type: 'attempt.stalled', token: token(2), stall }];

  test('is marked in status, and who has to do something is told what', async () => {
    const home = await homeWith(...SILENT);
    const { stdout, stderr } = await dispatch(['status', 'app'], { cwd: home });
    expect(stdout).toMatch(/running\tS02-service\t.*\tStalled\(keyboard\)/u);
    expect(stderr).toContain('E_STALLED: app/S02-service on mac2: attempt 1 waits for somebody to type');
    expect(stderr).toContain('fix: dispatch attach app/S02-service --write');
    expect(hasEscapes(stdout + stderr)).toBe(false);
    const report = (await dispatch(['report', 'app'], { cwd: home })).stdout;
    expect(report).toContain('**P1 E_STALLED**');
    expect((await dispatch(['nodes', 'list', '-o', 'json'], { cwd: home })).stdout).toContain('"stalled":1');
  });

  test('is explained by why, with its evidence and nothing that a terminal would obey', async () => {
    const home = await homeWith(...SILENT);
    const { stdout } = await dispatch(['why', 'S02'], { cwd: home });
    expect(stdout).toContain('attempt 1 waits for somebody to type');
    expect(stdout).toContain('process 7 sleeping in terminal');
    expect(stdout).toContain('> Password:');
    expect(stdout).toContain('fix: dispatch attach app/S02-service --write');
    expect(hasEscapes(stdout)).toBe(false);
    const machine = JSON.parse((await dispatch(['why', 'S02', '-o', 'json'], { cwd: home })).stdout);
    expect(machine.data.stall).toMatchObject({ cause: 'keyboard', evidence: { quietMs: 300_000 } });
  });
});

describe('logs and attach', () => {
  test('say that a task has no attempt yet, and what to ask instead', async () => {
    const { code, stderr } = await dispatch(['logs', 'S03'], { cwd: await homeWith(...STORY) });
    expect(code).toBe(5);
    expect(stderr).toContain('error[E_NO_ATTEMPT]');
    expect(stderr).toContain('dispatch why app/S03-router');
  });

  test('name the attempts there are when another is asked for', async () => {
    const { code, stderr } = await dispatch(['logs', 'S02', '--attempt', '7'], {
      cwd: await homeWith(...STORY),
    });
    expect(code).toBe(5);
    expect(stderr).toContain('its attempts: 1');
  });

  test('attach refuses a pipe and names what works in one', async () => {
    const { code, stderr } = await dispatch(['attach', 'S02'], { cwd: await homeWith(...STORY) });
    expect(code).toBe(2);
    expect(stderr).toContain('dispatch logs -f S02');
  });
});

describe('report', () => {
  test('is Markdown, with unknown tokens called unknown', async () => {
    const home = await homeWith(...STORY);
    const { code, stdout } = await dispatch(['report', 'app'], { cwd: home });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# app\n/u);
    expect(stdout).toMatch(/\| S01-schema \| merged \| mac2 \| 1 \| 1 \| \S+ ?\S* \| unknown \|/u);
    expect(stdout).toContain(commit(0x2001).slice(0, 10));
    expect(stdout).toContain('dispatch retry app/S04-auth');
    expect(hasEscapes(stdout)).toBe(false);
  });

  test('is its model for a program', async () => {
    const { stdout } = await dispatch(['report', 'app', '-o', 'json'], { cwd: await homeWith(...STORY) });
    const { kind, data } = JSON.parse(stdout);
    expect(kind).toBe('Report');
    expect(data).toMatchObject({ project: PROJECT, counts: { merged: 1 }, concurrency: { slots: 4 } });
  });
});

describe('replay', () => {
  test('says that events and tables are equal', async () => {
    const { code, stdout } = await dispatch(['replay', '--check'], { cwd: await homeWith(...STORY) });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `equal: ${STORY.length} events\n` });
  });

  test('names the difference when a table was changed by hand, and exits 1', async () => {
    const home = await homeWith(...STORY);
    const { default: Database } = await import('better-sqlite3');
    const db = new Database(`${home}/.dispatch/state.db`);
    db.prepare("UPDATE tasks SET returns = 7 WHERE key = 'app/S03-router'").run();
    db.close();
    const { code, stdout, stderr } = await dispatch(['replay', '--check'], { cwd: home });
    expect(code).toBe(1);
    expect(stdout).toContain('S03-router.returns: event 7 (task.added) says 0, stored is 7');
    expect(stderr).toContain('dispatch explain E_REPLAY');
  });

  test('streams the events', async () => {
    const { stdout } = await dispatch(['replay', '-o', 'ndjson'], { cwd: await homeWith(...STORY) });
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(STORY.length + 1);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({
      type: 'Event',
      data: { seq: 1, fact: { type: 'controller.acquired' } },
    });
  });
});

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish'])('prints a script for %s', async (shell) => {
    const { code, stdout } = await dispatch(['completion', shell]);
    expect(code).toBe(0);
    expect(stdout).toContain('dispatch complete --');
    if (shell === 'bash') expect(spawnSync('bash', ['-n'], { input: stdout }).status).toBe(0);
  });

  test('offers verbs, options and values', async () => {
    expect((await dispatch(['complete', '--', 'sta'])).stdout).toMatch(/^start\b.*\nstatus\b/mu);
    expect((await dispatch(['complete', '--', 'status', '--wa'])).stdout).toContain('--watch');
    expect((await dispatch(['complete', '--', 'completion', ''])).stdout).toContain('zsh');
  });

  test('offers projects, tasks and nodes of the home', async () => {
    const home = makeHome({ 'specs/app/project.yaml': '' });
    await record(home, ...STORY);
    const offer = async (...words: string[]) =>
      (await dispatch(['complete', '--', ...words], { cwd: home })).stdout;
    expect(await offer('start', '')).toContain('app');
    expect(await offer('logs', 'S0')).toContain('S01-schema\tThe schema');
    expect(await offer('nodes', 'drain', '')).toContain('mac2');
    expect(await offer('queue', 'front', 'app/S03')).toContain('app/S03-router');
    expect(await offer('revert', 'S05')).toContain('S05-more');
  });

  test('offers what is typed however many tasks there are, and no more than a menu holds', async () => {
    const home = makeHome();
    const many = Array.from({ length: 700 }, (_, i) => added(`T${String(i).padStart(3, '0')}`));
    await record(home, ...SET_UP, ...many);
    const offer = async (word: string) =>
      (await dispatch(['complete', '--', 'logs', word], { cwd: home })).stdout;
    expect(await offer('T69')).toContain('T699');
    expect((await offer('T')).match(/^T\d/gmu)).toHaveLength(500);
  });

  test('is silent and quick where there is no home', async () => {
    const { code, stderr } = await dispatch(['complete', '--', 'logs', ''], { cwd: '/' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('refuses a shell it does not know', async () => {
    const { code, stderr } = await dispatch(['completion', 'bsh']);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean bash?');
  });
});
