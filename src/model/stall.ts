/**
 * Why an attempt shows no progress, as far as its node can see. Silence is not death: a stall is shown and explained, and
 * nothing is ended for it before its deadline.
 */
import { assertNever } from './assert.ts';
import type { RefusalKind } from './attempt.ts';

/** What the words of an agent that waits for a person, or for its provider, can stand for. */
export const PROMPT_CAUSES = ['trust', 'permission', 'login', 'rate', 'root', 'missing', 'keyboard'] as const;
export type PromptCause = (typeof PROMPT_CAUSES)[number];

/**
 * `trust`, `permission`: it asks whether it may; `login`: its key is not taken; `rate`: its provider makes it wait;
 * `root`: it refuses to run as root; `missing`: a program is not there; `keyboard`: it reads from its terminal; `stopped`:
 * by a signal; `disk`: stuck in the kernel; `finished`: it has said its result and stays; `looping`: it says the same again
 * and again; `child`: a program that it started is at work; `model`: it waits for the network; `busy`: it computes and
 * says nothing; `unknown`: nothing shows.
 */
export type StallCause =
  | PromptCause
  | 'stopped'
  | 'disk'
  | 'finished'
  | 'looping'
  | 'child'
  | 'model'
  | 'busy'
  | 'unknown';

/** One process of the step, its shell left out. */
export interface ProcessSeen {
  readonly pid: number;
  /** Shortened, without control characters and without what looks like a key. */
  readonly command: string;
  readonly state: 'running' | 'sleeping' | 'disk' | 'stopped' | 'zombie';
  /** What it sleeps in; null: not known, or it does not sleep. */
  readonly waits: 'terminal' | 'network' | null;
  /** CPU time since the look before, milliseconds; null: it was not seen then. */
  readonly cpuMs: number | null;
  /** Span since it began, milliseconds. */
  readonly ageMs: number;
}

/** What a node saw. Texts are stripped, shortened and without keys. */
export interface Evidence {
  /** How long its log has not grown, milliseconds. */
  readonly quietMs: number;
  readonly logBytes: number;
  /** CPU time of the whole group since the look before, and the span between the two, milliseconds; null: first look. */
  readonly cpu: { readonly usedMs: number; readonly overMs: number } | null;
  /** The oldest first; at most a few. */
  readonly processes: readonly ProcessSeen[];
  /** Processes that are left out of `processes`. */
  readonly more: number;
  /** The agent has closed its turn. */
  readonly finished: boolean;
  /** What its provider said last, where that was a refusal. */
  readonly refused: { readonly kind: RefusalKind; readonly message: string } | null;
  /** The last event of its stream, such as `assistant/tool_use`; null: it prints none. */
  readonly lastEvent: string | null;
  /** The line that it prints again and again, and how often; null: none. */
  readonly repeats: { readonly line: string; readonly times: number } | null;
  /** Its last lines. */
  readonly lastLines: readonly string[];
}

/** A stall as it is recorded. */
export interface Stall {
  readonly cause: StallCause;
  /** What the cause was seen by: a command line, a line of the log; empty when the evidence says it all. */
  readonly detail: string;
  readonly evidence: Evidence;
}

/** True when it goes on only after somebody has done something; otherwise it may well go on by itself. */
export function needsPerson(cause: StallCause): boolean {
  switch (cause) {
    case 'trust':
    case 'permission':
    case 'login':
    case 'root':
    case 'missing':
    case 'keyboard':
    case 'stopped':
    case 'disk':
    case 'looping':
    case 'unknown':
      return true;
    case 'rate':
    case 'finished':
    case 'child':
    case 'model':
    case 'busy':
      return false;
    default:
      return assertNever(cause);
  }
}

/** For a column: `Stalled(keyboard)`. */
export function stallWord({ cause }: Pick<Stall, 'cause'>): string {
  return `Stalled(${cause})`;
}

/** What it does, as the end of a sentence that begins with the attempt. */
export function stallText({ cause, detail }: Pick<Stall, 'cause' | 'detail'>): string {
  const by = detail === '' ? '' : `: ${detail}`;
  switch (cause) {
    case 'trust':
      return `asks whether it may trust its directory${by}`;
    case 'permission':
      return `asks for a permission${by}`;
    case 'login':
      return `is not logged in, or its key is not taken${by}`;
    case 'rate':
      return `is made to wait by its provider${by}`;
    case 'root':
      return `refuses to run as root${by}`;
    case 'missing':
      return `misses a program${by}`;
    case 'keyboard':
      return `waits for somebody to type${by}`;
    case 'stopped':
      return `is stopped by a signal${by}`;
    case 'disk':
      return `is stuck in the kernel, mostly a disk or a network file system${by}`;
    case 'finished':
      return `has said its result and does not end${by}`;
    case 'looping':
      return `says the same again and again${by}`;
    case 'child':
      return `waits for a program that it started${by}`;
    case 'model':
      return `waits for the network, most likely for its model${by}`;
    case 'busy':
      return `computes and prints nothing${by}`;
    case 'unknown':
      return `does nothing that can be seen${by}`;
    default:
      return assertNever(cause);
  }
}

/** Whose stall it is: names that a person may type. */
export interface Stalled {
  readonly task: string;
  readonly node: string;
}

/** What to type: one line, commands with what each is for. */
export function stallMend({ cause, evidence }: Stall, { task, node }: Stalled): string {
  const again = `dispatch cancel ${task} && dispatch retry ${task}`;
  switch (cause) {
    case 'trust':
    case 'permission':
      return `dispatch attach ${task} --write   to answer; for good, let its arguments in executors.yaml skip the question`;
    case 'keyboard':
      return `dispatch attach ${task} --write   to answer, or   ${again}`;
    case 'login':
      return `dispatch credentials   shows the key; mend it or log in on ${node}, then   ${again}`;
    case 'rate':
      return `dispatch credentials   shows when it is tried again; nothing has to be done`;
    case 'root':
      return `run the worker of ${node} as an ordinary user (dispatch nodes bootstrap), then   ${again}`;
    case 'missing':
      return `dispatch nodes probe ${node}   shows what is there; install it, then   ${again}`;
    case 'stopped':
      return `on ${node}: kill -CONT ${evidence.processes
        .filter(({ state }) => state === 'stopped')
        .map(({ pid }) => pid)
        .join(' ')}`;
    case 'disk':
      return `dispatch nodes   shows disk and load of ${node}; dispatch nodes drain ${node}   keeps work away from it`;
    case 'finished':
      return 'nothing has to be done: it is ended after a moment of silence, and what it did is judged';
    case 'looping':
      return `dispatch logs ${task} --tail 50   to see it, then   ${again}`;
    case 'child':
    case 'model':
    case 'busy':
      return `dispatch logs ${task} -f   to watch it; its deadline ends it, or   dispatch cancel ${task}`;
    case 'unknown':
      return `dispatch attach ${task}   to look at it, or   ${again}`;
    default:
      return assertNever(cause);
  }
}
