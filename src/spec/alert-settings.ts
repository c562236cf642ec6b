/** What alerts.yaml says, with what is built in where it says nothing. */
import type { AlertLevel } from '../model/alert.ts';
import type { SINK_KINDS } from './alerts-schema.ts';

export interface AlertSettings {
  /** Between two looks, milliseconds. */
  readonly everyMs: number;
  /** A cause is told once in this time, milliseconds. */
  readonly againMs: number;
  readonly quiet: QuietHours | null;
  readonly rules: AlertRules;
  readonly sinks: readonly SinkConfig[];
}

/** From one time of day to another, perhaps past midnight; minutes since midnight. */
export interface QuietHours {
  readonly from: number;
  readonly to: number;
  /** IANA name; null: that of this machine. */
  readonly timezone: string | null;
}

/** Rules that are off are null. Shares are percent, spans milliseconds, sizes bytes. */
export interface AlertRules {
  readonly 'failure-rate': (Rule & { over: number; windowMs: number; least: number }) | null;
  readonly 'no-progress': (Rule & { afterMs: number }) | null;
  readonly heartbeat: (Rule & { afterMs: number }) | null;
  readonly 'node-down': (Rule & { afterMs: number }) | null;
  readonly 'node-lost': Rule | null;
  readonly disk: (Rule & { under: number; leastBytes: number }) | null;
  readonly budget: (Rule & { over: number }) | null;
  readonly utilisation: (Rule & { under: number; afterMs: number }) | null;
  readonly blocked: (Rule & { over: number }) | null;
  readonly wal: (Rule & { overBytes: number }) | null;
  readonly 'event-loop': (Rule & { overMs: number }) | null;
  readonly 'safe-mode': Rule | null;
  readonly backup: Rule | null;
  readonly gate: FoundRule | null;
  readonly contract: FoundRule | null;
  readonly stalled: FoundRule | null;
  readonly ailment: FoundRule | null;
  readonly sink: Rule | null;
}

export type RuleName = keyof AlertRules;

interface Rule {
  readonly level: AlertLevel;
}

/** What is found elsewhere has a level of its own; null keeps it. */
interface FoundRule {
  readonly level: AlertLevel | null;
}

export type SinkKind = (typeof SINK_KINDS)[number];

export interface SinkConfig {
  readonly name: string;
  readonly kind: SinkKind;
  readonly levels: readonly AlertLevel[];
  /** The daily report goes there too. */
  readonly report: boolean;
  /** Null: the kind has none. */
  readonly url: Secret | null;
  readonly token: Secret | null;
  readonly secret: Secret | null;
  readonly mail: MailConfig | null;
}

export interface MailConfig {
  readonly host: string;
  readonly port: number;
  readonly tls: 'starttls' | 'implicit' | 'none';
  readonly user: string | null;
  readonly password: Secret | null;
  readonly from: string;
  readonly to: readonly string[];
}

/** Where a value is read from at the moment it is used; it is kept and shown nowhere. */
export type Secret =
  | { readonly is: 'said'; readonly value: string }
  | { readonly is: 'env'; readonly name: string }
  /** Absolute, or relative to the home. */
  | { readonly is: 'file'; readonly path: string };

const MINUTE = 60_000;

export const BUILT_IN_RULES: AlertRules = {
  'failure-rate': { level: 'P1', over: 5, windowMs: 24 * 60 * MINUTE, least: 20 },
  'no-progress': { level: 'P1', afterMs: 60 * MINUTE },
  heartbeat: { level: 'P1', afterMs: 10 * MINUTE },
  'node-down': { level: 'P1', afterMs: 2 * MINUTE },
  'node-lost': { level: 'P1' },
  disk: { level: 'P0', under: 5, leastBytes: 1024 ** 3 },
  budget: { level: 'P1', over: 80 },
  utilisation: { level: 'P2', under: 60, afterMs: 30 * MINUTE },
  blocked: { level: 'P1', over: 10 },
  wal: { level: 'P1', overBytes: 64 * 1024 ** 2 },
  'event-loop': { level: 'P1', overMs: 500 },
  'safe-mode': { level: 'P0' },
  backup: { level: 'P0' },
  gate: { level: null },
  contract: { level: null },
  stalled: { level: null },
  ailment: { level: null },
  sink: { level: 'P1' },
};

/** As if there were no alerts.yaml. */
export const BUILT_IN_ALERTS: AlertSettings = {
  everyMs: 10_000,
  againMs: 24 * 60 * MINUTE,
  quiet: null,
  rules: BUILT_IN_RULES,
  sinks: [
    {
      name: 'terminal',
      kind: 'terminal',
      levels: ['P0', 'P1'],
      report: false,
      url: null,
      token: null,
      secret: null,
      mail: null,
    },
  ],
};
