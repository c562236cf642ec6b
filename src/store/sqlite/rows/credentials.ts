import type { Credential } from '../../../model/credential.ts';
import type { Db } from '../database.ts';

interface CredentialRow {
  readonly name: string;
  /** `limit` is a word of SQL. */
  readonly bound: number | null;
  readonly seen: number | null;
  readonly not_before: number;
  readonly strikes: number;
  readonly refusals: number;
  readonly refused_at: number;
  readonly why: string;
  readonly message: string;
}

/** A statement that writes a credential's row, new or known. */
export function putCredential(db: Db): (credential: Credential) => void {
  const statement = db.prepare<[CredentialRow]>(`
    INSERT INTO credentials (name, bound, seen, not_before, strikes, refusals, refused_at, why, message)
    VALUES (@name, @bound, @seen, @not_before, @strikes, @refusals, @refused_at, @why, @message)
    ON CONFLICT (name) DO UPDATE SET bound = @bound, seen = @seen, not_before = @not_before, strikes = @strikes,
      refusals = @refusals, refused_at = @refused_at, why = @why, message = @message`);
  return ({ name, limit, seen, notBefore, strikes, refusals, refused }) => {
    const { at, why, message } = refused;
    statement.run({
      name,
      bound: limit,
      seen,
      not_before: notBefore,
      strikes,
      refusals,
      refused_at: at,
      why,
      message,
    });
  };
}

/** A statement that reads all credentials that were ever refused, in order of arrival. */
export function allCredentials(db: Db): () => Credential[] {
  const select = db.prepare<[], CredentialRow>(
    'SELECT name, bound, seen, not_before, strikes, refusals, refused_at, why, message FROM credentials ORDER BY ord',
  );
  return () =>
    select.all().map((row) => ({
      name: row.name,
      limit: row.bound,
      seen: row.seen,
      notBefore: row.not_before,
      strikes: row.strikes,
      refused: { at: row.refused_at, why: row.why as Credential['refused']['why'], message: row.message },
      refusals: row.refusals,
    }));
}
