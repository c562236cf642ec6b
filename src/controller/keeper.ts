/**
 * Keeps a home: a session for all its projects that goes on until it is stopped, in step with nodes.json and specs/.
 *
 * What a person started is a fact of the store, so the next keeper goes on with it. Files that have changed are read
 * again when they have been quiet for a moment, because editors and git write several of them one after the other. What
 * cannot be used is refused as a whole: the session keeps what it had, and the refusal is told once and kept for
 * whoever asks. Directories are watched, and looked at now and then as well, since a watch can be lost unnoticed.
 */
import { join } from 'node:path';
import { DispatchError } from '../model/error.ts';
import type { ProjectName } from '../model/ids.ts';
import type { Language } from '../model/language.ts';
import { QuietWatch } from '../feed/quiet-watch.ts';
import { FeedWatch } from '../feed/watch.ts';
import {
  ALERTS_CONFIG,
  HOME_CONFIG,
  listProjects,
  loadAlerts,
  loadHome,
  loadHomeConfig,
} from '../spec/load.ts';
import { AlertWatch } from './alert-watch.ts';
import { BackupClock } from './backup-clock.ts';
import { fedNotes } from './fed-notes.ts';
import { budgetRules } from './budget-rules.ts';
import type { Reply } from './commands.ts';
import { HealthPort } from './health-port.ts';
import { ReportClock } from './report-clock.ts';
import { ProjectFiles, folderOf } from './project-files.ts';
import { asError, firstError, Refusals } from './refusals.ts';
import { SeenFiles } from './seen-files.ts';
import { signatureOf } from './signature.ts';
import { openSession } from './open-session.ts';
import type { Session, SessionOptions } from './session.ts';

export interface KeeperOptions {
  readonly home: string;
  readonly onEvents: NonNullable<SessionOptions['onEvents']>;
  readonly onNote: NonNullable<SessionOptions['onNote']>;
  /** Of reports, from what dispatch.yaml says. */
  readonly language: (said: Language | null) => Language;
  /** A variable of the environment, for the secrets of sinks. */
  readonly variable: (name: string) => string | undefined;
  /** Makes the backup of the day, and says where it is. */
  readonly backUp: () => Promise<string>;
  /** How long files must be quiet before they are read again, milliseconds. */
  readonly quietMs?: number;
  /** Between two looks that nothing asked for, milliseconds. */
  readonly lookMs?: number;
}

const QUIET_MS = 500;
const LOOK_MS = 30_000;
const NODES = 'nodes.json';

/**
 * Becomes the controller of the home, and goes on with every project that was started.
 * @throws DispatchError E_CONTROLLER_RUNNING, what openSession throws, and the first problem of nodes.json: without
 *   machines there is nothing to go on with.
 */
export async function openKeeper(options: KeeperOptions): Promise<Keeper> {
  const before = await signatureOf(options.home, NODES);
  const { nodes, problems } = await loadHome(options.home);
  const error = firstError(problems);
  if (error !== null) {
    const { code, message, file, line, col, fix } = error;
    throw new DispatchError(code, message, {
      where: `${file}:${line}:${col}`,
      ...(fix === undefined ? {} : { fix }),
    });
  }
  let opened: (keeper: Keeper) => void = () => {};
  const keeper = new Promise<Keeper>((resolve) => {
    opened = resolve;
  });
  const refusals = new Refusals(options.onNote);
  let watching: AlertWatch | null = null;
  const session = await openSession({
    home: options.home,
    nodes,
    projects: [],
    onEvents: (events, state) => {
      watching?.note(events, state);
      options.onEvents(events, state);
    },
    onNote: options.onNote,
    keeper: {
      take: async (project, skip) => (await keeper).take(project, skip),
      refused: () => refusals.files,
    },
  });
  const { home, variable, onNote } = options;
  const backup = (): ReturnType<BackupClock['standing']> => kept.backups.standing();
  watching = new AlertWatch({ home, session, variable, onNote, backup, showsAlerts: true });
  const kept = new Keeper(options, session, refusals, watching);
  await kept.begin(before);
  opened(kept);
  return kept;
}

export class Keeper {
  readonly session: Session;
  readonly #options: KeeperOptions;
  readonly #refusals: Refusals;
  readonly #feed: FeedWatch;
  readonly #seen: SeenFiles;
  readonly #projects: ProjectFiles;
  readonly #reports: ReportClock;
  readonly #alerts: AlertWatch;
  readonly #port: HealthPort;
  readonly backups: BackupClock;
  readonly #folders: QuietWatch;
  #looks: NodeJS.Timeout | null = null;
  /** Files are read by one call after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(options: KeeperOptions, session: Session, refusals: Refusals, alerts: AlertWatch) {
    this.#options = options;
    this.session = session;
    this.#refusals = refusals;
    this.#alerts = alerts;
    this.#seen = new SeenFiles(options.home);
    this.#projects = new ProjectFiles({ home: options.home, session, refusals, seen: this.#seen });
    this.#folders = new QuietWatch(options.quietMs ?? QUIET_MS, () => this.look());
    this.#feed = new FeedWatch({
      home: options.home,
      projects: () => listProjects(options.home),
      onFed: (fed) => {
        for (const note of fedNotes(fed)) options.onNote(note);
        // What was queued is run at once; the folder's watch may have been lost.
        if (fed.moved.length > 0) this.look();
      },
      onError: (error) => {
        const { code, message, fix = null } = asError(error);
        options.onNote({ about: 'spec', name: 'pending', code, message, fix });
      },
      ...(options.quietMs === undefined ? {} : { quietMs: options.quietMs }),
      ...(options.lookMs === undefined ? {} : { lookMs: options.lookMs }),
    });
    const { home, language, onNote, backUp } = options;
    this.backups = new BackupClock({ home, onNote, backUp });
    this.#reports = new ReportClock({
      home,
      language,
      onNote,
      nodes: () => session.nodes,
      send: (report) => alerts.report(report),
    });
    this.#port = new HealthPort({ home, desk: session.health, onNote });
  }

  /** Projects that were started and have something left to do or to change. */
  get projects(): ProjectName[] {
    return [...this.session.state.projects.values()].flatMap(({ name, started }) => (started ? name : []));
  }

  /**
   * Takes up what was started; a repository that is slow to answer keeps nobody from stopping meanwhile.
   * @param nodesRead signature of nodes.json when it was read.
   */
  async begin(nodesRead: string): Promise<void> {
    this.#seen.set(NODES, nodesRead);
    this.#watch();
    await this.#followConfig();
    await this.#followAlerts();
    this.backups.begin();
    void this.#inTurn(() => this.#resume());
    this.#looks = setInterval(() => this.look(), this.#options.lookMs ?? LOOK_MS);
  }

  /** Reads a project's files and runs them; what is wrong with them is the reply. */
  take(project: ProjectName, skipControl: string | undefined): Promise<Reply> {
    return this.#inTurn(async () => {
      const reply = await this.#projects.load(project, skipControl);
      this.#watch();
      // What was saved between the two is seen by nobody else.
      this.look();
      return reply;
    });
  }

  /** Reads again whatever has changed since it was read. */
  look(): void {
    void this.#inTurn(() => this.#follow());
  }

  /** Lets go of files, nodes and lease; agents go on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#folders.stop();
    if (this.#looks !== null) clearInterval(this.#looks);
    this.#reports.stop();
    this.#alerts.stop();
    await this.#port.stop();
    this.backups.stop();
    await this.#feed.stop();
    await this.session.detach();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** What is wrong with a project's files now does not stop what was taken over from them before. */
  async #resume(): Promise<void> {
    await this.#guarded(async () => {
      for (const project of this.projects) {
        if (this.#stopped) return;
        const reply = await this.#projects.load(project, this.#projects.skip(project));
        if (!reply.ok) await this.#projects.start(project, this.#projects.skip(project));
      }
    });
  }

  async #follow(): Promise<void> {
    if (this.#stopped) return;
    // New watches first: what changes from here on asks for another look.
    this.#watch();
    await this.#guarded(async () => {
      if (await this.#seen.hasChanged(NODES)) await this.#followNodes();
      if (await this.#seen.hasChanged(HOME_CONFIG)) await this.#followConfig();
      if (await this.#seen.hasChanged(ALERTS_CONFIG)) await this.#followAlerts();
      for (const project of this.projects) {
        if (!this.#stopped && (await this.#seen.hasChanged(folderOf(project))))
          await this.#projects.load(project, this.#projects.skip(project));
      }
    });
  }

  /** When the session has stopped, whoever waits for it is told why. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#stopped) this.#refusals.refuse('specs', asError(error));
    }
  }

  async #followNodes(): Promise<void> {
    const { nodes, problems } = await loadHome(this.#options.home);
    const error = firstError(problems);
    if (error !== null) return this.#refusals.refuse(NODES, error);
    const kept = this.session.follow(nodes);
    if (kept.length === 0) return this.#refusals.accept(NODES);
    // Their attempts end some time: until then every look asks again.
    this.#seen.forget(NODES);
    const message = `attempts live on ${kept.join(', ')}: nothing new is placed there, and the change counts when they have ended`;
    this.#refusals.refuse(NODES, new DispatchError('E_NODE_BUSY', message));
  }

  async #followConfig(): Promise<void> {
    await this.#seen.note(HOME_CONFIG);
    const { config, problems } = await loadHomeConfig(this.#options.home);
    const error = firstError(problems);
    if (error !== null) return this.#refusals.refuse(HOME_CONFIG, error);
    this.#refusals.accept(HOME_CONFIG);
    if (!this.#stopped) this.session.allow(budgetRules(config));
    if (!this.#stopped) this.#feed.follow(config.feed);
    if (!this.#stopped) this.#reports.follow(config.report, budgetRules(config).prices);
    if (!this.#stopped) await this.#port.follow(config.serve);
  }

  async #followAlerts(): Promise<void> {
    await this.#seen.note(ALERTS_CONFIG);
    const { settings, problems } = await loadAlerts(this.#options.home);
    const error = firstError(problems);
    if (error !== null) return this.#refusals.refuse(ALERTS_CONFIG, error);
    this.#refusals.accept(ALERTS_CONFIG);
    this.#alerts.follow(settings);
  }

  /** A folder that is gone is not watched: the next look says so. */
  #watch(): void {
    const places = ['', ...this.projects.map(folderOf)];
    this.#folders.follow(places.map((place) => join(this.#options.home, place)));
  }
}
