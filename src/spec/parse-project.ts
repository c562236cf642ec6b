/** project.yaml to ProjectConfig, with defaults filled in and executors resolved. */
import type { ErrorCode } from '../model/codes/index.ts';
import type { Problem } from '../model/error.ts';
import type { ProjectName } from '../model/ids.ts';
import type { ExecutorDef, GateSettings, ProjectConfig } from '../model/spec.ts';
import { DEFAULT_SANDBOX, type SandboxRules } from '../model/sandbox.ts';
import { parseSize } from '../model/size.ts';
import { findCycles } from '../plan/cycles.ts';
import { checkForm } from './check-form.ts';
import { nearest } from './nearest.ts';
import { DEFAULT_RETRIES, DEFAULT_TIMEOUT_MS, milliseconds } from './parse-spec.ts';
import { FILE_START, type Position, shown } from './problem.ts';
import { ALWAYS_PROTECTED } from './protected-paths.ts';
import {
  type ExecutorInput,
  type ExecutorsInput,
  executorsSchema,
  type ProjectInput,
  projectSchema,
} from './schema.ts';
import type { Path, Source } from './source.ts';
import { readYaml } from './yaml-source.ts';

export type Executors = Readonly<Record<string, ExecutorDef>>;

export interface ParsedProject {
  /** null: the file has errors. */
  readonly config: ProjectConfig | null;
  /** Budget of specs that name none. */
  readonly budgetTokens: number | null;
  readonly problems: readonly Problem[];
}

export const MAX_CONFIG_BYTES = 1024 * 1024;

/** Reads a project's configuration. `builtin` are the executors that need no definition. */
export function parseProject(
  text: string,
  file: string,
  name: ProjectName,
  builtin: Executors,
): ParsedProject {
  const size = Buffer.byteLength(text);
  if (size > MAX_CONFIG_BYTES) {
    const message = `the file is too large: ${Math.ceil(size / 1024)} KiB, at most ${MAX_CONFIG_BYTES / 1024}`;
    return failed([problemAt('E_SPEC_TOO_LARGE', file, FILE_START, message)]);
  }
  const read = readYaml(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, file);
  if ('problems' in read) return failed(read.problems);
  const source = read.source.value === null ? { ...read.source, value: {} } : read.source;
  const form = checkForm(projectSchema, source);
  // A mistake elsewhere does not hide those in the executors.
  const input = form.value ?? checkForm(executorsSchema, only(source, ['executor', 'executors'])).value;
  const resolved = resolveExecutors(input?.executors ?? {}, builtin, source);
  const problems = [
    ...form.problems,
    ...resolved.problems,
    ...defaultExecutorProblems(input ?? {}, resolved.executors, source),
    ...secretProblems(input ?? {}, source),
  ];
  const faulty = problems.some(({ severity }) => severity === 'error');
  return {
    config: faulty || form.value === null ? null : configOf(form.value, name, resolved.executors),
    budgetTokens: form.value?.budget?.tokens ?? null,
    problems,
  };
}

/** The source as if the file had these keys alone. */
function only(source: Source, keys: readonly string[]): Source {
  const { value } = source;
  if (typeof value !== 'object' || value === null) return { ...source, value: {} };
  return {
    ...source,
    value: Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key))),
  };
}

const DEFAULT_EXECUTOR = 'claude';

function configOf(input: ProjectInput, name: ProjectName, executors: Executors): ProjectConfig {
  return {
    name,
    repo: input.repo ?? null,
    target: input.target ?? 'main',
    verify: input.verify ?? null,
    context: input.context ?? [],
    contract: input.contract ?? null,
    executor: input.executor ?? DEFAULT_EXECUTOR,
    executors,
    timeoutMs: milliseconds(input.timeout) ?? DEFAULT_TIMEOUT_MS,
    retries: input.retries ?? DEFAULT_RETRIES,
    gateTimeoutMs: milliseconds(input.gates?.timeout) ?? DEFAULT_TIMEOUT_MS,
    sandbox: sandboxOf(input),
    placeholderAllow: input.gates?.placeholder?.allow ?? [],
    allowedExtras: input.gates?.extras ?? [],
    sharedPaths: input.shared_paths ?? [],
    protectedPaths: [...new Set([...ALWAYS_PROTECTED, ...(input.protected_paths ?? [])])],
    gates: gatesOf(input),
    review: input.review ?? 'never',
    weight: input.weight ?? 1,
    maxAttempts: input.max_attempts ?? 2,
  };
}

function gatesOf({ gates }: ProjectInput): GateSettings {
  return {
    largestFileKb: gates?.largest_file_kb ?? LARGEST_FILE_KB,
    largestBinaryKb: gates?.largest_binary_kb ?? LARGEST_BINARY_KB,
    secretAllow: gates?.secrets?.allow ?? [],
    minTests: gates?.tests?.min ?? 0,
    ...(gates?.control === undefined ? {} : { skipControl: gates.control.skip }),
  };
}

/** What a person can still read in a review, KiB; also the most that the gates read of one file. */
const LARGEST_FILE_KB = 8192;
const LARGEST_BINARY_KB = 2048;
function sandboxOf({ trusted, gates }: ProjectInput): SandboxRules {
  const { limits } = DEFAULT_SANDBOX;
  const prepare = gates?.prepare;
  return {
    trusted: trusted ?? DEFAULT_SANDBOX.trusted,
    network: gates?.network ?? DEFAULT_SANDBOX.network,
    readOnly: gates?.read_only ?? DEFAULT_SANDBOX.readOnly,
    limits: {
      memory: bytes(gates?.limits?.memory) ?? limits.memory,
      processes: gates?.limits?.processes ?? limits.processes,
      fileSize: bytes(gates?.limits?.file_size) ?? limits.fileSize,
    },
    prepare:
      prepare === undefined
        ? null
        : { command: prepare.command, keyedBy: prepare.keyed_by, paths: prepare.paths.map(plainPath) },
  };
}

function bytes(size: string | number | undefined): number | null {
  return size === undefined ? null : parseSize(size);
}

/** `node_modules/` and `node_modules` are one directory. */
function plainPath(path: string): string {
  return path.replace(/\/+$/, '');
}

/** Built-in executors and the project's own, each with what it inherits filled in. */
function resolveExecutors(
  own: OwnExecutors,
  builtin: Executors,
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
      command === undefined || base === undefined ? null : merged(name, input, base, command);
    resolved.set(name, definition);
    return definition;
  };
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

function merged(
  name: string,
  input: ExecutorInput,
  base: ExecutorDef | null,
  command: readonly string[],
): ExecutorDef {
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
  return {
    name,
    kind: input.kind ?? base?.kind ?? 'shell',
    command,
    env,
    secrets,
    model: input.model ?? base?.model ?? null,
  };
}

function defaultExecutorProblems(input: ExecutorsInput, executors: Executors, source: Source): Problem[] {
  const name = input.executor;
  if (name === undefined || Object.hasOwn(executors, name) || Object.hasOwn(input.executors ?? {}, name))
    return [];
  const known = Object.keys(executors);
  const near = nearest(name, known);
  return [
    {
      ...problemAt(
        'E_SPEC_UNKNOWN_EXECUTOR',
        source.file,
        source.at(['executor']),
        `no executor is called ${shown(name)}`,
      ),
      expected: `one of ${known.join(', ')}`,
      got: name,
      fix: near === null ? 'define it under `executors`' : `did you mean "${near}"?`,
    },
  ];
}

const SECRET_NAME = /(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i;

function secretProblems(input: ExecutorsInput, source: Source): Problem[] {
  return Object.entries(input.executors ?? {}).flatMap(([name, executor]) =>
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

function failed(problems: readonly Problem[]): ParsedProject {
  return { config: null, budgetTokens: null, problems };
}

function problemAt(code: ErrorCode, file: string, at: Position, message: string): Problem {
  return { code, severity: 'error', file, line: at.line, col: at.col, message };
}
