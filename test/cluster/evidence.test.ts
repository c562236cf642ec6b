/** What a gate has shown is not asked for again, and a gate that shows nothing stops the line: with real programs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { type Home, makeHome, PROJECT } from './home.ts';
import { until } from './until.ts';

// Each starts many programs; a busy machine needs its time for them.
vi.setConfig({ testTimeout: 300_000 });

/** A home whose verify command counts its runs; from the second on, which is the merge's gate, it does this. */
function countedHome(gate: string): Home {
  const home = makeHome({ tasks: { A: {} } });
  const runs = join(home.marks, 'verified');
  home.writeProject({
    trusted: true,
    verify: `echo run >>${runs}; test "$(wc -l <${runs})" -lt 2 || { MARKS=${home.marks}; ${gate}; }`,
  });
  return home;
}

function runs(home: Home): number {
  return readFileSync(join(home.marks, 'verified'), 'utf8').trimEnd().split('\n').length;
}

async function gateOf(home: Home): Promise<unknown> {
  const { stdout } = await home.dispatch(['queue', 'show', '-o', 'json']);
  return (JSON.parse(stdout) as { data: readonly { gate: string }[] }).data[0]?.gate;
}

test('a tree that was green is not gated again by the controller after one that was killed', async () => {
  const home = countedHome(': >$MARKS/gating; while ! test -e $MARKS/open; do sleep 0.05; done');
  const first = home.start();
  await home.marked('gating');
  expect((await home.dispatch(['queue', 'hold', PROJECT])).code).toBe(0);
  home.mark('open');
  await until('the word of the gate', async () => (await gateOf(home)) === 'green');
  await first.kill();
  expect((await home.dispatch(['queue', 'release', PROJECT])).code).toBe(0);
  expect((await home.start().ended).code).toBe(0);
  expect(await home.words()).toEqual({ A: 'merged' });
  expect(runs(home)).toBe(2);
});

test.each([
  ['cannot be found', 'exit 127', 'exit code 127'],
  ['runs no test', "printf 'TAP version 13\\n1..0\\n# tests 0\\n# pass 0\\n# fail 0\\n'", 'ran no test'],
])(
  'a gate that %s stops the line and says so, and the branch merges when it is mended',
  async (_, gate, says) => {
    const home = countedHome(`test -e $MARKS/mended || { ${gate}; }`);
    const { code } = await home.start().ended;
    expect(code).toBe(3);
    const status = await home.dispatch(['status', '-o', 'json']);
    const { meta } = JSON.parse(status.stdout) as { meta: { alerts: unknown } };
    expect(meta.alerts).toMatchObject([
      { code: 'E_GATE_BROKEN', message: expect.stringContaining(says) as string },
    ]);
    expect(home.subjects()).toEqual(['first']);
    home.mark('mended');
    expect((await home.dispatch(['queue', 'release', PROJECT])).code).toBe(0);
    expect((await home.start().ended).code).toBe(0);
    expect(await home.words()).toEqual({ A: 'merged' });
  },
);
