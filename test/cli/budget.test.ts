import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Amount } from '../../src/model/budget.ts';
import type { Fact } from '../../src/model/event.ts';
import { added, claim, config, key, NODE, SET_UP, token } from '../model/builder.ts';
import { dispatch, hasEscapes, makeHome, record } from './dispatch.ts';

const EXECUTORS = {
  glm: { name: 'glm', kind: 'claude', command: ['run'], env: {}, secrets: {}, model: 'm-1' },
} as const;

const HOME_FILE = `# What we may spend.
budget:
  total: { usd: 10 }   # all projects
  credentials: { glm: { total: { tokens: 5000 } } }
prices: { m-1: { in: 2, cached: 0.5, out: 8 } }
report: { timezone: UTC }
`;

/** One attempt that told what it used, one that told nothing, and one that is alive. */
async function homeWithUse(taskBudget?: Amount): Promise<string> {
  const home = makeHome({
    'nodes.json': JSON.stringify([{ name: NODE, local: true, slots: 8 }]),
    'dispatch.yaml': HOME_FILE,
    [`specs/${config().name}/project.yaml`]: 'repo: ../app\nbudget: { total: { tokens: 10000 } }\n',
  });
  const reserved = { tokens: 1000, usd: 0.5 };
  const claimed = (number: number): Fact => ({
    ...(claim(`S0${number}`, number) as Extract<Fact, { type: 'attempt.claimed' }>),
    credential: 'glm',
    reserved,
  });
  const ended = (number: number, tokens: number | null): Fact => ({
    type: 'attempt.ended',
    token: token(number),
    outcome: {
      kind: 'failed',
      cause: 'executor',
      message: 'ended',
      exitCode: 1,
      rounds: 1,
      usage:
        tokens === null
          ? null
          : { inputTokens: tokens, outputTokens: 0, cachedTokens: 1_000_000, costUsd: 0.25 },
    },
  });
  const numbers = [1, 2, 3];
  const budget = { day: null, total: { tokens: 10_000, usd: null } };
  await record(
    home,
    ...SET_UP,
    {
      type: 'project.configured',
      config: { ...config(), executors: EXECUTORS, budget, ...(taskBudget && { taskBudget }) },
    },
    ...numbers.map((n) => added(`S0${n}`, { executor: 'glm', modifies: [`src/${n}.ts`] })),
    ...numbers.map(claimed),
    ended(1, 3000),
    ended(2, null),
    { type: 'task.backedoff', task: key('S01'), notBefore: 0, reason: 'failed' },
  );
  return home;
}

test('budget shows every bound and what was used of it, by day, project, executor and key; unknown is never zero', async () => {
  const home = await homeWithUse();
  const { code, stdout, stderr } = await dispatch(['budget'], { cwd: home });
  expect(code).toBe(0);
  expect(hasEscapes(stdout)).toBe(false);
  expect(stdout).toContain('key glm, total\t4 000 tokens\t1 000 tokens\t0 tokens\t5 000 tokens\t80 %\t1\n');
  expect(stdout).toContain('glm\t3\t3 000 tokens\t$0.51\t$0.25\t1\n');
  expect(stderr).toContain('more: dispatch budget raise --credential glm --total --tokens 10000');
  const { data } = JSON.parse((await dispatch(['budget', '-o', 'json'], { cwd: home })).stdout) as {
    data: { bounds: readonly unknown[]; spent: Record<string, readonly unknown[]> };
  };
  // 3000 at $2 and a million cached at $0.5 for a million; what told nothing counts as its reservation.
  expect(data.bounds).toMatchObject([
    { of: 'home', unit: 'usd', limit: 10, used: 1.006, reserved: 0.5, unknown: 1 },
    { of: 'project', unit: 'tokens', used: 4000, reserved: 1000, left: 5000, unknown: 1 },
    { of: 'credential', name: 'glm', used: 4000, reserved: 1000, left: 0 },
  ]);
  for (const group of ['projects', 'executors', 'credentials'])
    expect(data.spent[group]).toMatchObject([
      { attempts: 3, live: 1, tokens: 3000, usd: 0.506, reportedUsd: 0.25, unknown: { tokens: 1, usd: 1 } },
    ]);
  // What is alive counts today, what has ended on the day on which it did.
  expect(data.spent.days).toMatchObject([{ live: 1 }, { name: '2023-11-14', attempts: 2, tokens: 3000 }]);
  const status = await dispatch(['status'], { cwd: home });
  expect(status.stderr).toContain('E_BUDGET_LOW: key glm: 4 000 tokens used, 1 000 tokens reserved of 5 000');
});

test('budget raise changes the one bound in its file and leaves the rest as it was', async () => {
  const home = await homeWithUse();
  const raise = async (...args: string[]) => dispatch(['budget', 'raise', ...args], { cwd: home });
  expect((await raise('--credential', 'glm', '--tokens', '+1000')).stdout).toBe(
    'dispatch.yaml: total is 6 000 tokens now, 5 000 tokens before\n',
  );
  expect((await raise('--all', '--usd', '20.5', '-o', 'json')).stdout).toContain('"from":10,"to":20.5');
  expect(readFileSync(join(home, 'dispatch.yaml'), 'utf8')).toBe(
    HOME_FILE.replace('usd: 10', 'usd: 20.5')
      .replace('tokens: 5000', 'tokens: 6000')
      .replace('10 }   #', '10 } #')
      .replace('20.5 }   #', '20.5 } #'),
  );
  const wrong = [
    ['--all', '--usd', '20'],
    ['--all', '--tokens', '20'],
    ['--all', '--usd', 'much'],
    ['--usd', '5'],
  ];
  for (const args of wrong) expect({ args, code: (await raise(...args)).code }).toEqual({ args, code: 2 });
  expect((await raise('nobody', '--usd', '5')).code).toBe(5);
});

test('a bound of each task is shown task by task, stands in why, and is raised in project.yaml with its comments kept', async () => {
  const home = await homeWithUse({ tokens: 3200, usd: null });
  const name = config().name;
  const file = join(home, 'specs', name, 'project.yaml');
  const text =
    'repo: ../app\n# Retries cost too.\nbudget:\n  total: { tokens: 10000 }\n  task: { tokens: 3200 } # of each\n';
  writeFileSync(file, text);
  const raise = `dispatch budget raise ${name} --task --tokens 6400`;
  const shown = await dispatch(['budget', name], { cwd: home });
  expect(shown.stdout).toContain(
    `task ${name}/S01, total\t3 000 tokens\t0 tokens\t200 tokens\t3 200 tokens\t93 %\t0\n`,
  );
  expect(shown.stderr).toContain(`more: ${raise}\n`);
  expect((await dispatch(['status'], { cwd: home })).stderr).toContain(
    `E_BUDGET_GONE: it starts no more: task ${name}/S01: 3 000 tokens used of 3 200 tokens (93 %)`,
  );
  expect((await dispatch(['why', 'S01'], { cwd: home })).stdout).toContain(`fix: ${raise}`);
  expect((await dispatch(['budget', 'raise', name, '--tokens', '+1'], { cwd: home })).stderr).toContain(
    '--total or --task',
  );
  expect((await dispatch(['budget', 'raise', '--all', '--task', '--usd', '9'], { cwd: home })).code).toBe(2);
  const raised = await dispatch(raise.split(' ').slice(1), { cwd: home });
  expect(raised.stdout).toBe(`specs/${name}/project.yaml: task is 6 400 tokens now, 3 200 tokens before\n`);
  expect(readFileSync(file, 'utf8')).toBe(text.replace('3200', '6400'));
});
