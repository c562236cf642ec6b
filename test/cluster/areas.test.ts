/** Two areas of one repository: branches of one do not wait for, and are not judged with, those of the other. */
import { expect, test, vi } from 'vitest';
import { type Home, makeHome, PROJECT } from './home.ts';
import { until } from './until.ts';

// Each starts many programs; a busy machine needs its time for them.
vi.setConfig({ testTimeout: 300_000 });

/**
 * Notes which files the gate sees, and is red where one of the area's is bad. What was red is judged again only when the
 * test says so.
 */
const CHECK = `area=$1 marks=$2
printf '%s: %s\\n' "$area" "$(find . -type f | sort | tr '\\n' ' ')" >>"$marks/gates"
grep -rq bad "$area" || exit 0
judged=$marks/judged-$(find . -type f | sort | xargs cat | cksum | tr ' ' -)
tries=0
while test -e "$judged" && ! test -e "$marks/again"; do
  tries=$((tries + 1))
  test "$tries" -lt 4000 || exit 9
  sleep 0.05
done
: >"$judged"
exit 1
`;

/** What each gate of the area saw. */
function seenBy(home: Home, area: string): string[] {
  const lines = home.read('gates').trimEnd().split('\n');
  return lines.filter((line) => line.startsWith(`${area}: `));
}

test('what is red in one area holds up nobody of the other, and no gate sees the files of another area', async () => {
  const put = (path: string): string => `await held; put ${path} good`;
  const home = makeHome({
    tasks: {
      A: { agent: put('api/a.txt'), modifies: ['api/a.txt'] },
      B: {
        agent: `await held; put web/b.txt "$(test "$DISPATCH_ATTEMPT" = 1 && echo bad || echo good)"`,
        modifies: ['web/b.txt'],
      },
      C: { agent: put('web/c.txt'), modifies: ['web/c.txt'] },
    },
    files: { 'check.sh': CHECK, 'web/first.txt': 'good\n', 'api/first.txt': 'good\n' },
    nodes: [{ name: 'here', local: true, gate_slots: 3 }],
  });
  const area = (name: string) => ({ paths: [`${name}/`], verify: `sh check.sh ${name} ${home.marks}` });
  home.writeProject({ trusted: true, areas: { web: area('web'), api: area('api') } });

  const first = home.start();
  await until('three agents', () => home.executions().length === 3);
  expect((await home.dispatch(['queue', 'hold', PROJECT])).code).toBe(0);
  home.mark('held');
  await until('three branches', async () => {
    const { stdout } = await home.dispatch(['queue', 'show', '-o', 'json']);
    const { data } = JSON.parse(stdout) as { data: readonly { place: string }[] };
    return data.filter(({ place }) => place === 'queued').length === 3;
  });
  await first.kill();
  expect((await home.dispatch(['queue', 'release', PROJECT])).code).toBe(0);

  const second = home.start();
  await until('the good ones', async () => {
    const { A, C } = await home.words();
    return A === 'merged' && C === 'merged';
  });
  home.mark('again');
  expect((await second.ended).code).toBe(0);
  expect(await home.words()).toEqual({ A: 'merged', B: 'merged', C: 'merged' });
  expect(home.attempts()).toEqual(['A 1', 'B 1', 'B 2', 'C 1']);

  expect(seenBy(home, 'api')).toEqual([expect.stringContaining(' ./README.md ./')]);
  expect(seenBy(home, 'api').join()).not.toContain('./web/');
  expect(seenBy(home, 'web').join()).toContain(' ./README.md ');
  expect(seenBy(home, 'web').join()).not.toContain('./api/');

  // By hand: each area's command on what that area sees, and for a branch inside one area nothing else.
  const again = await home.dispatch(['verify', PROJECT]);
  expect(again.stderr).toMatch(/green area web: .*green area api: /u);
  expect(again.code).toBe(0);
  const one = await home.dispatch(['gate', 'C', '-o', 'json']);
  expect(one.code).toBe(0);
  const { gates } = (JSON.parse(one.stdout) as { data: { gates: { gate: string; area?: string }[] } }).data;
  expect(gates.filter(({ gate }) => gate === 'verify').map(({ area }) => area)).toEqual(['web']);
  expect(seenBy(home, 'web').join()).not.toContain('./api/');

  expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
  expect([home.file('api/a.txt'), home.file('web/b.txt'), home.file('web/c.txt')]).toEqual(
    Array.from({ length: 3 }, () => 'good\n'),
  );
});
