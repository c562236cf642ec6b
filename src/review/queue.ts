/** What waits for a person's word: branches, tasks that agents could not bring through, and findings in what has merged. */
import { assertNever } from '../model/assert.ts';
import type { CommitId, ProjectName, TaskId, TaskKey, Token } from '../model/ids.ts';
import { DEFAULT_LOOK, isGrave, isLookOpen, placeOf, type RecordedLook } from '../model/second-look.ts';
import type { State } from '../model/state.ts';
import type { Project, Task } from '../model/task.ts';

/** `asked`: its spec says so; `p0`, `policy`: the project does; `protected`: what guards everybody; `returned`: three conflicts or red gates; `found`: a second model. */
export type Reason = 'asked' | 'p0' | 'policy' | 'protected' | 'returned' | 'found';

export interface QueueItem {
  readonly task: TaskKey;
  readonly project: ProjectName;
  readonly id: TaskId;
  readonly title: string;
  /** 0 is the most urgent. */
  readonly priority: number;
  /** Where the work is: not merged yet, back from the queue, or in integration already. */
  readonly at: 'branch' | 'returned' | 'merged';
  readonly why: readonly { readonly reason: Reason; readonly text: string }[];
  /** Wall clock, milliseconds. */
  readonly since: number;
  /** The attempt whose work it is. */
  readonly token: Token;
  /** The work: the branch's tip, or the commit that landed; null when there is none any more. */
  readonly commit: CommitId | null;
}

/** The most urgent first, then the oldest. @param project null: of all. */
export function reviewQueue(state: State, project: ProjectName | null): QueueItem[] {
  const items = [...state.tasks.values()].flatMap((task): QueueItem[] => {
    const config = state.projects.get(task.spec.project);
    if (config === undefined || (project !== null && task.spec.project !== project)) return [];
    const item = itemOf(task, config);
    return item === null ? [] : [item];
  });
  return items.toSorted(
    (a, b) =>
      Number(a.priority !== 0) - Number(b.priority !== 0) || a.since - b.since || compare(a.task, b.task),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Null: it waits for nobody. */
export function itemOf(task: Task, project: Project): QueueItem | null {
  const { key, spec, progress } = task;
  const about = { task: key, project: spec.project, id: spec.id, title: spec.title, priority: spec.priority };
  switch (progress.at) {
    case 'review': {
      const { token, head, since } = progress;
      return { ...about, at: 'branch', why: whyBranch(task, project), since, token, commit: head };
    }
    case 'parked': {
      const why = [{ reason: 'returned' as const, text: progress.reason }];
      const commit = task.feedback?.previous ?? null;
      return { ...about, at: 'returned', why, since: progress.since, token: progress.token, commit };
    }
    case 'merged': {
      const { look, token, commit } = progress;
      if (look === undefined || !isLookOpen(progress)) return null;
      return { ...about, at: 'merged', why: whyFound(look, project), since: look.when, token, commit };
    }
    default:
      return null;
  }
}

function whyBranch({ spec, progress }: Task, { config }: Project): QueueItem['why'] {
  const approvals = progress.at === 'review' ? (progress.approvals ?? []) : [];
  const asked: QueueItem['why'] =
    config.review === 'always'
      ? [{ reason: 'policy', text: 'a person approves every merge of the project' }]
      : config.review === 'p0' && spec.priority === 0
        ? [{ reason: 'p0', text: 'it is P0' }]
        : spec.review
          ? [{ reason: 'asked', text: 'its spec asks for a review' }]
          : [];
  return [...approvals.map(({ message }) => ({ reason: 'protected' as const, text: message })), ...asked];
}

function whyFound(look: RecordedLook, { config }: Project): QueueItem['why'] {
  const grave = look.findings.filter((finding) => isGrave(finding, config.look ?? DEFAULT_LOOK));
  const texts = [
    ...(look.refused === null ? [] : [`no answer of ${look.by} could be used: ${look.refused}`]),
    ...grave.map((finding) => `${placeOf(finding)} ${finding.severity}: ${finding.message}`),
    ...(look.unseen.length === 0 ? [] : [`${look.unseen.length} changed files were not shown to ${look.by}`]),
  ];
  return texts.map((text) => ({ reason: 'found', text }));
}

/** What a person may say of it, and what comes of that. */
export function effectOf(at: QueueItem['at'], approved: boolean): string {
  switch (at) {
    case 'branch':
      return approved ? 'it merges' : 'it goes back to an agent with your reason';
    case 'returned':
      return approved ? 'it gets another try' : 'it gets another try, with your reason';
    case 'merged':
      return approved
        ? 'it stays, and the findings are settled'
        : 'it is taken out again and goes back to an agent with your reason';
    default:
      return assertNever(at);
  }
}
