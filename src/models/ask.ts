/**
 * The one way in which dispatch asks a model. What passes by itself (a busy provider, a cut line) is tried again a few
 * times, later each time, and said so; everything else is an answer of the form that was asked for, or a named failure.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type * as z from 'zod';
import { addTokens, type ModelUse, NO_TOKENS, type TokenUse } from '../model/model-use.ts';
import { callModel, type Message } from './call.ts';
import type { ModelFailure } from './failure.ts';
import { jsonInText } from './json-in-text.ts';

export type { Message } from './call.ts';

export interface Question<T> {
  readonly use: ModelUse;
  /** The key itself; null: the provider takes none. */
  readonly key: string | null;
  readonly system: string;
  readonly messages: readonly Message[];
  /** Form of the answer. */
  readonly schema: z.ZodType<T>;
  /** Ends it at once: `stopped`. */
  readonly signal: AbortSignal;
  /** The first wait where the provider names none, doubled each time, milliseconds. */
  readonly firstWaitMs?: number;
  /** Told before each wait: how long, milliseconds, and why. */
  readonly onWait?: (wait: { readonly ms: number; readonly why: string; readonly next: number }) => void;
}

export type Answer<T> = { readonly usage: TokenUse } & (
  | { readonly value: T /** As the model wrote it. */; readonly text: string }
  | { readonly failure: ModelFailure }
);

/** How often one question is asked at most. */
export const MOST_TRIES = 5;
const FIRST_WAIT_MS = 2000;
/** A provider that asks for more is told to a person instead. */
const LONGEST_WAIT_MS = 5 * 60_000;

/** Asks until there is an answer, or a failure that waiting does not mend. Throws nothing. */
export async function askModel<T>(question: Question<T>): Promise<Answer<T>> {
  const { signal, firstWaitMs = FIRST_WAIT_MS } = question;
  const system = `${question.system}\n\n${await formText(question)}`;
  let usage = NO_TOKENS;
  for (let tries = 1; ; tries++) {
    const called = await callModel({ ...question, system });
    usage = addTokens(usage, called.usage);
    if ('text' in called) return understood(question.schema, called.text, usage);
    const { failure, again } = called;
    const ms = again?.afterMs ?? firstWaitMs * 2 ** (tries - 1);
    if (again === null || tries >= MOST_TRIES || ms > LONGEST_WAIT_MS)
      return { failure: 'tries' in failure ? { ...failure, tries } : failure, usage };
    const why = 'said' in failure ? failure.said : failure.is;
    question.onWait?.({ ms, why, next: tries + 1 });
    // Many who were refused together must not come back together.
    await wait(ms * (1 + Math.random() / 4), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return { failure: { is: 'stopped' }, usage };
  }
}

/** The form in words: not every provider hands a schema on to its model. */
async function formText({ schema }: Pick<Question<unknown>, 'schema'>): Promise<string> {
  const { toJSONSchema } = await import('zod');
  const form = JSON.stringify(toJSONSchema(schema, { target: 'draft-7' }));
  return `Answer with one JSON object and nothing else. Its JSON schema:\n${form}`;
}

function understood<T>(schema: z.ZodType<T>, text: string, usage: TokenUse): Answer<T> {
  const read = jsonInText(text);
  if ('problem' in read) return { failure: { is: 'answer', said: read.problem, text }, usage };
  const parsed = schema.safeParse(read.value);
  if (parsed.success) return { value: parsed.data, text, usage };
  const said = parsed.error.issues
    .slice(0, 10)
    .map(({ path, message }) => `${path.map(String).join('.') || 'the object'}: ${message}`)
    .join('; ');
  return { failure: { is: 'answer', said, text }, usage };
}
