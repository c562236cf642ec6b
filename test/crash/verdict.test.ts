/** The verdict on a run finds nothing in a good one, and each kind of damage when it is done on purpose. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gitIn, makeHome, PROJECT } from '../cluster/home.ts';
import { linesOf, type Scene, verdict } from './verdict.ts';

const COMMITS = `git -c user.name=a -c user.email=a@a commit -q --allow-empty -m "by its agent"
echo "$DISPATCH_TOKEN $(git rev-parse HEAD)" >>"$MARKS/made"
put src/A.txt a`;

test('a good run is found good, and damage of every kind is named', async () => {
  const home = makeHome({
    tasks: { A: { agent: COMMITS }, B: { depends_on: ['A'] }, R: { verify: 'false' } },
  });
  await home.start().ended;
  const collected = await home.dispatch(['collect', PROJECT]);
  expect(collected.stdout).toContain('delivered');
  const scene = (): Scene => ({
    base: home.base,
    home: home.dir,
    project: PROJECT,
    repo: home.repo,
    target: 'main',
    roots: [home.root('here')],
    isGreen: (tree) => spawnSync('sh', ['test.sh'], { cwd: tree }).status === 0,
    made: linesOf(join(home.marks, 'made')),
    runs: home.executions().map(({ token, round }) => `${token} ${round}`),
  });
  expect(scene().made).toHaveLength(1);
  expect(await verdict(scene())).toEqual([]);

  const hub = join(home.dir, '.dispatch', 'repos', `${PROJECT}.git`);
  const tip = gitIn(hub, 'rev-parse', 'refs/heads/integration').trim();
  const merges = (message: string): string =>
    gitIn(hub, 'commit-tree', `${tip}^{tree}`, '-p', tip, '-m', message).trim();
  const token = home.executions().find(({ task }) => task === 'A')?.token ?? '';
  const twice = merges(`again\n\nDispatch-Task: A\nDispatch-Token: ${token}`);
  gitIn(hub, 'update-ref', 'refs/heads/integration', twice);
  expect(await verdict(scene())).toEqual([
    `integration is ${twice} in the hub, and ${tip} in the store`,
    `${token}: landed 2 times`,
    `${PROJECT}/A: merged, and its token is 2 times in the history`,
  ]);

  gitIn(hub, 'update-ref', 'refs/heads/integration', tip);
  const refused = gitIn(hub, 'for-each-ref', '--no-merged', tip, '--format=%(refname)', 'refs/cand').trim();
  gitIn(hub, 'update-ref', '-d', refused);
  const [lost, ...others] = await verdict(scene());
  expect(lost).toMatch(/^[0-9a-f]{32}: [0-9a-f]{40} \(refused\) is nowhere: not in the hub, nor on a node$/u);
  expect(others).toEqual([]);

  home.commit({ 'tests/first.sh': 'false\n' }, 'breaks the tests');
  const stray = spawn('sleep', ['1000'], { cwd: home.dir });
  await once(stray, 'spawn');
  const found = await verdict({ ...scene(), runs: ['t 1', 't 1'], patienceMs: 0 });
  stray.kill('SIGKILL');
  expect(found.filter((what) => what !== lost)).toEqual([
    't 1: its agent was started twice',
    `refs/heads/main: ${gitIn(home.repo, 'rev-parse', 'main').trim()} is red`,
    `process ${stray.pid} is left: sleep 1000 `,
  ]);
});
