/** Whether a run that has ended came to what it had to: every task to its own end, each agent once, nothing left behind. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { EXIT } from '../../src/model/exit.ts';
import { PROJECT } from '../cluster/home.ts';
import { linesOf, verdict } from '../crash/verdict.ts';
import { type Arena, type ArenaTask, supervisorOf } from './arena.ts';
import type { Report } from './report.ts';

export interface Judgement {
  /** Attempts may be lost (a tmux server was killed, a node rebooted): a task may then have run more than once. */
  readonly mayRepeat: boolean;
  /** Tasks that something was done to which nobody survives: they have failed instead. */
  readonly doomed?: readonly string[];
}

/** The controller must have said that it is done. Delivers what merged first, since that is what a person would do. */
export async function judge(
  arena: Arena,
  report: Report,
  { mayRepeat, doomed = [] }: Judgement,
): Promise<void> {
  const { home, tasks, nodes } = arena;
  const collect = await home.dispatch(['collect', PROJECT], { limitMs: 600_000 });
  const endOf = ({ id, ends }: ArenaTask): string => (doomed.includes(id) ? 'failed' : ends);
  const isRed = tasks.some((task) => endOf(task) === 'failed');
  report.expect(
    collect.code === (isRed ? EXIT.unfinished : EXIT.ok),
    `collect ended with ${collect.code}: ${collect.stderr}`,
  );
  const words = await home.words();
  for (const task of tasks)
    report.expect(
      words[task.id] === endOf(task),
      `${task.id}: is ${words[task.id]}, and ought to be ${endOf(task)}`,
    );

  const ran = home.executions();
  for (const { task, attempt } of ran)
    report.expect(mayRepeat || attempt === 1, `${task}: attempt ${attempt} was begun`);
  report.figure('agents begun', ran.length, '');
  const merged = tasks.filter((task) => endOf(task) === 'merged').length;
  report.figure('tasks merged', merged, '');
  report.figure('tasks failed, as they had to', tasks.length - merged, '');

  const found = await verdict({
    base: home.base,
    home: home.dir,
    project: PROJECT,
    repo: home.repo,
    target: 'main',
    roots: nodes.map(({ root }) => root),
    isGreen: (tree) => spawnSync('sh', ['test.sh'], { cwd: tree }).status === 0,
    made: linesOf(join(home.marks, 'made')),
    runs: ran.map(({ token, round }) => `${token} ${round}`),
    // Connections that nobody has noticed yet to be cut are ended by sshd in its own time.
    mine: nodes.flatMap((node) => [node.server.pid, supervisorOf(node)]),
  });
  for (const sentence of found) report.violation(sentence);
}
