import type { Feedback } from '../../../model/attempt.ts';
import type { TaskSpec } from '../../../model/spec.ts';
import type { Progress, Task } from '../../../model/task.ts';
import type { TaskName } from '../../port.ts';
import type { Db } from '../database.ts';

/** A row by the places of its values: to name them takes as long again as to read or to write them. */
type Row = readonly [...Moving, ord: number, key: string, project: string, addedAt: number, spec: string];

/** What changes while a task goes its way. */
type Moving = readonly [
  n: number,
  at: string,
  /** The progress without its `at`. */
  progress: string,
  returns: number,
  failures: number,
  losses: number,
  notBefore: number,
  front: number | null,
  readySince: number | null,
  unmet: number,
  locked: number,
  feedback: string | null,
];

const COLUMNS =
  'n, at, progress, returns, failures, losses, not_before, front, ready_since, unmet, locked, feedback, ord, key, project, added_at, spec';

/** A statement that writes the first row of a task. */
export function insertTask(db: Db): (task: Task) => void {
  const statement = db.prepare<[...Row]>(
    `INSERT INTO tasks (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return (task) => {
    const { order, key, addedAt, spec } = task;
    statement.run(...moving(task), order, key, spec.project, addedAt, JSON.stringify(spec));
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
  const statement = db.prepare<[...Moving, number]>(`
    UPDATE tasks SET n = ?, at = ?, progress = ?, returns = ?, failures = ?, losses = ?, not_before = ?, front = ?,
      ready_since = ?, unmet = ?, locked = ?, feedback = ?
    WHERE ord = ?`);
  return (task) => {
    statement.run(...moving(task), task.order);
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
  const select = db.prepare<[], Row>(`SELECT ${COLUMNS} FROM tasks ORDER BY ord`).raw();
  return () => select.all().map(fromRow);
}

function moving(task: Task): Moving {
  const { at, ...rest } = task.progress;
  return [
    task.n,
    at,
    JSON.stringify(rest),
    task.returns,
    task.failures,
    task.losses,
    task.notBefore,
    task.front,
    task.readySince,
    task.unmet,
    task.locked ? 1 : 0,
    task.feedback === null ? null : JSON.stringify(task.feedback),
  ];
}

function fromRow(row: Row): Task {
  const [n, at, progress, returns, failures, losses, notBefore, front, readySince, unmet, locked] = row;
  const [, , , , , , , , , , , feedback, order, key, , addedAt, spec] = row;
  return {
    key: key as Task['key'],
    spec: JSON.parse(spec) as TaskSpec,
    order,
    addedAt,
    n,
    progress: { at, ...(JSON.parse(progress) as object) } as Progress,
    returns,
    failures,
    losses,
    notBefore,
    front,
    readySince,
    unmet,
    locked: locked === 1,
    feedback: feedback === null ? null : (JSON.parse(feedback) as Feedback),
  };
}
