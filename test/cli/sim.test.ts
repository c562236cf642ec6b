import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { dispatch } from './dispatch.ts';

interface Seed {
  readonly digest: string;
  readonly commit: string;
  readonly violations: readonly string[];
  readonly elapsed: number;
  readonly struck: readonly { readonly id: string }[];
}

test('simulated days need no home, say their first seed, and one of them is the same each time', async () => {
  const many = await dispatch(['sim', '--seeds', '3', '--from', '7', '-o', 'json']);
  expect({ code: many.code, stderr: many.stderr }).toEqual({
    code: 0,
    stderr: '3 seeds from 7 on; the same ones again: dispatch sim --seeds 3 --from 7\n',
  });
  const { kind, data } = JSON.parse(many.stdout);
  expect({ kind, seeds: data.seeds, failed: data.failed }).toEqual({
    kind: 'SimulatedSeeds',
    seeds: 3,
    failed: [],
  });
  expect(data.virtualHours).toBeGreaterThanOrEqual(3 * 24);
  expect(data.commit).not.toBe('');

  const one = await seedOf(['--seed', '7']);
  expect(await seedOf(['--seed', '7'])).toEqual(one);
  const [first] = one.struck;
  const some = await seedOf(['--seed', '7', '--only', first?.id ?? 'none']);
  expect(some.struck.map(({ id }) => id)).toEqual([first?.id]);
  expect(some.digest).not.toBe(one.digest);
});

test('it is said that all held, and what was asked for and never came up', async () => {
  const { code, stdout, stderr } = await dispatch(['sim', '--seed', '7', '--only', 'nonsense#1']);
  expect(code).toBe(0);
  expect(stdout).toContain('everything held');
  expect(stderr).toBe('never came up, so this is not the run that named it: nonsense#1\n');
});

test('a seed that is no number, and faults of no seed, are refused', async () => {
  const word = await dispatch(['sim', '--seed', 'x7']);
  expect(word.code).toBe(2);
  expect(word.stderr).toContain('--seed takes a whole number');
  const stray = await dispatch(['sim', '--only', 'cut#1']);
  expect(stray.code).toBe(2);
  expect(stray.stderr).toContain('add --seed');
  // The same from the sources, and what it does not know.
  const script = fileURLToPath(new URL('../../scripts/sim.ts', import.meta.url));
  for (const [option, said] of [
    ['--bogus', "Unknown option '--bogus'"],
    ['--seed=x7', '--seed takes a whole number'],
  ] as const) {
    const ran = spawnSync(process.execPath, ['--import', 'tsx', script, option], { encoding: 'utf8' });
    expect({ code: ran.status, stdout: ran.stdout }).toEqual({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(/^error\[E_USAGE\]/u);
    expect(ran.stderr).toContain(said);
  }
});

async function seedOf(args: readonly string[]): Promise<Seed> {
  const { code, stdout, stderr } = await dispatch(['sim', ...args, '-o', 'json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout).data as Seed;
}
