/**
 * The keys of all executors during one call: taken one by one as attempts are decided. They are shared by all nodes and
 * projects, so this is the one place that counts them.
 */
import { poolOf } from '../executors/pool.ts';
import { type CredentialDef, sparedUntil } from '../model/credential.ts';
import type { ExecutorDef } from '../model/executor.ts';
import type { ProjectName } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { allowance, needsPerson } from './credential-rule.ts';
import type { CredentialVerdict } from './snapshot.ts';

/** More than any load. */
const SPENT = 1e6;

/** What an attempt runs as. */
export interface Route {
  readonly executor: string;
  /** null: the executor needs none. */
  readonly credential: string | null;
}

export class Credentials {
  readonly #state: State;
  readonly #now: number;
  readonly #isSpent: (credential: string) => boolean;
  #used: Map<string, number> | null = null;

  /** @param isSpent nothing of the key's budget is left: it is chosen only when every other is in full use or refused. */
  constructor(state: State, now: number, isSpent: (credential: string) => boolean = () => false) {
    this.#state = state;
    this.#now = now;
    this.#isSpent = isSpent;
  }

  /**
   * How a task of this executor would run now; null while none of its keys may be used. The fallback is for keys that are
   * refused: one that is merely in full use is waited for.
   */
  route(project: ProjectName, executor: string): Route | null {
    for (const name of this.#chain(project, executor)) {
      const def = this.#definition(project, name);
      if (def === undefined) return { executor: name, credential: null };
      const pool = poolOf(def);
      if (pool.length === 0) return { executor: name, credential: null };
      const free = this.#best(pool);
      if (free !== null) return { executor: name, credential: free };
      if (pool.some((key) => allowance(this.#known(key), key, this.#now) > 0)) return null;
    }
    return null;
  }

  take({ credential }: Route): void {
    if (credential === null) return;
    const used = this.#inFlight();
    used.set(credential, (used.get(credential) ?? 0) + 1);
  }

  /** What each key that the executor could use says. */
  verdicts(project: ProjectName, executor: string): CredentialVerdict[] {
    return this.#chain(project, executor).flatMap((name) => {
      const def = this.#definition(project, name);
      return (def === undefined ? [] : poolOf(def)).map((key) => this.#verdict(name, key));
    });
  }

  #verdict(executor: string, key: CredentialDef): CredentialVerdict {
    const known = this.#known(key);
    const allowed = allowance(known, key, this.#now);
    const until = sparedUntil(known, this.#now);
    return {
      credential: key.name,
      executor,
      inFlight: this.#inFlight().get(key.name) ?? 0,
      allowed: Number.isFinite(allowed) ? allowed : null,
      until,
      forMs: until === null ? null : until - this.#now,
      refused: known !== undefined && known.strikes > 0 ? known.refused : null,
      needsPerson: needsPerson(known),
    };
  }

  /** The executor, its fallback, the fallback's own, each once. */
  #chain(project: ProjectName, executor: string): string[] {
    const chain: string[] = [];
    for (let name: string | undefined = executor; name !== undefined && !chain.includes(name); ) {
      chain.push(name);
      name = this.#definition(project, name)?.fallback;
    }
    return chain;
  }

  #definition(project: ProjectName, executor: string): ExecutorDef | undefined {
    return this.#state.projects.get(project)?.config.executors[executor];
  }

  #known(key: CredentialDef) {
    return this.#state.credentials.get(key.name);
  }

  /** The key that is used least for what it may carry; the first of equals. */
  #best(pool: readonly CredentialDef[]): string | null {
    let best: { readonly name: string; readonly load: number } | null = null;
    for (const key of pool) {
      const allowed = allowance(this.#known(key), key, this.#now);
      const used = this.#inFlight().get(key.name) ?? 0;
      if (used >= allowed) continue;
      const load =
        (Number.isFinite(allowed) ? (used + 1) / allowed : 0) + (this.#isSpent(key.name) ? SPENT : 0);
      if (best === null || load < best.load) best = { name: key.name, load };
    }
    return best?.name ?? null;
  }

  #inFlight(): Map<string, number> {
    this.#used ??= credentialsInUse(this.#state);
    return this.#used;
  }
}

/** Live attempts by the key they were given. */
export function credentialsInUse(state: State): Map<string, number> {
  const used = new Map<string, number>();
  for (const tokens of state.live.values()) {
    for (const token of tokens) {
      const credential = state.attempts.get(token)?.credential;
      if (credential !== undefined) used.set(credential, (used.get(credential) ?? 0) + 1);
    }
  }
  return used;
}
