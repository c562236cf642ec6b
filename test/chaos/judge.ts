/** Whether a run that has ended came to what it had to: every task to its own end, each agent once, nothing left behind. */
import { PROJECT } from '../cluster/home.ts';
import type { Arena } from './arena.ts';
import type { Report } from './report.ts';

export interface Judgement {
  /** Attempts may be lost (a tmux server was killed, a node rebooted): a task may then have run more than once. */
  readonly mayRepeat: boolean;
}

/** The controller must have said that it is done. Delivers what merged first, since that is what a person would do. */
export async function judge(arena: Arena, report: Report, { mayRepeat }: Judgement): Promise<void> {
  const { home, tasks } = arena;
  const collect = await home.dispatch(['collect', PROJECT], { limitMs: 600_000 });
  report.expect(collect.code === 0, `collect ended with ${collect.code}: ${collect.stderr}`);
  const words = await home.words();
  for (const { id, ends } of tasks)
    report.expect(words[id] === ends, `${id}: is ${words[id]}, and ought to be ${ends}`);

  const merged = tasks.filter(({ ends }) => ends === 'merged').map(({ id }) => id);
  const landed = home.landed();
  for (const id of new Set(landed)) {
    const times = landed.filter((one) => one === id).length;
    report.expect(times === 1, `${id}: landed ${times} times`);
  }
  report.expect(landed.length === merged.length, `${landed.length} tasks landed, and not ${merged.length}`);

  const ran = home.executions();
  const tokens = new Set<string>();
  for (const { task, attempt, round, token } of ran) {
    report.expect(!tokens.has(`${token} ${round}`), `${task}: round ${round} of ${token} was begun twice`);
    tokens.add(`${token} ${round}`);
    report.expect(mayRepeat || attempt === 1, `${task}: attempt ${attempt} was begun`);
  }
  report.figure('agents begun', ran.length, '');
  report.figure('tasks merged', merged.length, '');
  report.figure('tasks failed, as they had to', tasks.length - merged.length, '');

  const replay = await home.dispatch(['replay', '--check'], { limitMs: 600_000 });
  report.expect(replay.code === 0, `replay --check: ${replay.stdout}${replay.stderr}`);
}
