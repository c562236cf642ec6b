/** Looks at merged tasks with the configured model, one after the other, and records each look as soon as it is made. */
import { randomBytes } from 'node:crypto';
import type { Reply } from '../../controller/commands.ts';
import type { Command } from '../../controller/door.ts';
import type { ScratchHub } from '../../git/scratch-hub.ts';
import type { CommitId, TaskKey } from '../../model/ids.ts';
import { addTokens, NO_TOKENS, type TokenUse } from '../../model/model-use.ts';
import { DEFAULT_LOOK, type SecondLook } from '../../model/second-look.ts';
import type { Project } from '../../model/task.ts';
import type { ModelFailure } from '../../models/failure.ts';
import { reviewAnswer } from '../../review/answer.ts';
import type { FileDiff } from '../../review/diff.ts';
import { lookAt } from '../../review/look.ts';
import type { MergedTask } from '../../review/pick.ts';
import type { Nonces } from '../../review/prompt.ts';
import type { Asker } from '../asker.ts';

export interface LookMerged {
  readonly project: Project;
  readonly tasks: readonly MergedTask[];
  readonly hub: ScratchHub;
  readonly asker: Asker;
  readonly specText: (task: TaskKey) => Promise<string | null>;
  readonly record: (task: TaskKey, command: Command) => Promise<Reply>;
  readonly onTask?: (task: MergedTask) => void;
  readonly signal: AbortSignal;
}

export interface Looked {
  readonly task: MergedTask;
  readonly look: SecondLook;
  readonly reply: Reply;
}

export interface LooksMade {
  readonly looked: readonly Looked[];
  readonly usage: TokenUse;
  /** Why the rest was not looked at; null: all were. */
  readonly failure: ModelFailure | null;
}

/** Ends at the first that the model cannot be asked about: the next would fare no better. */
export async function lookAtMerged(work: LookMerged): Promise<LooksMade> {
  const { asker, hub, signal } = work;
  const looked: Looked[] = [];
  let usage = NO_TOKENS;
  for (const task of work.tasks) {
    if (signal.aborted) return { looked, usage, failure: { is: 'stopped' } };
    work.onTask?.(task);
    const { commit, files } = await mergedDiff(hub, task);
    const specText = (await work.specText(task.key)) ?? task.spec.title;
    const data = JSON.stringify(files) + specText;
    const result = await lookAt({
      spec: task.spec,
      specText,
      commit,
      files,
      rules: work.project.config.look ?? DEFAULT_LOOK,
      by: `${asker.use.provider}/${asker.use.model}`,
      nonces: () => noncesFor(data),
      ask: (system, messages) => asker.ask({ system, messages, schema: reviewAnswer, signal }),
    });
    usage = addTokens(usage, result.usage);
    if ('failure' in result) return { looked, usage, failure: result.failure };
    const { token } = task.progress;
    const reply = await work.record(task.key, { verb: 'look', task: task.key, token, look: result.look });
    looked.push({ task, look: result.look, reply });
  }
  return { looked, usage, failure: null };
}

/** What one task brought in, even where several landed at once. */
async function mergedDiff(
  hub: ScratchHub,
  { progress, key }: MergedTask,
): Promise<{ commit: CommitId; files: FileDiff[] }> {
  const { commit: landed, token } = progress;
  if (landed === null) throw new Error(`${key} merged no commit`);
  const commit = (await hub.mergeOf(landed, token)) ?? landed;
  return { commit, files: await hub.diff(await hub.firstParent(commit), commit) };
}

function noncesFor(data: string): Nonces {
  const fresh = (): string => randomBytes(12).toString('hex');
  let nonces = { mark: fresh(), canary: fresh() };
  while (data.includes(nonces.mark) || data.includes(nonces.canary))
    nonces = { mark: fresh(), canary: fresh() };
  return nonces;
}
