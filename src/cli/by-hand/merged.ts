/** The gates that need no command, again, on what each merged task brought in. */
import pLimit from 'p-limit';
import { judge } from '../../gates/judge.ts';
import { gateRules } from '../../gates/rules.ts';
import type { ScratchHub } from '../../git/scratch-hub.ts';
import type { CommitId, TaskId } from '../../model/ids.ts';
import type { State } from '../../model/state.ts';
import { type Project, type Task, undoOf } from '../../model/task.ts';
import { type GateRow, pureRows } from './verdict.ts';

export interface TaskRows {
  readonly task: TaskId;
  /** The merge that brought it in. */
  readonly commit: CommitId;
  readonly gates: readonly GateRow[];
}

/** Each of them takes half a dozen runs of git. */
const AT_ONCE = 4;

/** In the order in which the tasks arrived. What a person approved is `approval`, and not wrong. */
export async function judgeMerged(
  hub: ScratchHub,
  state: State,
  { name, config }: Project,
): Promise<TaskRows[]> {
  const limit = pLimit(AT_ONCE);
  const tasks = [...state.tasks.values()].filter(({ spec }) => spec.project === name);
  const judged = tasks.map((task) =>
    limit(async (): Promise<TaskRows[]> => {
      const landed = landedOf(task);
      if (landed === null) return [];
      const merge = (await hub.mergeOf(landed.commit, landed.token)) ?? landed.commit;
      const verify = task.spec.verify ?? config.verify;
      const facts = await hub.facts(await hub.firstParent(merge), merge, verify);
      const gates = pureRows(judge(facts, gateRules(task.spec, config)));
      return [{ task: task.spec.id, commit: merge, gates }];
    }),
  );
  return (await Promise.all(judged)).flat();
}

function landedOf({
  progress,
}: Task): { commit: CommitId; token: Extract<Task['progress'], { at: 'merged' }>['token'] } | null {
  if (progress.at === 'merged') {
    const { commit, token } = progress;
    return commit === null ? null : { commit, token };
  }
  const undo = undoOf(progress);
  return undo === undefined || !('token' in progress) ? null : { commit: undo.commit, token: progress.token };
}
