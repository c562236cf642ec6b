/** Somebody takes away from the target, by force, what was delivered. */
import { expect, test } from 'vitest';
import { makeHome, PROJECT } from './home.ts';
import { until } from './until.ts';

test('a target that lost what was delivered stops the line, is told of everywhere, and counts again when a person says so', async () => {
  const home = makeHome({ tasks: { A: {} } });
  expect((await home.start().ended).code).toBe(0);
  expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
  expect(home.landed()).toEqual(['A']);
  home.git('update-ref', 'refs/heads/main', 'main~1');

  const serve = home.spawn(['serve', '-o', 'ndjson']);
  await serve.until('that it serves', () => serve.lines.some(({ type }) => type === 'Serve'));
  const collected = await home.dispatch(['collect', PROJECT]);
  expect(collected).toMatchObject({ code: 6, stderr: expect.stringContaining('E_TARGET_REWOUND') as string });
  expect(home.landed()).toEqual([]);
  const holds = async (): Promise<unknown[]> =>
    (
      JSON.parse((await home.dispatch(['queue', 'show', PROJECT, '-o', 'json'])).stdout) as {
        meta: { alerts: { code: string }[] };
      }
    ).meta.alerts.map(({ code }) => code);
  await until('that the line stands still', async () => (await holds()).includes('E_TARGET_REWOUND'));
  expect((await home.dispatch(['doctor', '-o', 'json'])).stdout).toContain(
    'does not contain any more what it had',
  );
  expect((await home.dispatch(['health', '-o', 'json'])).stdout).toContain('and lacks A');
  const refused = await home.dispatch(['queue', 'release', PROJECT]);
  expect(refused.stderr).toContain('--accept-target');

  expect((await home.dispatch(['queue', 'release', PROJECT, '--accept-target'])).code).toBe(0);
  await until('that it counts as it is', async () => (await home.dispatch(['collect', PROJECT])).code === 0);
  expect(home.landed()).toContain('A');
  serve.signal('SIGTERM');
  expect((await serve.ended).code).toBe(0);
});
