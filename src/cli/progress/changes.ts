import type { TaskRow } from './rows.ts';

/** The rows that say something else than before. @param before rows by `project/task`; brought up to date. */
export function changedRows(before: Map<string, string>, rows: readonly TaskRow[]): TaskRow[] {
  return rows.filter((row) => {
    const key = `${row.project}/${row.task}`;
    const now = JSON.stringify([row.status, row.reason, row.node, row.attempt, row.round, row.step]);
    if (before.get(key) === now) return false;
    before.set(key, now);
    return true;
  });
}

/** One change on one line, for a pipe or a log file: `2026-01-02T03:04:05.678Z p/S01 running node=mac2 try=1 step=1:agent`. */
export function changeLine(row: TaskRow, at: number): string {
  const parts = [new Date(at).toISOString(), `${row.project}/${row.task}`, row.status];
  if (row.node !== null) parts.push(`node=${row.node}`);
  if (row.attempt > 0) parts.push(`try=${row.attempt}`);
  if (row.step !== null) parts.push(`step=${row.round}:${row.step}`);
  if (row.commit !== null) parts.push(`commit=${row.commit.slice(0, 10)}`);
  if (row.reason !== '') parts.push(row.reason);
  return parts.join(' ');
}
