/**
 * Folders that are watched, and what is done when they have been quiet for a moment after a change: editors and git write
 * several files one after the other.
 */
import { type FSWatcher, watch } from 'node:fs';

export class QuietWatch {
  readonly #quietMs: number;
  readonly #onQuiet: () => void;
  #watchers: FSWatcher[] = [];
  #quiet: NodeJS.Timeout | null = null;
  #stopped = false;

  /** @param quietMs milliseconds without a change. */
  constructor(quietMs: number, onQuiet: () => void) {
    this.#quietMs = quietMs;
    this.#onQuiet = onQuiet;
  }

  /** These folders from now on, and none before them. One that is missing is left out: whoever looks at it finds that. */
  follow(folders: readonly string[]): void {
    this.unfollow();
    if (this.#stopped) return;
    this.#watchers = folders.flatMap((folder) => {
      try {
        const watcher = watch(folder, { persistent: false }, () => this.stir());
        watcher.on('error', () => watcher.close());
        return [watcher];
      } catch {
        return [];
      }
    });
  }

  unfollow(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  /** As if something had changed just now. */
  stir(): void {
    if (this.#stopped) return;
    this.settle();
    this.#quiet = setTimeout(this.#onQuiet, this.#quietMs);
  }

  /** What changed has been looked at. */
  settle(): void {
    if (this.#quiet !== null) clearTimeout(this.#quiet);
    this.#quiet = null;
  }

  /** For good. */
  stop(): void {
    this.#stopped = true;
    this.settle();
    this.unfollow();
  }
}
