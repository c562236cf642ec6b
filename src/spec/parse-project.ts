/** project.yaml to ProjectConfig, with defaults filled in and executors resolved. */
import type { ErrorCode } from '../model/codes/index.ts';
import type { Problem } from '../model/error.ts';
import type { ProjectName } from '../model/ids.ts';
import type { GateSettings, ProjectConfig } from '../model/spec.ts';
import { DEFAULT_LOOK, type LookRules } from '../model/second-look.ts';
import { DEFAULT_SANDBOX, type SandboxRules } from '../model/sandbox.ts';
import { areaProblems, areasOf } from './areas.ts';
import { cageFrom } from './cage.ts';
import { projectBoundsOf, taskBoundOf } from './budget-schema.ts';
import { checkForm } from './check-form.ts';
import { sizeOf } from './fields.ts';
import { nearest } from './nearest.ts';
import { DEFAULT_RETRIES, DEFAULT_TIMEOUT_MS, milliseconds } from './parse-spec.ts';
import { FILE_START, type Position, shown } from './problem.ts';
import { ALWAYS_PROTECTED } from './protected-paths.ts';
import { type Credentials, type Executors, resolveExecutors, secretProblems } from './parse-executors.ts';
import { type ExecutorsInput, executorsSchema, type ProjectInput, projectSchema } from './schema.ts';
import type { Source } from './source.ts';
import { readYaml } from './yaml-source.ts';

export interface ParsedProject {
  /** null: the file has errors. */
  readonly config: ProjectConfig | null;
  /** Budget of specs that name none. */
  readonly budgetTokens: number | null;
  readonly problems: readonly Problem[];
}

export const MAX_CONFIG_BYTES = 1024 * 1024;

/** Reads a project's configuration. `builtin` are the executors that need no definition, `credentials` the keys of executors.yaml. */
export function parseProject(
  text: string,
  file: string,
  name: ProjectName,
  builtin: Executors,
  credentials: Credentials = {},
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
  const resolved = resolveExecutors(input?.executors ?? {}, builtin, credentials, source);
  const problems = [
    ...form.problems,
    ...resolved.problems,
    ...defaultExecutorProblems(input ?? {}, resolved.executors, source),
    ...secretProblems(input?.executors ?? {}, source),
    ...areaProblems(form.value?.areas ?? {}, source),
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
/** A repository need not have it. */
const CONTRACT = 'SHARED_CONTEXT.md';

type ModelReviewInput = NonNullable<ProjectInput['model_review']>;

function configOf(input: ProjectInput, name: ProjectName, executors: Executors): ProjectConfig {
  const stallMs = milliseconds(input.stall_after);
  const cage = cageFrom(input.cage);
  const budget = projectBoundsOf(input.budget);
  const taskBudget = taskBoundOf(input.budget);
  return {
    name,
    repo: input.repo ?? null,
    target: input.target ?? 'main',
    verify: input.verify ?? null,
    ...areasOf(input),
    context: input.context ?? [],
    contract: input.contract ?? (input.repo === undefined ? null : CONTRACT),
    executor: input.executor ?? DEFAULT_EXECUTOR,
    executors,
    timeoutMs: milliseconds(input.timeout) ?? DEFAULT_TIMEOUT_MS,
    ...(stallMs === null ? {} : { stallMs }),
    retries: input.retries ?? DEFAULT_RETRIES,
    gateTimeoutMs: milliseconds(input.gates?.timeout) ?? DEFAULT_TIMEOUT_MS,
    sandbox: sandboxOf(input),
    ...(cage === null ? {} : { cage }),
    placeholderAllow: input.gates?.placeholder?.allow ?? [],
    allowedExtras: input.gates?.extras ?? [],
    sharedPaths: input.shared_paths ?? [],
    protectedPaths: [...new Set([...ALWAYS_PROTECTED, ...(input.protected_paths ?? [])])],
    gates: gatesOf(input),
    review: input.review ?? 'never',
    ...(input.model_review === undefined ? {} : { look: lookOf(input.model_review) }),
    weight: input.weight ?? 1,
    maxAttempts: input.max_attempts ?? 2,
    ...(budget === null ? {} : { budget }),
    ...(taskBudget === null ? {} : { taskBudget }),
    ...(input.require_plan === true ? { requirePlan: true as const } : {}),
  };
}

function lookOf({ serve, p1, others, asks, confidence, follow_up, seed }: ModelReviewInput): LookRules {
  return {
    serve: serve ?? DEFAULT_LOOK.serve,
    p1: p1 ?? DEFAULT_LOOK.p1,
    others: others ?? DEFAULT_LOOK.others,
    asks: asks ?? DEFAULT_LOOK.asks,
    confidence: confidence ?? DEFAULT_LOOK.confidence,
    followUp: follow_up ?? DEFAULT_LOOK.followUp,
    seed: seed ?? DEFAULT_LOOK.seed,
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
      memory: sizeOf(gates?.limits?.memory) ?? limits.memory,
      processes: gates?.limits?.processes ?? limits.processes,
      fileSize: sizeOf(gates?.limits?.file_size) ?? limits.fileSize,
    },
    prepare:
      prepare === undefined
        ? null
        : { command: prepare.command, keyedBy: prepare.keyed_by, paths: prepare.paths.map(plainPath) },
  };
}

/** `node_modules/` and `node_modules` are one directory. */
function plainPath(path: string): string {
  return path.replace(/\/+$/, '');
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

function failed(problems: readonly Problem[]): ParsedProject {
  return { config: null, budgetTokens: null, problems };
}

function problemAt(code: ErrorCode, file: string, at: Position, message: string): Problem {
  return { code, severity: 'error', file, line: at.line, col: at.col, message };
}
