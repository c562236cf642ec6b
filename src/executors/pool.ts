/** Which keys an executor may run with. */
import type { CredentialDef } from '../model/credential.ts';
import type { ExecutorDef } from '../model/executor.ts';

/**
 * The keys in order of preference. An agent without a pool of its own has one, named like the executor: its provider bounds
 * it all the same. A shell command that names none is not governed: nobody knows whom it calls.
 */
export function poolOf(def: Pick<ExecutorDef, 'name' | 'kind' | 'pool'>): readonly CredentialDef[] {
  if (def.pool !== undefined) return def.pool;
  if (def.kind === 'shell') return [];
  const known = implied.get(def);
  if (known !== undefined) return known;
  const pool = [{ name: def.name, maxInFlight: null, secrets: null }];
  implied.set(def, pool);
  return pool;
}

/** The scheduler asks for the same few definitions again and again. */
const implied = new WeakMap<object, readonly CredentialDef[]>();

/** The definition as an attempt with this key runs it. */
export function withCredential(def: ExecutorDef, credential: string | undefined): ExecutorDef {
  const key = poolOf(def).find(({ name }) => name === credential);
  if (key === undefined || key.secrets === null) return def;
  // The key that was chosen, and no other: a login of the node's user would be another one.
  return { ...def, secrets: key.secrets, call: { ...def.call, loginUnless: null } };
}
