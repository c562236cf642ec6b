/** What a person says about how an agent is called, as the differences from its kind's row. */
import { callOf, namesSession, readingOf } from '../executors/kinds.ts';
import type { AgentCall, EventRules, ExecutorDef, ProbeRule, Reading } from '../model/executor.ts';
import type { ExecutorInput } from './executor-schema.ts';
import { milliseconds } from './parse-spec.ts';

/** Null where nothing is different. */
export function callFrom(input: ExecutorInput, base: ExecutorDef | null): Partial<AgentCall> | null {
  const { limits } = input;
  const call: { -readonly [Key in keyof AgentCall]?: AgentCall[Key] } = { ...base?.call };
  if (input.prompt !== undefined) call.prompt = input.prompt;
  if (input.arguments !== undefined) call.start = input.arguments;
  if (input.resume !== undefined) call.resume = input.resume === false ? null : input.resume;
  // Without a word on resuming, an agent of its own arguments is called the same way again.
  else if (input.arguments !== undefined)
    call.resume = namesNothing(input.arguments) ? input.arguments : null;
  if (input.model_arguments !== undefined) call.modelArguments = input.model_arguments;
  if (input.unset !== undefined) call.unset = input.unset;
  if (input.home !== undefined) call.homeFiles = input.home.map((path) => path.replace(/^~\//, ''));
  if (input.hosts !== undefined) call.hosts = input.hosts;
  if (input.login !== undefined) call.loginUnless = input.login ? [] : null;
  if (input.reads !== undefined) call.reads = readingFrom(input.reads);
  if (input.probe !== undefined) call.probe = input.probe === false ? null : probeFrom(input.probe);
  if (limits?.round !== undefined) call.roundMs = milliseconds(limits.round);
  if (limits?.hang !== undefined) call.hangMs = milliseconds(limits.hang);
  if (input.stalls !== undefined) call.stalls = [...input.stalls, ...stallsBefore(input, base)];
  return Object.keys(call).length === 0 ? null : call;
}

function stallsBefore({ kind }: ExecutorInput, base: ExecutorDef | null): AgentCall['stalls'] {
  const call = base?.call;
  return callOf({ kind: kind ?? base?.kind ?? 'shell', ...(call === undefined ? {} : { call }) }).stalls;
}

/** Why an agent that is called like this could not do its work, and the key to blame; null: it can. */
export function callProblem(
  def: Pick<ExecutorDef, 'kind' | 'call'>,
): { readonly key: keyof ExecutorInput; readonly message: string; readonly fix: string } | null {
  const call = callOf(def);
  if (call.prompt === 'file' && !call.start.some((text) => text.includes('{prompt_file}'))) {
    return {
      key: 'prompt',
      message: 'the prompt comes in a file that no argument names',
      fix: 'arguments: ["--message-file", "{prompt_file}"]',
    };
  }
  const resumes = call.resume?.some((text) => text.includes('{session}')) === true;
  const reported =
    call.reads === 'claude' || (typeof call.reads === 'object' && call.reads.session.length > 0);
  if (resumes && !namesSession(call) && !reported) {
    return {
      key: 'resume',
      message: 'later rounds resume a session whose name nobody knows',
      fix: 'put {session} into `arguments` as well, or say in `reads` where the agent reports it',
    };
  }
  return null;
}

function namesNothing(words: readonly string[]): boolean {
  return !words.some((text) => text.includes('{session}') || text.includes('{prompt_file}'));
}

function readingFrom(reads: NonNullable<ExecutorInput['reads']>): Reading {
  if (reads === 'nothing') return 'nothing';
  return typeof reads === 'string' ? readingOf(reads) : rulesFrom(reads);
}

function rulesFrom({
  session,
  result,
  error,
  usage,
}: Exclude<NonNullable<ExecutorInput['reads']>, string>): EventRules {
  const picked = (pick: typeof session): EventRules['session'] =>
    pick === undefined ? [] : [{ when: pick.when ?? {}, at: pick.at }];
  return {
    session: picked(session),
    finished: result?.when === undefined ? [] : [result.when],
    text: picked(result),
    error: picked(error),
    usage:
      usage === undefined
        ? null
        : {
            when: [usage.when],
            input: usage.input ?? null,
            output: usage.output ?? null,
            cached: usage.cached ?? null,
            costUsd: usage.cost ?? null,
            inputHoldsCached: usage.input_holds_cached ?? false,
            counts: usage.counts ?? 'round',
          },
  };
}

function probeFrom(probe: Exclude<NonNullable<ExecutorInput['probe']>, false>): ProbeRule {
  const { version = ['--version'], least = null, help = ['--help'], needs = [] } = probe;
  return { program: null, version, least, help: needs.length === 0 ? [] : [{ args: help, flags: needs }] };
}
