/**
 * Holds the rules of alerts.yaml against the state and this machine, again and again, and sees to it that the sinks are
 * told. What is to be told is derived from the state (`alerts/pending.ts`); here is only who is being told now, and who
 * failed and is left alone for a while. A sink that takes nothing costs one pending call and a timer, however much waits.
 *
 * A message goes out and then is recorded as told: one that was taken in the very moment in which this process died is
 * sent again by the next one, with the same id. The other order would lose it.
 */
import { basename } from 'node:path';
import { causesOf } from '../alerts/causes.ts';
import type { Figures } from '../alerts/figures.ts';
import { utilisation } from '../alerts/measures.ts';
import { alertMessage, type Message, reportMessage } from '../alerts/message.ts';
import { isQuietAt, type Pending, pendingFor } from '../alerts/pending.ts';
import { type Hands, sendTo } from '../alerts/sinks/send.ts';
import type { AlertState } from '../model/alert.ts';
import type { Event } from '../model/event.ts';
import { projectOfKey } from '../model/found.ts';
import type { ProjectName } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { BUILT_IN_ALERTS, type AlertSettings, type SinkConfig } from '../spec/alert-settings.ts';
import { asidesOf, asideText } from './asides.ts';
import { systemClock } from './clock.ts';
import { diskOf, walOf } from './measure.ts';
import { NodeSpans } from './node-spans.ts';
import type { Note } from './note.ts';
import { homePaths } from './paths.ts';
import type { Session } from './session.ts';

export interface AlertWatchOptions {
  readonly home: string;
  readonly session: Session;
  /** A variable of the environment, for secrets. */
  readonly variable: Hands['variable'];
  readonly onNote: (note: Note) => void;
  /** How the backup of the day stands; absent where nobody makes one. */
  readonly backup?: () => Figures['backup'];
  /** False: whoever looks at this process sees what happens anyhow. */
  readonly showsAlerts: boolean;
}

/** First pause after a failure, doubled with each further one, milliseconds. */
const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 10 * 60_000;
/** Failures in a row after which the other sinks are told. */
const FAILURES = 3;
/** Tries of a daily report before the next one is waited for. */
const REPORT_TRIES = 5;
/** A look that comes so much later than it was due follows a sleep. */
const SLEPT_MS = 30_000;

interface Standing {
  failures: number;
  /** Why it failed the last time; null: it did not. */
  reason: string | null;
  busy: boolean;
  retry: NodeJS.Timeout | null;
}

export class AlertWatch {
  readonly #options: AlertWatchOptions;
  readonly #hands: Hands;
  readonly #stop = new AbortController();
  readonly #standing = new Map<string, Standing>();
  /** What each sink took, until the log has it and after. */
  readonly #sent = new Map<string, string>();
  readonly #spans = new NodeSpans();
  readonly #movedAt = new Map<ProjectName, number>();
  #settings: AlertSettings = BUILT_IN_ALERTS;
  #awakeSince = systemClock.wall();
  #lookedAt = systemClock.wall();
  #idleSince: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;

  constructor(options: AlertWatchOptions) {
    this.#options = options;
    const { home, variable, onNote } = options;
    const show = (message: Message): void => {
      for (const note of notesOf(message)) onNote(note);
    };
    this.#hands = { home, variable, show, platform: process.platform, now: () => systemClock.wall() };
  }

  /** Goes by these settings from now on; what failed is tried anew. */
  follow(settings: AlertSettings): void {
    if (this.#stop.signal.aborted) return;
    this.#settings = settings;
    for (const [name, standing] of this.#standing) {
      if (standing.retry !== null) clearTimeout(standing.retry);
      standing.retry = null;
      if (!settings.sinks.some((sink) => sink.name === name)) this.#standing.delete(name);
    }
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.#look(), settings.everyMs).unref();
    void this.#look();
  }

  /** What has happened: it is progress of its project. */
  note(events: readonly Event[], state: State): void {
    for (const { fact, at } of events) {
      const task =
        'task' in fact ? fact.task : 'token' in fact ? state.attempts.get(fact.token)?.task : undefined;
      const project = 'project' in fact ? fact.project : task === undefined ? null : projectOfKey(task);
      if (project !== null) this.#movedAt.set(project, at);
    }
  }

  /** Sends a daily report to the sinks that take it. Failures are noted, and tried again for a while. */
  report(report: { readonly label: string; readonly markdown: string; readonly html: string }): void {
    const message = reportMessage(report, basename(this.#options.home));
    for (const sink of this.#settings.sinks) if (sink.report) void this.#sendReport(sink, message, 1);
  }

  stop(): void {
    this.#stop.abort();
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const { retry } of this.#standing.values()) if (retry !== null) clearTimeout(retry);
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#stop.signal.aborted) return;
    this.#looking = true;
    try {
      const { session } = this.#options;
      const { rules, againMs } = this.#settings;
      const figures = await this.#measure();
      if (this.#stop.signal.aborted) return;
      const { found, undecided } = causesOf(session.snapshot(), figures, rules, systemClock.wall());
      session.judged({ found, undecided, againMs });
      // What this process knows of who was told may be as old as its sleep.
      if (await session.isInCharge()) this.#deliver();
    } finally {
      this.#looking = false;
    }
  }

  async #measure(): Promise<Figures> {
    const { home, session } = this.#options;
    const [disk, walBytes] = await Promise.all([diskOf(home), walOf(homePaths(home).database)]);
    const now = systemClock.wall();
    if (Math.abs(now - this.#lookedAt) > this.#settings.everyMs + SLEPT_MS) {
      this.#awakeSince = now;
      this.#spans.forget();
      this.#idleSince = null;
    }
    this.#lookedAt = now;
    const heardAt = this.#spans.look(session.looks(), now);
    const { used, slots, waits } = utilisation(session.snapshot());
    const { utilisation: rule } = this.#settings.rules;
    if (!waits || slots === 0 || rule === null || (100 * used) / slots >= rule.under) this.#idleSince = null;
    else this.#idleSince ??= now;
    return {
      awakeSince: this.#awakeSince,
      disk,
      walBytes,
      loopDelayMs: session.delay.p99,
      downSince: this.#spans.downSince,
      heardAt,
      movedAt: this.#movedAt,
      idleSince: this.#idleSince,
      doubts: session.doubts,
      asides: asidesOf(home).map(asideText),
      parts: session.parts,
      backup: this.#options.backup?.() ?? { tried: false, failing: null },
      sinks: new Map(
        this.#settings.sinks.map(({ name }) => {
          const { failures = 0, reason = null } = this.#standing.get(name) ?? {};
          const tried = this.#standing.has(name) && (failures === 0 || failures >= FAILURES);
          return [name, { tried, failing: failures >= FAILURES ? reason : null }];
        }),
      ),
    };
  }

  #deliver(): void {
    for (const sink of this.#settings.sinks) void this.#tell(sink);
  }

  /** All that waits for the sink, as one message. */
  async #tell(sink: SinkConfig): Promise<void> {
    const { session, showsAlerts, home } = this.#options;
    if (sink.kind === 'terminal' && !showsAlerts) return;
    const standing = this.#standing.get(sink.name);
    if (standing?.busy === true || (standing?.retry ?? null) !== null) return;
    const isQuiet = isQuietAt(this.#settings.quiet, systemClock.wall());
    const pending = this.#unsent(sink.name, pendingFor(session.state.alerts.values(), sink, isQuiet));
    const { raised, resolved } = pending;
    if (raised.length + resolved.length === 0) return;
    if (!(await this.#try(sink, alertMessage(pending, basename(home))))) return;
    for (const alert of [...raised, ...resolved]) this.#sent.set(sentKey(sink.name, alert), stampOf(alert));
    const keys = (alerts: readonly AlertState[]): string[] => alerts.map(({ key }) => key);
    session.told({ sink: sink.name, raised: keys(raised), resolved: keys(resolved) });
  }

  /** Without what was sent and is still being recorded. */
  #unsent(sink: string, { raised, resolved }: Pending): Pending {
    const isNew = (alert: AlertState): boolean => this.#sent.get(sentKey(sink, alert)) !== stampOf(alert);
    return { raised: raised.filter(isNew), resolved: resolved.filter(isNew) };
  }

  async #sendReport(sink: SinkConfig, message: Message, tries: number): Promise<void> {
    if (sink.kind === 'terminal') return;
    const sent = await this.#try(sink, message, true);
    if (sent || tries >= REPORT_TRIES || this.#stop.signal.aborted) return;
    setTimeout(() => void this.#sendReport(sink, message, tries + 1), pauseAfter(tries)).unref();
  }

  /** Never throws. @returns whether the sink took it. */
  async #try(sink: SinkConfig, message: Message, aside = false): Promise<boolean> {
    const { name } = sink;
    const standing = this.#standing.get(name) ?? { failures: 0, reason: null, busy: false, retry: null };
    this.#standing.set(name, standing);
    if (!aside) standing.busy = true;
    const { signal } = this.#stop;
    try {
      await sendTo(sink, message, this.#hands, { stop: signal });
      standing.failures = 0;
      standing.reason = null;
      return true;
    } catch (error) {
      // Whoever stops it knows already.
      if (!signal.aborted) this.#failed(sink, standing, error);
      return false;
    } finally {
      if (!aside) standing.busy = false;
    }
  }

  #failed({ name }: SinkConfig, standing: Standing, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    standing.failures += 1;
    standing.reason = message;
    if (standing.failures === 1)
      this.#options.onNote({
        about: 'alert',
        name,
        code: 'E_SINK',
        message: `${message}; trying again`,
        fix: `dispatch alerts test ${name}`,
      });
    if (standing.retry !== null || this.#standing.get(name) !== standing) return;
    standing.retry = setTimeout(() => {
      standing.retry = null;
      // A failure more may be what the others are to hear of.
      void this.#look();
    }, pauseAfter(standing.failures)).unref();
  }
}

function sentKey(sink: string, { key }: AlertState): string {
  return `${sink} ${key}`;
}

/** Another one for each time that an alert begins, is told anew, or is over. */
function stampOf({ announcedAt, resolved }: AlertState): string {
  return `${announcedAt} ${resolved?.at ?? ''}`;
}

function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** (failures - 1));
}

/** A message as lines of this process. */
function notesOf({ alerts, title, text }: Message): Note[] {
  if (alerts.length === 0) return [{ about: 'alert', name: title, code: null, message: text, fix: null }];
  return alerts.map(({ about, level, state, code, message, fix }) => {
    const said = state === 'raised' ? `${level}: ${message}` : `resolved: it was: ${message}`;
    return { about: 'alert', name: about, code, message: said, fix: state === 'raised' ? fix : null };
  });
}
