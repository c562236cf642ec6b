/**
 * Feeds as files appear, or at set times. Folders are watched, and looked at now and then as well, since a watch can be
 * lost unnoticed; a change is looked at when there has been quiet for a moment.
 */
import { join } from 'node:path';
import { Cron } from 'croner';
import type { FeedSettings } from '../spec/feed-settings.ts';
import { feedProject, feedSignature, type Fed, type FeedOptions, QUIET_MS } from './feed.ts';
import { PENDING } from './names.ts';
import { QuietWatch } from './quiet-watch.ts';

export interface FeedWatchOptions extends Pick<FeedOptions, 'home' | 'basePaths'> {
  /** Whose pending/ is fed, asked anew at each look. */
  readonly projects: () => Promise<readonly string[]>;
  /** Told of each turn in which something moved or something new is wrong. */
  readonly onFed: (fed: Fed) => void;
  /** What keeps a turn from happening, a full disk for example; the next one tries again. */
  readonly onError: (error: unknown) => void;
  readonly quietMs?: number;
  /** Between two looks that nothing asked for, milliseconds. */
  readonly lookMs?: number;
}

const LOOK_MS = 30_000;

export class FeedWatch {
  readonly #options: FeedWatchOptions;
  readonly #quietMs: number;
  /** null: it has not begun. */
  #settings: FeedSettings | null = null;
  readonly #folders: QuietWatch;
  #looks: NodeJS.Timeout | null = null;
  #cron: Cron | null = null;
  /** What a project's folders looked like when all that could be done there was done. */
  readonly #seen = new Map<string, string>();
  /** One turn after the other. */
  #turn: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: FeedWatchOptions) {
    this.#options = options;
    this.#quietMs = options.quietMs ?? QUIET_MS;
    this.#folders = new QuietWatch(this.#quietMs, () => this.#look());
  }

  /** Begins with this schedule, or uses it from now on. */
  follow(settings: FeedSettings): void {
    const { at, timezone } = settings;
    if (at === this.#settings?.at && timezone === this.#settings.timezone) return;
    this.#settings = settings;
    this.#disarm();
    this.#arm(settings);
  }

  /** Resolves when the turn that is under way has ended. Harmless when called twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#disarm();
    this.#folders.stop();
    await this.#turn;
  }

  #arm({ at, timezone }: FeedSettings): void {
    if (at === null) {
      this.#looks = setInterval(() => this.#look(), this.#options.lookMs ?? LOOK_MS);
      this.#look();
    } else {
      this.#cron = new Cron(at, { ...(timezone === null ? {} : { timezone }), unref: true }, () =>
        this.#look(),
      );
    }
  }

  #disarm(): void {
    this.#cron?.stop();
    this.#cron = null;
    if (this.#looks !== null) clearInterval(this.#looks);
    this.#folders.settle();
    this.#folders.unfollow();
  }

  #look(): void {
    this.#turn = this.#turn.then(() => this.#all()).catch((error: unknown) => this.#options.onError(error));
  }

  async #all(): Promise<void> {
    if (this.#stopped) return;
    const projects = await this.#options.projects();
    // New watches first: what changes from here on asks for another look.
    if (this.#settings?.at === null) this.#watch(projects);
    for (const project of projects) {
      if (this.#stopped) return;
      await this.#one(project);
    }
  }

  async #one(project: string): Promise<void> {
    const { home, basePaths, onFed } = this.#options;
    const before = await feedSignature(home, project);
    if (before === null || before === this.#seen.get(project)) return;
    const fed = await feedProject({
      home,
      project,
      quietMs: this.#quietMs,
      ...(basePaths === undefined ? {} : { basePaths }),
    });
    if (fed.moved.length > 0 || fed.held.some(({ news }) => news)) onFed(fed);
    if (fed.unsettled.some(({ why }) => why === 'fresh')) this.#folders.stir();
    else this.#seen.set(project, before);
  }

  /** Not every project has a pending/, and a folder may go away. */
  #watch(projects: readonly string[]): void {
    const folders = projects.flatMap((name) => [join('specs', name), join('specs', name, PENDING)]);
    this.#folders.follow(['specs', ...folders].map((folder) => join(this.#options.home, folder)));
  }
}
