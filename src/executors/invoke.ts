/**
 * How one round of an attempt is run: argv, environment and stdin, as data. Whoever runs it starts from a clean
 * environment, removes `unset`, sets `env`, then resolves `secrets` on the node; the agent's working directory is the
 * tree. Prompts and gate output travel by file or stdin, never by argv.
 */
import type { AgentCall, ExecutorDef } from '../model/executor.ts';
import { shorten } from '../gates/shorten.ts';
import { callOf } from './kinds.ts';
import { NOTES_VARIABLE } from './notes.ts';

export interface RoundContext {
  /** 1 for the first round; each feedback round adds one. */
  readonly round: number;
  /** The session that later rounds resume: a UUID of ours where the agent takes one, else what it reported; null: nothing. */
  readonly sessionId: string | null;
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
  /** The prompt and `gateOutput`, for an agent that has to start anew. */
  readonly againPath: string;
  /** Where a shell command may write its usage; removed before each round. */
  readonly usagePath: string;
  readonly treeDir: string;
  /** Directory for what the agent says of its own work. */
  readonly notesDir: string;
  readonly isRoot: boolean;
  /** It runs in `cage: strict`, in which no further sandbox can be built. */
  readonly caged: boolean;
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
  const call = callOf(def);
  const anew = startsAnew(call, round);
  const pattern = anew || call.resume === null ? call.start : call.resume;
  const says = saysWhat(call, round, anew);
  const env = {
    ...common(round),
    ...(call.prompt === 'variables' ? variables(round) : {}),
    ...call.env,
    ...def.env,
    ...(round.isRoot ? call.rootEnv : {}),
  };
  return {
    argv: [...def.command, ...argumentsOf(pattern, def, call, round, says)],
    env,
    unset: call.unset.filter((name) => env[name] === undefined && def.secrets[name] === undefined),
    secrets: secretsOf(def, call.loginUnless?.every((name) => env[name] === undefined) === true),
    stdinPath: call.prompt === 'stdin' ? says : null,
  };
}

/** True for a first round, and for a later one of an agent whose session cannot be gone on with. */
export function startsAnew(call: AgentCall, round: Pick<RoundContext, 'round' | 'sessionId'>): boolean {
  if (round.round === 1 || call.resume === null) return true;
  return round.sessionId === null && call.resume.includes('{session}');
}

/** The file with what the agent is to read in this round. */
function saysWhat(call: AgentCall, round: RoundContext, anew: boolean): string {
  if (round.round === 1) return round.promptPath;
  return anew && call.prompt !== 'variables' ? round.againPath : round.gateOutputPath;
}

function argumentsOf(
  pattern: readonly string[],
  def: ExecutorDef,
  call: AgentCall,
  round: RoundContext,
  promptFile: string,
): string[] {
  const values: Readonly<Record<string, string>> = {
    session: round.sessionId ?? '',
    prompt_file: promptFile,
    tree: round.treeDir,
    task: round.task,
    model: def.model ?? '',
  };
  const filled = (text: string): string =>
    text.replace(/\{([a-z_]+)\}/g, (whole, name: string) => values[name] ?? whole);
  const model = def.model === null ? [] : call.modelArguments;
  const { own, caged } = call.sandboxArguments;
  return pattern.flatMap((text) => {
    if (text === '{model_arguments}') return model.map(filled);
    return text === '{sandbox_arguments}' ? (round.caged ? caged : own) : filled(text);
  });
}

function variables(round: RoundContext): Record<string, string> {
  return {
    DISPATCH_PROMPT: round.promptPath,
    DISPATCH_SPEC: round.specPath,
    DISPATCH_GATE_OUTPUT: shorten(round.gateOutput, ENV_TEXT_BYTES),
    DISPATCH_GATE_OUTPUT_FILE: round.gateOutputPath,
    DISPATCH_USAGE_FILE: round.usagePath,
  };
}

/** Linux refuses to start a program with one variable over 128 KiB; the file has the whole text. */
const ENV_TEXT_BYTES = 32 * 1024;

function common(round: RoundContext): Record<string, string> {
  return {
    DISPATCH_PROJECT: round.project,
    DISPATCH_TASK: round.task,
    DISPATCH_ATTEMPT: String(round.n),
    DISPATCH_TOKEN: round.token,
    DISPATCH_ROUND: String(round.round),
    DISPATCH_TREE: round.treeDir,
    [NOTES_VARIABLE]: round.notesDir,
  };
}

function secretsOf(def: ExecutorDef, optional: boolean): Record<string, SecretSource> {
  return Object.fromEntries(
    Object.entries(def.secrets).map(([variable, source]) => [variable, { ...source, optional }]),
  );
}
