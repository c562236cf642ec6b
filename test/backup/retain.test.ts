import { describe, expect, it } from 'vitest';
import { backupName, parseBackupName, type Reason } from '../../src/backup/manifest.ts';
import { superfluous } from '../../src/backup/retain.ts';

const DAY = 24 * 60 * 60_000;
/** A Thursday. */
const TODAY = Date.UTC(2026, 10, 19, 2);

const named = (at: number, reason: Reason = 'daily'): string => backupName(new Date(at), reason);

describe('the backups that are kept', () => {
  it('are the newest of each of seven days and of each of four weeks', () => {
    const all = Array.from({ length: 60 }, (_, days) => named(TODAY - days * DAY));
    const gone = new Set(superfluous(all));
    const kept = all.filter((name) => !gone.has(name)).map((name) => name.slice(0, 8));
    // Thursday back to Friday, then the Sundays of the weeks before; this week's newest is today's.
    expect(kept).toEqual([
      '20261119',
      '20261118',
      '20261117',
      '20261116',
      '20261115',
      '20261114',
      '20261113',
      '20261108',
      '20261101',
    ]);
  });

  it('are still there after a month in which none was made', () => {
    const all = [40, 41, 42].map((days) => named(TODAY - days * DAY));
    expect(superfluous(all)).toEqual([]);
    expect(superfluous([named(TODAY - 400 * DAY)])).toEqual([]);
  });

  it('are all that a person asked for, and whatever has a name of its own', () => {
    const asked = Array.from({ length: 30 }, (_, days) => named(TODAY - days * DAY, 'asked'));
    expect(superfluous([...asked, 'fleet.tar.gz', '.part-x', 'notes.txt'])).toEqual([]);
  });

  it('are the last four of those before upgrades', () => {
    const upgrades = Array.from({ length: 6 }, (_, days) => named(TODAY - days * DAY, 'upgrade'));
    expect(superfluous(upgrades)).toEqual(upgrades.slice(4));
  });

  it('have names that say when and why', () => {
    const name = named(TODAY + 1234, 'asked');
    expect(name).toBe('20261119T020001Z-asked.tar.gz');
    expect(parseBackupName(name)).toEqual({ at: TODAY + 1000, reason: 'asked' });
    expect(parseBackupName('20261119T020001Z-other.tar.gz')).toBeNull();
  });
});
