import type { Feedback } from '../../../model/attempt.ts';
import type { TaskSpec } from '../../../model/spec.ts';
import type { Progress, Task } from '../../../model/task.ts';
import type { TaskName } from '../../port.ts';
import type { Db } from '../database.ts';

/** What changes while a task goes its way. */
interface MovingRow {
  readonly ord: number;
  readonly n: number;
  readonly at: string;
  /** The progress without its `at`. */
  readonly progress: string;
  readonly returns: number;
  readonly failures: number;
  readonly losses: number;
  readonly not_before: number;
  readonly front: number | null;
  readonly ready_since: number | null;
  readonly unmet: number;
  readonly locked: number;
  readonly feedback: string | null;
}

interface TaskRow extends MovingRow {
  readonly key: string;
  readonly project: string;
  readonly added_at: number;
  readonly spec: string;
}

/** A statement that writes the first row of a task. */
export function insertTask(db: Db): (task: Task) => void {
  const statement = db.prepare<[TaskRow]>(`
    INSERT INTO tasks (ord, key, project, added_at, n, at, progress, returns, failures, losses, not_before, front,
      ready_since, unmet, locked, feedback, spec)
    VALUES (@ord, @key, @project, @added_at, @n, @at, @progress, @returns, @failures, @losses, @not_before, @front,
      @ready_since, @unmet, @locked, @feedback, @spec)`);
  return (task) => {
    const { key, addedAt, spec } = task;
    statement.run({
      ...movingRow(task),
      key,
      project: spec.project,
      added_at: addedAt,
      spec: JSON.stringify(spec),
    });
  };
}

/** A statement that names tasks without reading their specs: of 10,000 those take half a second. */
export function taskNames(db: Db): (begin: string, limit: number) => TaskName[] {
  const statement = db.prepare<[{ begin: string; skip: 0 | 1; limit: number }], TaskName>(`
    SELECT substr(key, 1 + @skip * (length(project) + 1)) AS name, title FROM tasks
    WHERE substr(key, 1 + @skip * (length(project) + 1), length(@begin)) = @begin ORDER BY ord LIMIT @limit`);
  return (begin, limit) => statement.all({ begin, skip: begin.includes('/') ? 0 : 1, limit });
}

/** A statement that writes everything but the spec, which rarely changes and is the largest part. */
export function moveTask(db: Db): (task: Task) => void {
  const statement = db.prepare<[MovingRow]>(`
    UPDATE tasks SET n = @n, at = @at, progress = @progress, returns = @returns, failures = @failures, losses = @losses,
      not_before = @not_before, front = @front, ready_since = @ready_since, unmet = @unmet, locked = @locked, feedback = @feedback
    WHERE ord = @ord`);
  return (task) => {
    statement.run(movingRow(task));
  };
}

/** A statement that writes the spec. */
export function respecifyTask(db: Db): (task: Task) => void {
  const statement = db.prepare<[string, number]>('UPDATE tasks SET spec = ? WHERE ord = ?');
  return (task) => {
    statement.run(JSON.stringify(task.spec), task.order);
  };
}

/** A statement that reads all tasks in order of arrival. */
export function allTasks(db: Db): () => Task[] {
  const select = db.prepare<[], TaskRow>(`
    SELECT ord, key, project, added_at, n, at, progress, returns, failures, losses, not_before, front, ready_since,
      unmet, locked, feedback, spec
    FROM tasks ORDER BY ord`);
  return () => select.all().map(fromRow);
}

function movingRow(task: Task): MovingRow {
  const { at, ...rest } = task.progress;
  return {
    ord: task.order,
    n: task.n,
    at,
    progress: JSON.stringify(rest),
    returns: task.returns,
    failures: task.failures,
    losses: task.losses,
    not_before: task.notBefore,
    front: task.front,
    ready_since: task.readySince,
    unmet: task.unmet,
    locked: task.locked ? 1 : 0,
    feedback: task.feedback === null ? null : JSON.stringify(task.feedback),
  };
}

function fromRow(row: TaskRow): Task {
  return {
    key: row.key as Task['key'],
    spec: JSON.parse(row.spec) as TaskSpec,
    order: row.ord,
    addedAt: row.added_at,
    n: row.n,
    progress: { at: row.at, ...(JSON.parse(row.progress) as object) } as Progress,
    returns: row.returns,
    failures: row.failures,
    losses: row.losses,
    notBefore: row.not_before,
    front: row.front,
    readySince: row.ready_since,
    unmet: row.unmet,
    locked: row.locked === 1,
    feedback: row.feedback === null ? null : (JSON.parse(row.feedback) as Feedback),
  };
}
