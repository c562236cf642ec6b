import { poolOf } from '../../executors/pool.ts';
import { type Credential, type CredentialDef, sparedUntil } from '../../model/credential.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { State } from '../../model/state.ts';
import { formatDuration } from '../../model/time.ts';
import { allowance, needsPerson } from '../../schedule/credential-rule.ts';
import { credentialsInUse } from '../../schedule/credentials.ts';
import type { Context } from '../context.ts';
import { withView } from '../view.ts';

interface Row {
  readonly name: string;
  readonly executors: readonly string[];
  /** Live attempts with it, on all nodes. */
  readonly inFlight: number;
  /** Attempts it may carry at once now; null: nothing bounds it. */
  readonly allowed: number | null;
  /** What executors.yaml allows; null: it does not say. */
  readonly maxInFlight: number | null;
  /** What its provider showed; null: it never refused for being busy. */
  readonly limit: number | null;
  /** Attempts at once when it last refused for being too busy; null: it never did. */
  readonly refusedAt: number | null;
  readonly state: 'free' | 'full' | 'backing off' | 'trying' | 'needs you';
  /** Wall clock of the next try; null: now. */
  readonly nextRetry: number | null;
  readonly refusals: number;
  readonly lastRefusal: Credential['refused'] | null;
  /** Attempts ever started with it. */
  readonly attempts: number;
}

/** The keys of the executors that the projects' specs name: use, limits seen, next retry. */
export async function credentials(context: Context): Promise<ExitCode> {
  const { output } = context;
  return withView(context, async ({ state }) => {
    const now = Date.now();
    const rows = rowsOf(state, now);
    output.list<Row>({
      kind: 'CredentialList',
      rows,
      name: ({ name }) => name,
      columns: [
        { title: 'credential', value: ({ name }) => name },
        { title: 'in flight', value: ({ inFlight, allowed }) => `${inFlight}/${allowed ?? '-'}` },
        { title: 'max', value: ({ maxInFlight }) => String(maxInFlight ?? '-') },
        { title: 'state', value: ({ state: word }) => word },
        {
          title: 'next retry',
          value: ({ nextRetry }) =>
            nextRetry === null
              ? '-'
              : `in ${formatDuration(Math.max(1, Math.ceil((nextRetry - now) / 1000)) * 1000)}`,
        },
        {
          title: 'last refusal',
          value: ({ lastRefusal }) =>
            lastRefusal === null
              ? '-'
              : `${lastRefusal.why}, ${new Date(lastRefusal.at).toISOString()}: ${lastRefusal.message}`,
        },
        { title: 'limit seen', value: ({ limit }) => (limit === null ? '-' : limit.toFixed(1)), wide: true },
        { title: 'refused at', value: ({ refusedAt }) => String(refusedAt ?? '-'), wide: true },
        { title: 'refusals', value: ({ refusals }) => String(refusals), wide: true },
        { title: 'attempts', value: ({ attempts }) => String(attempts), wide: true },
        { title: 'executors', value: ({ executors }) => executors.join(','), wide: true },
      ],
      empty: 'no executor of the specs needs a key',
    });
    for (const { name, state: word } of rows) {
      if (word === 'needs you')
        output.note(`${name}: mend the key or its account, then: dispatch start <project>`);
    }
    return EXIT.ok;
  });
}

function rowsOf(state: State, now: number): Row[] {
  const keys = keysOf(state);
  const used = credentialsInUse(state);
  const attempts = new Map<string, number>();
  for (const { credential } of state.attempts.values())
    if (credential !== undefined) attempts.set(credential, (attempts.get(credential) ?? 0) + 1);
  return [...keys.values()].map(({ key, executors }) => {
    const known = state.credentials.get(key.name);
    const allowed = allowance(known, key, now);
    const inFlight = used.get(key.name) ?? 0;
    return {
      name: key.name,
      executors: [...executors],
      inFlight,
      allowed: Number.isFinite(allowed) ? allowed : null,
      maxInFlight: key.maxInFlight,
      limit: known?.limit ?? null,
      refusedAt: known?.seen ?? null,
      state: wordFor(known, inFlight, allowed, now),
      nextRetry: sparedUntil(known, now),
      refusals: known?.refusals ?? 0,
      lastRefusal: known?.refused ?? null,
      attempts: attempts.get(key.name) ?? 0,
    };
  });
}

function wordFor(
  known: Credential | undefined,
  inFlight: number,
  allowed: number,
  now: number,
): Row['state'] {
  if (needsPerson(known)) return 'needs you';
  if (sparedUntil(known, now) !== null) return 'backing off';
  if (known !== undefined && known.strikes > 0) return 'trying';
  return inFlight >= allowed ? 'full' : 'free';
}

/** Keys of the executors that specs name, their fallbacks included. */
function keysOf(state: State): Map<string, { key: CredentialDef; executors: Set<string> }> {
  const keys = new Map<string, { key: CredentialDef; executors: Set<string> }>();
  const named = new Map<string, Set<string>>();
  for (const { spec } of state.tasks.values()) {
    const executors = named.get(spec.project) ?? new Set();
    named.set(spec.project, executors.add(spec.executor));
  }
  for (const { name: project, config } of state.projects.values()) {
    const executors = named.get(project) ?? new Set<string>();
    for (const name of executors) {
      const def = config.executors[name];
      if (def === undefined) continue;
      for (const key of poolOf(def)) {
        const known = keys.get(key.name) ?? { key, executors: new Set<string>() };
        keys.set(key.name, known);
        known.executors.add(name);
      }
      // A set may grow while it is walked.
      if (def.fallback !== undefined) executors.add(def.fallback);
    }
  }
  return keys;
}
