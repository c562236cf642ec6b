/**
 * Executors as people write them, in project.yaml and executors.yaml, to ExecutorDef: each with what it inherits filled in.
 * What an executor says about how its program is called becomes its differences from its kind's row.
 */
import type { ErrorCode } from '../model/codes/index.ts';
import type { CredentialDef } from '../model/credential.ts';
import type { Problem } from '../model/error.ts';
import type { ExecutorDef } from '../model/executor.ts';
import { findCycles } from '../plan/cycles.ts';
import { checkForm } from './check-form.ts';
import { credentialProblems, credentialsOf, poolFrom, withCredentials } from './credentials.ts';
import { callFrom, callProblem } from './executor-call.ts';
import type { ExecutorInput } from './executor-schema.ts';
import { nearest } from './nearest.ts';
import { FILE_START, type Position, shown } from './problem.ts';
import { executorsFileSchema } from './schema.ts';
import type { Path, Source } from './source.ts';
import { readYaml } from './yaml-source.ts';

export type Executors = Readonly<Record<string, ExecutorDef>>;

export interface ParsedExecutors {
  /** Those given and those of the file that can be used. */
  readonly executors: Executors;
  /** The keys of the file. */
  readonly credentials: Credentials;
  readonly problems: readonly Problem[];
}

export type Credentials = Readonly<Record<string, CredentialDef>>;

const MAX_BYTES = 1024 * 1024;

/** Reads executors.yaml. `builtin` are the executors that need no definition. */
export function parseExecutors(text: string, file: string, builtin: Executors): ParsedExecutors {
  const failed = (problems: readonly Problem[]): ParsedExecutors => ({
    executors: builtin,
    credentials: {},
    problems,
  });
  if (Buffer.byteLength(text) > MAX_BYTES)
    return failed([problemAt('E_SPEC_TOO_LARGE', file, FILE_START, 'the file is larger than 1 MiB')]);
  const read = readYaml(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, file);
  if ('problems' in read) return failed(read.problems);
  const source = read.source.value === null ? { ...read.source, value: {} } : read.source;
  const form = checkForm(executorsFileSchema, source);
  if (form.value === null) return failed(form.problems);
  const own = form.value.executors ?? {};
  const credentials = credentialsOf(form.value.credentials ?? {});
  const { executors, problems } = resolveExecutors(
    own,
    withCredentials(builtin, credentials),
    credentials,
    source,
  );
  return {
    executors,
    credentials,
    problems: [...form.problems, ...problems, ...secretProblems(own, source)],
  };
}

/** Built-in executors and the project's own, each with what it inherits filled in. */
export function resolveExecutors(
  own: OwnExecutors,
  builtin: Executors,
  credentials: Credentials,
  source: Source,
): { executors: Executors; problems: Problem[] } {
  const names = Object.keys(own);
  const parents = new Map(names.map((name) => [name, parentOf(name, own)]));
  const circles = findCycles(parents);
  const problems = circles.map((circle) => circleProblem(circle, source));
  const circular = new Set(circles.flat());
  const executors: Record<string, ExecutorDef> = { ...builtin };
  const resolved = new Map<string, ExecutorDef | null>();
  const resolve = (name: string): ExecutorDef | null => {
    const input = Object.hasOwn(own, name) ? own[name] : undefined;
    if (input === undefined) return builtin[name] ?? null;
    const known = resolved.get(name);
    if (known !== undefined) return known;
    resolved.set(name, null);
    const base = baseOf(name, input, { own, builtin, resolve });
    const command = input.command ?? base?.command;
    const problem = definitionProblem(
      { name, input, base, command },
      [...Object.keys(builtin), ...names],
      source,
    );
    if (problem !== null && !circular.has(name)) problems.push(problem);
    const definition =
      command === undefined || base === undefined
        ? null
        : merged({ name, input, base, command, credentials });
    const wrong = definition === null ? null : callProblem(definition);
    if (wrong !== null) problems.push(wrongCall(name, wrong, source));
    resolved.set(name, definition);
    return definition;
  };
  problems.push(...credentialProblems(own, [...Object.keys(builtin), ...names], credentials, source));
  for (const name of names) {
    const definition = circular.has(name) ? null : resolve(name);
    if (definition !== null) executors[name] = definition;
  }
  return { executors, problems };
}

type OwnExecutors = Readonly<Record<string, ExecutorInput>>;

function parentOf(name: string, own: OwnExecutors): string[] {
  const parent = own[name]?.extends;
  return parent === undefined || parent === name ? [] : [parent];
}

function circleProblem(circle: readonly string[], source: Source): Problem {
  const at = source.keyAt(['executors', circle[0] ?? '', 'extends']);
  const message = `executors extend each other: ${[...circle, circle[0]].join(' -> ')}`;
  return problemAt('E_PROJECT_EXECUTOR', source.file, at, message);
}

interface Definition {
  readonly name: string;
  readonly input: ExecutorInput;
  readonly base: ExecutorDef | null | undefined;
  readonly command: readonly string[] | undefined;
}

function definitionProblem(definition: Definition, names: readonly string[], source: Source): Problem | null {
  const { name, input, base, command } = definition;
  const at: Path = ['executors', name];
  if (base === undefined) {
    const known = [...new Set(names)].filter((other) => other !== name);
    const near = nearest(input.extends ?? '', known);
    return {
      ...problemAt(
        'E_SPEC_UNKNOWN_EXECUTOR',
        source.file,
        source.at([...at, 'extends']),
        `no executor is called ${shown(input.extends)}`,
      ),
      expected: `one of ${known.join(', ')}`,
      ...(near === null ? {} : { fix: `did you mean "${near}"?` }),
    };
  }
  // A broken parent is reported itself; its child has nothing of its own to mend.
  if (command !== undefined || input.extends !== undefined) return null;
  return {
    ...problemAt(
      'E_PROJECT_EXECUTOR',
      source.file,
      source.keyAt(at),
      `executor ${shown(name)} has no command`,
    ),
    expected: '`command`, or `extends` with the name of another executor',
    fix: 'add for example command: ["python3", "agent.py"]',
  };
}

function wrongCall(
  name: string,
  { key, message, fix }: NonNullable<ReturnType<typeof callProblem>>,
  source: Source,
): Problem {
  const at = source.keyAt(['executors', name, key]);
  return { ...problemAt('E_PROJECT_EXECUTOR', source.file, at, message), fix };
}

interface Ancestry {
  readonly own: OwnExecutors;
  readonly builtin: Executors;
  readonly resolve: (name: string) => ExecutorDef | null;
}

/** null: nothing to inherit; undefined: `extends` names what does not exist. */
function baseOf(name: string, input: ExecutorInput, ancestry: Ancestry): ExecutorDef | null | undefined {
  const { own, builtin, resolve } = ancestry;
  const parent = input.extends;
  if (parent !== undefined && parent !== name) {
    return Object.hasOwn(own, parent) || Object.hasOwn(builtin, parent) ? resolve(parent) : undefined;
  }
  // One that is named like a built-in executor adds to it, unless it says that it is of another kind.
  const same = Object.hasOwn(builtin, name) ? builtin[name] : undefined;
  if (parent === name) return same;
  return same === undefined || (input.kind !== undefined && input.kind !== same.kind) ? null : same;
}

interface Parts {
  readonly name: string;
  readonly input: ExecutorInput;
  readonly base: ExecutorDef | null;
  readonly command: readonly string[];
  readonly credentials: Credentials;
}

function merged({ name, input, base, command, credentials }: Parts): ExecutorDef {
  const env = { ...base?.env };
  // Who says where its secrets are says all of them: another provider's key is not asked for besides.
  const inherited = input.secrets === undefined ? base?.secrets : {};
  const secrets: Record<string, { env?: string; file?: string }> = { ...inherited };
  // A variable has one origin: what the child says replaces what it inherits, on either side.
  for (const [variable, value] of Object.entries(input.env ?? {})) {
    delete secrets[variable];
    env[variable] = value;
  }
  for (const [variable, { env: from, file }] of Object.entries(input.secrets ?? {})) {
    delete env[variable];
    secrets[variable] = {
      ...(from === undefined ? {} : { env: from }),
      ...(file === undefined ? {} : { file }),
    };
  }
  const call = callFrom(input, base);
  const kind = input.kind ?? base?.kind ?? 'shell';
  const pool = poolFrom({ name, kind, input, base, credentials });
  const fallback = input.fallback ?? base?.fallback;
  const cage = input.cage ?? base?.cage;
  return {
    name,
    kind,
    command,
    env,
    secrets,
    model: input.model ?? base?.model ?? null,
    ...(call === null ? {} : { call }),
    ...(pool === null ? {} : { pool }),
    ...(fallback === undefined ? {} : { fallback }),
    ...(cage === undefined ? {} : { cage }),
  };
}

const SECRET_NAME = /(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i;

export function secretProblems(own: OwnExecutors, source: Source): Problem[] {
  return Object.entries(own).flatMap(([name, executor]) =>
    Object.entries(executor.env ?? {})
      .filter(([variable, value]) => SECRET_NAME.test(variable) && value.length >= 8)
      .map(([variable]) => ({
        ...problemAt(
          'E_PROJECT_PLAIN_SECRET',
          source.file,
          source.keyAt(['executors', name, 'env', variable]),
          `${variable} looks like a secret and stands here in plain text`,
        ),
        severity: 'warning' as const,
        fix: `secrets: { ${variable}: { file: "~/.config/${name}.key" } }`,
      })),
  );
}

function problemAt(code: ErrorCode, file: string, at: Position, message: string): Problem {
  return { code, severity: 'error', file, line: at.line, col: at.col, message };
}
