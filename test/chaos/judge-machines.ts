/** What has to hold of a run on machines when it is over, whatever was done to it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT } from '../cluster/home.ts';
import { linesOf, verdict } from '../crash/verdict.ts';
import type { Arena } from './arena.ts';
import { judge } from './judge.ts';
import type { Report } from './report.ts';

/** The controller has ended; all machines are on. */
export async function judgeMachines(arena: Arena, report: Report): Promise<void> {
  const { home, nodes, tasks } = arena;
  await judge(arena, report, { mayRepeat: true });
  const runs = home.executions();
  for (const line of linesOf(join(home.marks, 'overlap')))
    report.violation(`${line}: it began while an earlier attempt of its task worked`);
  const found = await verdict({
    base: home.base,
    home: home.dir,
    project: PROJECT,
    repo: home.repo,
    target: 'main',
    roots: nodes.map(({ root }) => root),
    runs: runs.map(({ token, round }) => `${token} ${round}`),
    mine: nodes.flatMap(({ machine }) =>
      machine === null ? [] : [machine.sshd.pid, machine.supervisor ?? 0],
    ),
    isGreen: (tree) => spawnSync('sh', ['test.sh'], { cwd: tree }).status === 0,
  });
  for (const what of found) report.violation(what);
  report.figure('attempts that were repeated', runs.length - new Set(runs.map(({ task }) => task)).size, '');
  for (const { id, ends } of tasks) {
    if (ends !== 'merged') continue;
    const path = `main:src/${id}.txt`;
    const text = execFileSync('git', ['-C', home.repo, 'show', path], { encoding: 'utf8' });
    const shared = text === 'empty\n';
    report.expect(shared || text === `${id}\n`, `${path} is ${JSON.stringify(text)}`);
  }
}
