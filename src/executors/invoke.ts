/**
 * How one round of an attempt is run: argv, environment and stdin, as data. Whoever runs it starts from a clean
 * environment, removes `unset`, sets `env`, then resolves `secrets` on the node; the agent's working directory is the
 * tree. Prompts and gate output travel by file or stdin, never by argv.
 */
import { assertNever } from '../model/assert.ts';
import type { ExecutorDef } from '../model/spec.ts';
import { shorten } from '../gates/shorten.ts';

export interface RoundContext {
  /** 1 for the first round; each feedback round adds one. */
  readonly round: number;
  /** A UUID: the session that later rounds resume. From the second round on, the id that the first round reported. */
  readonly sessionId: string;
  readonly task: string;
  readonly project: string;
  /** Number of the attempt. */
  readonly n: number;
  readonly token: string;
  /** Absolute paths, all outside the tree. */
  readonly promptPath: string;
  readonly specPath: string;
  /** What the gates said about the round before, as `feedbackText` renders it; empty in round 1. */
  readonly gateOutput: string;
  /** File with `gateOutput`; exists, empty, in round 1 as well. */
  readonly gateOutputPath: string;
  /** Where a shell command may write its usage; removed before each round. */
  readonly usagePath: string;
  readonly treeDir: string;
  readonly isRoot: boolean;
}

/** Where a secret is found on the node: the environment variable first, then the 0600 file. */
export interface SecretSource {
  readonly env?: string;
  readonly file?: string;
  /** False: the executor cannot run without it, and the attempt fails with the secret's name before it starts. */
  readonly optional: boolean;
}

export interface Invocation {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Variables to remove from whatever is inherited, before `env` and `secrets` are set. */
  readonly unset: readonly string[];
  /** variable in the agent's environment -> its source on the node. */
  readonly secrets: Readonly<Record<string, SecretSource>>;
  /** File to connect to stdin; null: /dev/null. */
  readonly stdinPath: string | null;
}

/** The invocation of one round. Pure: the same definition and context give the same result. */
export function invocation(def: ExecutorDef, round: RoundContext): Invocation {
  switch (def.kind) {
    case 'claude':
      return claude(def, round);
    case 'shell':
      return shell(def, round);
    default:
      return assertNever(def.kind);
  }
}

/**
 * Claude Code without a terminal. The first round names its session so that a later one can resume it: the agent then
 * still knows what it did. A resumed session gets the gate's words as its next message.
 */
function claude(def: ExecutorDef, round: RoundContext): Invocation {
  const first = round.round === 1;
  const env: Record<string, string> = { ...common(round), ...CLAUDE_QUIET, ...def.env };
  // It refuses to skip permissions as root unless it is told that it runs in a sandbox.
  if (round.isRoot) env.IS_SANDBOX = '1';
  return {
    argv: [
      ...def.command,
      '-p',
      '--output-format',
      'stream-json',
      '--verbose',
      '--dangerously-skip-permissions',
      ...(first ? ['--session-id', round.sessionId] : ['--resume', round.sessionId]),
      ...(def.model === null ? [] : ['--model', def.model]),
    ],
    env,
    unset: CLAUDE_STALE.filter((name) => env[name] === undefined && def.secrets[name] === undefined),
    // Anthropic's own service also takes the login of the node's user; other providers only take a key.
    secrets: secretsOf(def, env.ANTHROPIC_BASE_URL === undefined),
    stdinPath: first ? round.promptPath : round.gateOutputPath,
  };
}

function shell(def: ExecutorDef, round: RoundContext): Invocation {
  return {
    argv: [...def.command],
    env: {
      ...common(round),
      DISPATCH_PROMPT: round.promptPath,
      DISPATCH_SPEC: round.specPath,
      DISPATCH_GATE_OUTPUT: shorten(round.gateOutput, ENV_TEXT_BYTES),
      DISPATCH_GATE_OUTPUT_FILE: round.gateOutputPath,
      DISPATCH_USAGE_FILE: round.usagePath,
      ...def.env,
    },
    unset: [],
    secrets: secretsOf(def, false),
    stdinPath: null,
  };
}

/** Linux refuses to start a program with one variable over 128 KiB; the file has the whole text. */
const ENV_TEXT_BYTES = 32 * 1024;

/** No updates, telemetry or other traffic of its own from dozens of unattended agents. */
const CLAUDE_QUIET = { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' };

/** Exported variables beat settings files, so what a node's profile left behind would point an agent at the wrong provider; and an agent that finds CLAUDECODE believes it is nested. */
const CLAUDE_STALE = [
  'CLAUDECODE',
  'CLAUDE_CODE_ENTRYPOINT',
  'CLAUDE_CODE_SSE_PORT',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_BEDROCK_BASE_URL',
  'ANTHROPIC_VERTEX_BASE_URL',
  'ANTHROPIC_VERTEX_PROJECT_ID',
  'ANTHROPIC_CUSTOM_HEADERS',
  'ANTHROPIC_MODEL',
  'ANTHROPIC_SMALL_FAST_MODEL',
  'ANTHROPIC_DEFAULT_OPUS_MODEL',
  'ANTHROPIC_DEFAULT_SONNET_MODEL',
  'ANTHROPIC_DEFAULT_HAIKU_MODEL',
];

function common(round: RoundContext): Record<string, string> {
  return {
    DISPATCH_PROJECT: round.project,
    DISPATCH_TASK: round.task,
    DISPATCH_ATTEMPT: String(round.n),
    DISPATCH_TOKEN: round.token,
    DISPATCH_ROUND: String(round.round),
    DISPATCH_TREE: round.treeDir,
  };
}

function secretsOf(def: ExecutorDef, optional: boolean): Record<string, SecretSource> {
  return Object.fromEntries(
    Object.entries(def.secrets).map(([variable, source]) => [variable, { ...source, optional }]),
  );
}
