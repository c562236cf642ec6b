/**
 * Alerts in a simulated home: something is wrong, and over, as the seed has it; each controller holds that against what it
 * knows, and tells one sink. Whoever listens there is told of one cause once in a day, whichever controller tells it.
 */
import { pendingFor } from '../../src/alerts/pending.ts';
import { changesAlerts } from '../../src/controller/alerts.ts';
import type { Input } from '../../src/controller/door.ts';
import type { AlertState, Cause } from '../../src/model/alert.ts';
import type { NewEvent } from '../../src/model/event.ts';
import type { State } from '../../src/model/state.ts';
import { Rng } from './rng.ts';

const SINK = { name: 'bell', levels: ['P0', 'P1'] } as const;
const AGAIN_MS = 24 * 60 * 60_000;
const KINDS = ['disk', 'wal', 'node/n1', 'blocked'];

/** The one who listens. */
export class Bell {
  readonly violations: string[] = [];
  readonly #wrong = new Map<string, Cause>();
  /** When it was last told of each cause: by the stamp of the alert. */
  readonly #heard = new Map<string, AlertState>();
  /** The stamps of which a store knows that they were told. */
  readonly #recorded = new Map<string, number>();

  /** What is wrong now. */
  get causes(): readonly Cause[] {
    return [...this.#wrong.values()];
  }

  /** Something begins, gets worse, or is over. */
  change(rng: Rng): void {
    const key = rng.pick(KINDS);
    if (this.#wrong.delete(key) && rng.chance(0.8)) return;
    const level = rng.pick(['P0', 'P1', 'P2'] as const);
    const text = { about: 'here', message: 'it is low', fix: null };
    this.#wrong.set(key, { key, rule: key, level, code: 'E_DISK_LOW', ...text });
  }

  /** A store was put back: what it does not know of is told again. */
  forget(): void {
    this.#heard.clear();
    this.#recorded.clear();
  }

  rings(alert: AlertState): void {
    const { key, announcedAt, level } = alert;
    const form = `${key} ${level}`;
    const before = this.#heard.get(form);
    if (this.#recorded.get(key) === announcedAt)
      this.violations.push(`${key}: told again, and that was known`);
    const isNew = before !== undefined && before.announcedAt !== announcedAt;
    if (isNew && announcedAt - before.announcedAt < AGAIN_MS)
      this.violations.push(`${key}: told twice within a day`);
    this.#heard.set(form, alert);
  }

  /** A transaction is durable. */
  committed(state: State, events: readonly NewEvent[]): void {
    for (const { fact } of events) {
      if (fact.type !== 'alert.told') continue;
      for (const key of fact.raised) {
        const alert = state.alerts.get(key);
        if (alert?.told.includes(SINK.name) === true) this.#recorded.set(key, alert.announcedAt);
      }
    }
  }
}

interface Telling {
  readonly isInCharge: () => Promise<boolean>;
  /** Plans an input so much later, milliseconds. */
  readonly later: (span: number, input: Input) => void;
}

/** The part of a controller that tells. */
export class Ringer {
  readonly #bell: Bell;
  readonly #rng: Rng;
  readonly #sent = new Map<string, string>();

  constructor(bell: Bell, seed: number, epoch: number) {
    this.#bell = bell;
    this.#rng = Rng.of(seed, `ringer ${epoch}`);
  }

  /** Holds what is wrong against what is known; null: that says nothing new. */
  judge({ alerts }: State, now: number): Input | null {
    const judged = { found: this.#bell.causes, undecided: new Set<string>(), againMs: AGAIN_MS };
    return changesAlerts(alerts, judged, now) ? { is: 'alerts.judged', ...judged } : null;
  }

  /** As `AlertWatch` does it. The word that somebody was told comes when the sink has answered. */
  async tell({ alerts }: State, { isInCharge, later }: Telling): Promise<void> {
    const { raised, resolved } = pendingFor(alerts.values(), SINK, false);
    const fresh = (alert: AlertState): boolean => this.#sent.get(alert.key) !== stampOf(alert);
    const [begun, over] = [raised.filter(fresh), resolved.filter(fresh)];
    if (begun.length + over.length === 0 || !(await isInCharge())) return;
    for (const alert of [...begun, ...over]) this.#sent.set(alert.key, stampOf(alert));
    for (const alert of begun) this.#bell.rings(alert);
    const keys = (list: readonly AlertState[]): string[] => list.map(({ key }) => key);
    const told = { sink: SINK.name, raised: keys(begun), resolved: keys(over) };
    later(this.#rng.int(2_000), { is: 'alerts.told', ...told });
  }
}

function stampOf({ announcedAt, resolved }: AlertState): string {
  return `${announcedAt} ${resolved?.at ?? ''}`;
}
