/** Results of attempts that had been given up: kept, shown, and not merged. */
import type { Attempt } from '../model/attempt.ts';
import type { CommitId, NodeName, TaskKey, Token } from '../model/ids.ts';
import type { State } from '../model/state.ts';

export interface LateResult {
  readonly task: TaskKey;
  readonly n: number;
  readonly node: NodeName;
  readonly token: Token;
  /** Why it had been given up. */
  readonly reason: string;
  /** Its branch, in the hub of its project; null without one, or while it is being fetched. */
  readonly kept: { readonly commit: CommitId; readonly ref: string } | null;
}

/** In the order in which the attempts were claimed. @param wanted whether a task counts. */
export function lateResults(state: State, wanted: (task: TaskKey) => boolean): LateResult[] {
  return [...state.attempts.values()].flatMap((attempt) => {
    const reason = wanted(attempt.task) ? reasonOf(attempt) : null;
    if (reason === null) return [];
    const { task, n, node, token, phase } = attempt;
    const commit = (phase.is === 'ended' || phase.is === 'fenced' ? phase.kept : undefined) ?? null;
    const kept = commit === null ? null : { commit, ref: `refs/cand/${token}` };
    return [{ task, n, node, token, reason, kept }];
  });
}

/** Null for an attempt that left no result, or whose result had its chance to merge. */
function reasonOf({ work, phase, node }: Attempt): string | null {
  if (work.kind !== 'work') return null;
  if (phase.is === 'fenced')
    return phase.kept !== undefined || phase.late?.what === 'ended: done' ? phase.reason : null;
  const isDone = phase.is === 'ended' && phase.outcome.kind === 'done' && phase.kept !== undefined;
  return isDone ? `it had finished, and ${node} was lost before its branch was fetched` : null;
}

/** Attempts that were given up and of which nothing was heard since; they may still bring something. */
export function unheardLines({ attempts, fenced }: State, wanted: (task: TaskKey) => boolean): string[] {
  return [...fenced].flatMap((token) => {
    const attempt = attempts.get(token);
    if (attempt?.phase.is !== 'fenced' || attempt.work.kind !== 'work' || !wanted(attempt.task)) return [];
    const { task, n, node, phase } = attempt;
    return [
      `${task} attempt ${n} on ${node} was given up: ${phase.reason}; nothing has been heard of it since`,
    ];
  });
}

/** `web/S01 attempt 1 on mac2: …; its branch is kept as refs/cand/… and is not merged`. */
export function lateLine({ task, n, node, reason, kept }: LateResult): string {
  const end = kept === null ? 'it ended well later, and does not count' : `its branch is kept as ${kept.ref}`;
  return `${task} attempt ${n} on ${node}: ${reason}; ${end}, and is not merged`;
}
