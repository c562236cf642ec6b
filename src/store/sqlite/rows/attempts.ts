import type { Attempt, AttemptKind, AttemptPhase, GateSubject } from '../../../model/attempt.ts';
import type { Amount } from '../../../model/budget.ts';
import type { Db } from '../database.ts';

/** A row by the places of its values: to name them takes as long again as to read or to write them. */
type Row = readonly [
  token: string,
  task: string,
  n: number,
  kind: string,
  subject: string | null,
  node: string,
  epoch: number,
  base: string | null,
  credential: string | null,
  executor: string | null,
  contract: string | null,
  reserved: string | null,
  claimedAt: number,
  ...Moving,
];

/** What changes while an attempt goes its way. */
type Moving = readonly [
  startedAt: number | null,
  phase: string,
  /** The phase without its `is`. */
  detail: string,
  unconfirmed: number,
];

const COLUMNS =
  'token, task, n, kind, subject, node, epoch, base, credential, executor, contract, reserved, claimed_at, started_at, phase, detail, unconfirmed';

/** An attempt, and whether it is fenced while its node has not confirmed that it ended. */
export interface StoredAttempt {
  readonly attempt: Attempt;
  readonly unconfirmed: boolean;
}

/** A statement that writes the first row of an attempt. */
export function insertAttempt(db: Db): (stored: StoredAttempt) => void {
  const statement = db.prepare<[...Row]>(
    `INSERT INTO attempts (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return (stored) => {
    const { token, task, n, work, node, epoch, base, claimedAt } = stored.attempt;
    const { credential = null, executor = null, contract = null, reserved } = stored.attempt;
    statement.run(
      token,
      task,
      n,
      work.kind,
      work.kind === 'gate' ? JSON.stringify(work.subject) : null,
      node,
      epoch,
      base,
      credential,
      executor,
      contract,
      reserved === undefined ? null : JSON.stringify(reserved),
      claimedAt,
      ...moving(stored),
    );
  };
}

/** A statement that writes how far an attempt has come. */
export function moveAttempt(db: Db): (stored: StoredAttempt) => void {
  const statement = db.prepare<[...Moving, string]>(
    'UPDATE attempts SET started_at = ?, phase = ?, detail = ?, unconfirmed = ? WHERE token = ?',
  );
  return (stored) => {
    statement.run(...moving(stored), stored.attempt.token);
  };
}

/** A statement that reads all attempts in the order in which they were claimed. */
export function allAttempts(db: Db): () => StoredAttempt[] {
  const select = db.prepare<[], Row>(`SELECT ${COLUMNS} FROM attempts ORDER BY ord`).raw();
  return () => select.all().map(fromRow);
}

function moving({ attempt, unconfirmed }: StoredAttempt): Moving {
  const { is, ...rest } = attempt.phase;
  return [attempt.startedAt, is, JSON.stringify(rest), unconfirmed ? 1 : 0];
}

function fromRow(row: Row): StoredAttempt {
  const [token, task, n, , subject, node, epoch, base, credential, executor, contract, reserved] = row;
  const [, , , , , , , , , , , , claimedAt, startedAt, phase, detail, unconfirmed] = row;
  return {
    attempt: {
      token: token as Attempt['token'],
      task: task as Attempt['task'],
      n,
      work: workOf(subject),
      node: node as Attempt['node'],
      epoch,
      base: base as Attempt['base'],
      claimedAt,
      phase: { is: phase, ...(JSON.parse(detail) as object) } as AttemptPhase,
      startedAt,
      ...(credential === null ? {} : { credential }),
      ...(executor === null ? {} : { executor }),
      ...(contract === null ? {} : { contract }),
      ...(reserved === null ? {} : { reserved: JSON.parse(reserved) as Amount }),
    },
    unconfirmed: unconfirmed === 1,
  };
}

function workOf(subject: string | null): AttemptKind {
  if (subject === null) return { kind: 'work' };
  return { kind: 'gate', subject: JSON.parse(subject) as GateSubject };
}
