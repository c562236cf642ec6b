/** Keys and pools of keys as people write them. */
import { poolOf } from '../executors/pool.ts';
import type { CredentialDef } from '../model/credential.ts';
import type { Problem } from '../model/error.ts';
import type { ExecutorDef, ExecutorKind } from '../model/executor.ts';
import type { CredentialInput, ExecutorInput } from './executor-schema.ts';
import { nearest } from './nearest.ts';
import { shown } from './problem.ts';
import type { Path, Source } from './source.ts';

type Credentials = Readonly<Record<string, CredentialDef>>;

/** The keys of executors.yaml by name. */
export function credentialsOf(input: Readonly<Record<string, CredentialInput>>): Credentials {
  return Object.fromEntries(
    Object.entries(input).map(([name, { max_in_flight: max, secrets }]) => [
      name,
      { name, maxInFlight: max ?? null, secrets: secrets === undefined ? null : plain(secrets) },
    ]),
  );
}

/** The executors, with what executors.yaml says of the keys that they have without being told. */
export function withCredentials(
  executors: Readonly<Record<string, ExecutorDef>>,
  credentials: Credentials,
): Readonly<Record<string, ExecutorDef>> {
  return Object.fromEntries(
    Object.entries(executors).map(([name, def]) => {
      const key = def.pool === undefined && def.kind !== 'shell' ? credentials[name] : undefined;
      return [name, key === undefined ? def : { ...def, pool: [key] }];
    }),
  );
}

interface Parts {
  readonly name: string;
  readonly kind: ExecutorKind;
  readonly input: ExecutorInput;
  readonly base: ExecutorDef | null;
  readonly credentials: Credentials;
}

/** The pool of a definition; null: the one it has by itself. */
export function poolFrom({ name, kind, input, base, credentials }: Parts): readonly CredentialDef[] | null {
  const max = input.limits?.max_in_flight;
  const keyOf = (key: string): CredentialDef =>
    credentials[key] ?? { name: key, maxInFlight: null, secrets: null };
  const bounded = (pool: readonly CredentialDef[]): readonly CredentialDef[] =>
    max === undefined ? pool : pool.map((key) => ({ ...key, maxInFlight: max }));
  if (input.credentials !== undefined) return bounded(input.credentials.map(keyOf));
  // Whoever inherits its secrets shares the key with them.
  const inherited = input.secrets === undefined && base !== null ? poolOf(base) : [];
  if (inherited.length > 0 && (base?.pool !== undefined || base?.name !== name || max !== undefined))
    return bounded(inherited);
  const own = kind !== 'shell' || max !== undefined || Object.hasOwn(credentials, name);
  return own && inherited.length === 0 && (max !== undefined || Object.hasOwn(credentials, name))
    ? bounded([keyOf(name)])
    : null;
}

/** Keys and fallbacks that do not exist, and fallbacks that lead nowhere. */
export function credentialProblems(
  own: Readonly<Record<string, ExecutorInput>>,
  executors: readonly string[],
  credentials: Credentials,
  source: Source,
): Problem[] {
  return Object.entries(own).flatMap(([name, { credentials: keys = [], fallback }]) => {
    const at: Path = ['executors', name];
    const problems = keys.flatMap((key, i) =>
      Object.hasOwn(credentials, key)
        ? []
        : [unknown(key, [...at, 'credentials', i], 'credential', Object.keys(credentials), source)],
    );
    if (fallback === undefined) return problems;
    if (fallback === name || !executors.includes(fallback)) {
      const others = [...new Set(executors)].filter((other) => other !== name);
      problems.push(unknown(fallback, [...at, 'fallback'], 'other executor', others, source));
    }
    return problems;
  });
}

function unknown(name: string, at: Path, what: string, known: readonly string[], source: Source): Problem {
  const near = nearest(name, known);
  const { line, col } = source.at(at);
  return {
    code: 'E_PROJECT_EXECUTOR',
    severity: 'error',
    file: source.file,
    line,
    col,
    message: `no ${what} is called ${shown(name)}`,
    expected:
      known.length === 0 ? 'a name under `credentials` in executors.yaml' : `one of ${known.join(', ')}`,
    fix: near === null ? `define it in executors.yaml` : `did you mean "${near}"?`,
  };
}

function plain(secrets: NonNullable<CredentialInput['secrets']>): NonNullable<CredentialDef['secrets']> {
  return Object.fromEntries(
    Object.entries(secrets).map(([variable, { env, file }]) => [
      variable,
      { ...(env === undefined ? {} : { env }), ...(file === undefined ? {} : { file }) },
    ]),
  );
}
