import type { Attempt, AttemptKind, AttemptPhase, GateSubject } from '../../../model/attempt.ts';
import type { Amount } from '../../../model/budget.ts';
import type { Db } from '../database.ts';

/** What changes while an attempt goes its way. */
interface MovingRow {
  readonly token: string;
  readonly started_at: number | null;
  readonly phase: string;
  /** The phase without its `is`. */
  readonly detail: string;
  readonly unconfirmed: number;
}

interface AttemptRow extends MovingRow {
  readonly task: string;
  readonly n: number;
  readonly kind: string;
  readonly subject: string | null;
  readonly node: string;
  readonly epoch: number;
  readonly base: string | null;
  readonly credential: string | null;
  readonly executor: string | null;
  readonly contract: string | null;
  /** JSON. */
  readonly reserved: string | null;
  readonly claimed_at: number;
}

/** An attempt, and whether it is fenced while its node has not confirmed that it ended. */
export interface StoredAttempt {
  readonly attempt: Attempt;
  readonly unconfirmed: boolean;
}

/** A statement that writes the first row of an attempt. */
export function insertAttempt(db: Db): (stored: StoredAttempt) => void {
  const statement = db.prepare<[AttemptRow]>(`
    INSERT INTO attempts (token, task, n, kind, subject, node, epoch, base, credential, executor, contract, reserved, claimed_at, started_at, phase, detail, unconfirmed)
    VALUES (@token, @task, @n, @kind, @subject, @node, @epoch, @base, @credential, @executor, @contract, @reserved, @claimed_at, @started_at, @phase, @detail, @unconfirmed)`);
  return (stored) => {
    const { task, n, work, node, epoch, base, claimedAt, credential, executor, contract, reserved } =
      stored.attempt;
    statement.run({
      ...movingRow(stored),
      task,
      n,
      kind: work.kind,
      subject: work.kind === 'gate' ? JSON.stringify(work.subject) : null,
      node,
      epoch,
      base,
      credential: credential ?? null,
      executor: executor ?? null,
      contract: contract ?? null,
      reserved: reserved === undefined ? null : JSON.stringify(reserved),
      claimed_at: claimedAt,
    });
  };
}

/** A statement that writes how far an attempt has come. */
export function moveAttempt(db: Db): (stored: StoredAttempt) => void {
  const statement = db.prepare<[MovingRow]>(`
    UPDATE attempts SET started_at = @started_at, phase = @phase, detail = @detail, unconfirmed = @unconfirmed
    WHERE token = @token`);
  return (stored) => {
    statement.run(movingRow(stored));
  };
}

/** A statement that reads all attempts in the order in which they were claimed. */
export function allAttempts(db: Db): () => StoredAttempt[] {
  const select = db.prepare<[], AttemptRow>(`
    SELECT token, task, n, kind, subject, node, epoch, base, credential, executor, contract, reserved, claimed_at, started_at, phase, detail, unconfirmed
    FROM attempts ORDER BY ord`);
  return () => select.all().map(fromRow);
}

function movingRow({ attempt, unconfirmed }: StoredAttempt): MovingRow {
  const { is, ...rest } = attempt.phase;
  return {
    token: attempt.token,
    started_at: attempt.startedAt,
    phase: is,
    detail: JSON.stringify(rest),
    unconfirmed: unconfirmed ? 1 : 0,
  };
}

function fromRow(row: AttemptRow): StoredAttempt {
  return {
    attempt: {
      token: row.token as Attempt['token'],
      task: row.task as Attempt['task'],
      n: row.n,
      work: workOf(row),
      node: row.node as Attempt['node'],
      epoch: row.epoch,
      base: row.base as Attempt['base'],
      claimedAt: row.claimed_at,
      phase: { is: row.phase, ...(JSON.parse(row.detail) as object) } as AttemptPhase,
      startedAt: row.started_at,
      ...(row.credential === null ? {} : { credential: row.credential }),
      ...(row.executor === null ? {} : { executor: row.executor }),
      ...(row.contract === null ? {} : { contract: row.contract }),
      ...(row.reserved === null ? {} : { reserved: JSON.parse(row.reserved) as Amount }),
    },
    unconfirmed: row.unconfirmed === 1,
  };
}

function workOf(row: AttemptRow): AttemptKind {
  if (row.subject === null) return { kind: 'work' };
  return { kind: 'gate', subject: JSON.parse(row.subject) as GateSubject };
}
