/**
 * Sees to it that a home that is kept has a backup of every day. What is there says when the next is due, so a controller
 * that was down, or a machine that slept, is late and not out of step. The copy is made by a process of its own: reading a
 * store from end to end takes as long as the store is large, and the controller has attempts to look after.
 */
import { statSync } from 'node:fs';
import { backupsIn } from '../backup/make.ts';
import { systemClock } from './clock.ts';
import type { Note } from './note.ts';
import { homePaths } from './paths.ts';

const DAY_MS = 24 * 60 * 60_000;
const HOUR_MS = 60 * 60_000;

export interface BackupClockOptions {
  readonly home: string;
  readonly onNote: (note: Note) => void;
  /** Makes the backup of the day. @returns its file. @throws what kept it from that. */
  readonly backUp: () => Promise<string>;
}

export class BackupClock {
  readonly #options: BackupClockOptions;
  #looks: NodeJS.Timeout | null = null;
  #busy: Promise<void> | null = null;
  /** Why the last try failed. */
  #failing: string | null = null;

  constructor(options: BackupClockOptions) {
    this.#options = options;
  }

  /** Looks now, and every hour. */
  begin(): void {
    this.#look();
    this.#looks = setInterval(() => this.#look(), HOUR_MS).unref();
  }

  /** Whether there is a backup of the day; one that a person made is as good. */
  standing(): { readonly tried: boolean; readonly failing: string | null } {
    if (this.#isDue()) return { tried: this.#failing !== null, failing: this.#failing };
    return { tried: true, failing: null };
  }

  stop(): void {
    if (this.#looks !== null) clearInterval(this.#looks);
    this.#looks = null;
  }

  #look(): void {
    if (this.#busy !== null || !this.#isDue()) return;
    this.#busy = this.#backUp().finally(() => {
      this.#busy = null;
    });
  }

  /** A day after the newest, whoever asked for it; a home without any is due when its store is a day old. */
  #isDue(): boolean {
    const { backups, database } = homePaths(this.#options.home);
    const newest = backupsIn(backups)[0]?.at;
    const since = newest ?? statSync(database, { throwIfNoEntry: false })?.birthtimeMs;
    return since !== undefined && systemClock.wall() - since >= DAY_MS;
  }

  async #backUp(): Promise<void> {
    const { onNote, backUp } = this.#options;
    try {
      const file = await backUp();
      this.#failing = null;
      onNote({ about: 'backup', name: 'daily', code: null, message: `wrote ${file}`, fix: null });
    } catch (error) {
      // The next hour is another try; older ones stay.
      const message = error instanceof Error ? error.message : String(error);
      this.#failing = message;
      onNote({ about: 'backup', name: 'daily', code: 'E_BACKUP_FAILED', message, fix: 'dispatch backup' });
    }
  }
}
