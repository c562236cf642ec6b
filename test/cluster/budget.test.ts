/** A project with a small budget: told at 80 %, stopped where nothing fits, on again when a person raises it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { gitIn, makeHome, PROJECT } from './home.ts';
import { until } from './until.ts';

// Some ten programs are started; a busy machine needs its time for them.
vi.setConfig({ testTimeout: 300_000 });

const uses = (tokens: number): string =>
  `echo '{"inputTokens":${tokens},"outputTokens":0,"costUsd":0.5}' >"$DISPATCH_USAGE_FILE"`;
const work = (task: string): string => `put src/${task}.txt done; ${uses(400)}`;

test('work stops at the budget, goes on when it is raised, and an attempt ends at its own limit', async () => {
  const home = makeHome({
    tasks: {
      A: { agent: work('A') },
      B: { agent: work('B') },
      C: { agent: work('C'), depends_on: ['B'] },
      // Goes on until it is ended.
      D: { agent: `put src/D.txt half; ${uses(401)}; await never`, depends_on: ['C'] },
    },
    project: { budget: { tokens: 400, total: { tokens: 1000 } } },
  });
  const serve = home.spawn(['serve', '-o', 'ndjson'], { limitMs: 280_000 });
  await serve.until('that it serves', () => serve.lines.some(({ type }) => type === 'Serve'));
  const watched = home.start({ limitMs: 280_000 });
  await Promise.all(['A', 'B'].map((task) => serve.news(`${PROJECT}/${task}`, 'merged')));
  const stopped = await watched.ended;
  expect(stopped.code).toBe(3);
  expect(stopped.stderr).toContain('E_BUDGET_GONE: no new work starts: project p: 800 tokens used');
  expect(serve.notes.filter(({ about }) => about === 'budget')).toMatchObject([
    {
      name: PROJECT,
      code: 'E_BUDGET_LOW',
      message: expect.stringContaining('800 tokens used of 1 000') as string,
    },
  ]);

  const status = await home.dispatch(['status', '-o', 'json']);
  const { data, meta } = JSON.parse(status.stdout) as {
    data: readonly { task: string; reason: string }[];
    meta: { alerts: readonly { code: string }[] };
  };
  expect(data.find(({ task }) => task === 'C')?.reason).toBe(`Budget(${PROJECT})`);
  const raise = `dispatch budget raise ${PROJECT} --total --tokens 2000`;
  const alerts = meta.alerts.filter(({ code }) => code.startsWith('E_BUDGET'));
  expect(alerts).toMatchObject([{ code: 'E_BUDGET_GONE', project: PROJECT, fix: raise }]);
  const why = (await home.dispatch(['why', 'C'])).stdout;
  expect(why).toContain('800 tokens used of 1 000 tokens (80 %); this task is expected to use 400 tokens');
  expect(why).toContain(`fix: ${raise}`);
  expect(home.attempts()).toEqual(['A 1', 'B 1']);

  const refused = await home.dispatch(['budget', 'raise', PROJECT, '--tokens', '900']);
  expect(refused.code).toBe(2);
  const raised = await home.dispatch(raise.split(' ').slice(1));
  expect({ code: raised.code, stderr: raised.stderr }).toEqual({ code: 0, stderr: '' });
  expect(readFileSync(join(home.specs, 'project.yaml'), 'utf8')).toContain('2000');

  await serve.news(`${PROJECT}/C`, 'merged');
  await serve.news(`${PROJECT}/D`, 'failed');
  const hub = join(home.dir, '.dispatch', 'repos', `${PROJECT}.git`);
  await until('the branch of D', () => gitIn(hub, 'log', '--all', '--format=%s').includes('D: attempt 1'));
  const { stdout } = await home.dispatch(['budget', PROJECT, '-o', 'json']);
  const { bounds, spent } = (JSON.parse(stdout) as { data: { bounds: unknown; spent: { total: unknown } } })
    .data;
  expect(bounds).toMatchObject([
    { of: 'project', limit: 2000, used: 1601, reserved: 0, left: 399, unknown: 0 },
  ]);
  expect(spent.total).toMatchObject({ attempts: 4, tokens: 1601, usd: 2, reportedUsd: 2 });
  expect((await home.dispatch(['why', 'D'])).stdout).toContain('its agent used 401 of 400 tokens');
  serve.signal('SIGTERM');
  expect((await serve.ended).code).toBe(0);
  expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
});
