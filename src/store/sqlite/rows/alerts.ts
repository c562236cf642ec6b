import type { AlertState } from '../../../model/alert.ts';
import type { Db } from '../database.ts';

interface AlertRow {
  readonly key: string;
  readonly rule: string;
  readonly level: string;
  readonly code: string;
  readonly about: string;
  readonly message: string;
  readonly fix: string | null;
  readonly since: number;
  readonly announced_at: number;
  readonly quiet: number;
  /** JSON, as the three below. */
  readonly tellings: string;
  readonly told: string;
  readonly acked: string | null;
  readonly resolved: string | null;
}

const COLUMNS =
  'key, rule, level, code, about, message, fix, since, announced_at, tellings, quiet, told, acked, resolved';

/** A statement that writes an alert's row, new or known. */
export function putAlert(db: Db): (alert: AlertState) => void {
  const statement = db.prepare<[AlertRow]>(`
    INSERT INTO alerts (${COLUMNS})
    VALUES (@key, @rule, @level, @code, @about, @message, @fix, @since, @announced_at, @tellings, @quiet, @told, @acked, @resolved)
    ON CONFLICT (key) DO UPDATE SET rule = @rule, level = @level, code = @code, about = @about, message = @message,
      fix = @fix, since = @since, announced_at = @announced_at, tellings = @tellings, quiet = @quiet, told = @told, acked = @acked,
      resolved = @resolved`);
  return ({ announcedAt, tellings, quiet, told, acked, resolved, ...cause }) => {
    statement.run({
      ...cause,
      announced_at: announcedAt,
      tellings: JSON.stringify(tellings),
      quiet: quiet ? 1 : 0,
      told: JSON.stringify(told),
      acked: acked === null ? null : JSON.stringify(acked),
      resolved: resolved === null ? null : JSON.stringify(resolved),
    });
  };
}

/** A statement that reads all alerts, in the order in which they were first found. */
export function allAlerts(db: Db): () => AlertState[] {
  const select = db.prepare<[], AlertRow>(`SELECT ${COLUMNS} FROM alerts ORDER BY ord`);
  return () =>
    select.all().map((row) => {
      const { key, rule, about, message, fix, since } = row;
      return {
        key,
        rule,
        about,
        message,
        fix,
        since,
        level: row.level as AlertState['level'],
        code: row.code as AlertState['code'],
        announcedAt: row.announced_at,
        tellings: JSON.parse(row.tellings) as AlertState['tellings'],
        quiet: row.quiet === 1,
        told: JSON.parse(row.told) as string[],
        acked: row.acked === null ? null : (JSON.parse(row.acked) as AlertState['acked']),
        resolved: row.resolved === null ? null : (JSON.parse(row.resolved) as AlertState['resolved']),
      };
    });
}
