/** How coding agents are run, as data: what differs between two agents is a row, not code. */
import type { CageLevel } from './cage.ts';
import type { CredentialDef } from './credential.ts';
import type { PromptCause } from './stall.ts';

/** A family of programs that are called alike and write alike; each has a row in `src/executors/kinds.ts`. */
export const EXECUTOR_KINDS = ['shell', 'claude', 'codex', 'gemini', 'qwen', 'opencode', 'aider'] as const;
export type ExecutorKind = (typeof EXECUTOR_KINDS)[number];

/** How an executor named in project.yaml, executors.yaml or built in is invoked. */
export interface ExecutorDef {
  readonly name: string;
  /** `shell` runs `command` as it is; the others add what their program needs to run unattended. */
  readonly kind: ExecutorKind;
  /** The program and arguments that every round begins with. */
  readonly command: readonly string[];
  /** Plain environment. Never secrets: those are named in `secrets`. */
  readonly env: Readonly<Record<string, string>>;
  /** variable in the agent's environment -> name of the variable or 0600 file on the node that holds the value. */
  readonly secrets: Readonly<Record<string, { env?: string; file?: string }>>;
  readonly model: string | null;
  /** What is different from its kind; missing: nothing. */
  readonly call?: Partial<AgentCall>;
  /** Keys it may run with, in order of preference; missing: one that is named like the executor, none for `shell`. */
  readonly pool?: readonly CredentialDef[];
  /** Executor that takes its tasks while every key of the pool is refused. */
  readonly fallback?: string;
  /** The least cage that it is run in, whatever the project says; missing: the project's. */
  readonly cage?: CageLevel;
}

/** What it takes to run a program unattended. Arguments may hold the placeholders of `PLACEHOLDERS`. */
export interface AgentCall {
  /** Where the agent finds what to do. `variables`: in DISPATCH_PROMPT and the like alone; `file`: its arguments name `{prompt_file}`. */
  readonly prompt: 'variables' | 'stdin' | 'file';
  /** After `command`, in the first round. */
  readonly start: readonly string[];
  /** After `command`, in later rounds of the same session; null: it starts anew, with the prompt and the gates' words. */
  readonly resume: readonly string[] | null;
  /** Put in place of `{model_arguments}` where a model is named. */
  readonly modelArguments: readonly string[];
  /** Under `env` of the definition, which wins. */
  readonly env: Readonly<Record<string, string>>;
  /** The same, where the node's user is root. */
  readonly rootEnv: Readonly<Record<string, string>>;
  /** Variables that a node's profile may have left behind and that would point the agent elsewhere. */
  readonly unset: readonly string[];
  /** Put in place of `{sandbox_arguments}`: how the agent cages its own commands, and how it leaves that to `cage: strict`. */
  readonly sandboxArguments: { readonly own: readonly string[]; readonly caged: readonly string[] };
  /** Files below the home of the node's user that are copied into the attempt's: settings it always needs. */
  readonly homeFiles: readonly string[];
  /** The same where the agent lives off the login of the node's user: what that login is in. */
  readonly loginFiles: readonly string[];
  /** `host` or `host:port` of the service that it talks to, where no variable of its environment names another. */
  readonly hosts: readonly string[];
  /** The login of the node's user can stand in for a key, unless one of these variables is set; null: it cannot. */
  readonly loginUnless: readonly string[] | null;
  readonly reads: Reading;
  /** null: nothing is asked of the program before it runs. */
  readonly probe: ProbeRule | null;
  /** Longest span of one round, milliseconds; null: the attempt's deadline is enough. */
  readonly roundMs: number | null;
  /** Silence after the closing event after which the agent is ended, milliseconds; null: the node's own. */
  readonly hangMs: number | null;
  /** Words that tell what an agent waits for when it has fallen silent; the first that is found counts. */
  readonly stalls: readonly StallRule[];
}

/** Found anywhere in one of the last lines, whatever its case. Plain text: a pattern could be made to run for ever. */
export interface StallRule {
  readonly text: string;
  readonly cause: PromptCause;
}

/** What arguments may name, in braces. */
export const PLACEHOLDERS = [
  'session',
  'prompt_file',
  'tree',
  'task',
  'model',
  'model_arguments',
  'sandbox_arguments',
] as const;

/** How usage, session and result are read from what the agent prints: not at all, by a reader of its own, or by rules. */
export type Reading = 'nothing' | 'claude' | 'aider' | EventRules;

/** Fields of a JSON event that have these values, by dotted path. No field: every event. */
export type EventMatch = Readonly<Record<string, string | number | boolean>>;

/** The text at `at` (a dotted path) of the events that match. */
export interface EventPick {
  readonly when: EventMatch;
  readonly at: string;
}

/** Where a stream of JSON lines says what. Of several events that say the same the last one counts. */
export interface EventRules {
  readonly session: readonly EventPick[];
  /** The turn is over, well or not. */
  readonly finished: readonly EventMatch[];
  /** The agent's closing words. An answer is also proof that the provider answers. */
  readonly text: readonly EventPick[];
  /** Words of a call that failed. */
  readonly error: readonly EventPick[];
  readonly usage: UsageRules | null;
}

export interface UsageRules {
  readonly when: readonly EventMatch[];
  /** Dotted paths; null: it does not say. */
  readonly input: string | null;
  readonly output: string | null;
  readonly cached: string | null;
  readonly costUsd: string | null;
  /** `input` counts what came from the cache too. */
  readonly inputHoldsCached: boolean;
  /** `event`: each counts what is new, and they are added up. `round`, `session`: the last one counts all of it. */
  readonly counts: 'event' | 'round' | 'session';
}

/** What a node found when it asked a program. */
export interface ProgramReport {
  /** Absolute path; null: it is not there. */
  readonly path: string | null;
  /** As far as it says one. */
  readonly version: string | null;
  /** Why it cannot be used, each naming what is missing; empty: it can. */
  readonly problems: readonly string[];
}

/** What must be true of a program before it is run on a node. Asked once for each version that is found there. */
export interface ProbeRule {
  /** Only a command that begins with a program of this name is asked; null: any. */
  readonly program: string | null;
  readonly version: readonly string[];
  /** Oldest version that will do, `2.1.0`; null: any. */
  readonly least: string | null;
  /** Arguments that print help -> words that must be in it. */
  readonly help: readonly { readonly args: readonly string[]; readonly flags: readonly string[] }[];
}
