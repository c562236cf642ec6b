/** What a second model found, in lines for whoever asks about a task or a project. */
import { placeOf, type LookFinding, type RecordedLook, type SecondLook } from '../model/second-look.ts';
import type { ProjectName, TaskId } from '../model/ids.ts';
import type { State } from '../model/state.ts';

export interface LookReport extends RecordedLook {
  readonly task: TaskId;
}

/** Looks at what is merged now, in the order of the tasks. */
export function looksAt(state: State, project: ProjectName): LookReport[] {
  return [...state.tasks.values()].flatMap(({ spec, progress }) => {
    const look = progress.at === 'merged' && spec.project === project ? progress.look : undefined;
    return look === undefined ? [] : [{ task: spec.id, ...look }];
  });
}

/** `mock/m found 2 (1 critical, 1 minor) and asks you`, in one line. */
export function lookText({ by, findings, refused, asks, unseen }: SecondLook): string {
  const grades = new Map<string, number>();
  for (const { severity } of findings) grades.set(severity, (grades.get(severity) ?? 0) + 1);
  const counts = [...grades].map(([severity, count]) => `${count} ${severity}`).join(', ');
  const found = findings.length === 0 ? 'found nothing' : `found ${counts}`;
  const parts = [
    refused === null ? `${by} ${found}` : `${by} gave no answer that can be used`,
    ...(unseen.length === 0 ? [] : [`${unseen.length} files were not shown`]),
    ...(asks ? ['a person is asked'] : []),
  ];
  return parts.join('; ');
}

export function lookFindingText(finding: LookFinding): string {
  const { severity, confidence, message } = finding;
  return `${placeOf(finding)} ${severity} ${Math.round(confidence * 100)} %: ${message}`;
}

/** What came of it: a person's word, or who is waited for; null when nobody was asked. */
export function settledText({ asks, settled }: RecordedLook): string | null {
  if (settled === undefined) return asks ? 'waits for you' : null;
  const { approved, by, reason } = settled;
  return `${approved ? 'settled' : 'rejected'} by ${by}${reason === '' ? '' : `: ${reason}`}`;
}
