/**
 * One request to a provider, streamed, and what became of it. The AI SDK speaks the two protocols; whether the answer
 * is whole, too long, silent or refused is decided here, because each needs other words for whoever waits. Nothing of
 * an answer is used before its end was seen.
 */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { type LanguageModel, Output, streamText } from 'ai';
import type * as z from 'zod';
import { type ModelUse, NO_TOKENS, type TokenUse, UNKNOWN_TOKENS } from '../model/model-use.ts';
import { failureOf, short, type Verdict } from './api-failure.ts';
import { withoutKey } from './key.ts';

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

export interface Request {
  readonly use: ModelUse;
  readonly key: string | null;
  readonly system: string;
  readonly messages: readonly Message[];
  readonly schema: z.ZodType;
  readonly signal: AbortSignal;
}

export type Called = Answered | Failed;

interface Answered {
  readonly text: string;
  readonly usage: TokenUse;
}

interface Failed extends Verdict {
  readonly usage: TokenUse;
}

type FetchFunction = typeof fetch;

/** Most bytes of a stream for each token that was allowed: protocols wrap every few letters in a line of JSON. */
const BYTES_PER_TOKEN = 512;

/** Asks once. Never throws. */
export async function callModel(request: Request): Promise<Called> {
  const { use, key, signal } = request;
  const watch = new Watch(use, signal);
  let ended: { reason: string; usage: TokenUse } | null = null;
  let text = '';
  let refusal = '';
  try {
    // The SDK prints advice for developers otherwise.
    Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });
    const { fullStream } = streamText({
      model: languageModel(use, key, watch.fetch),
      system: request.system,
      messages: request.messages.map(({ role, content }) => ({ role, content })),
      ...(use.structured === 'none' ? {} : { output: Output.object({ schema: request.schema }) }),
      maxOutputTokens: use.maxOutputTokens,
      maxRetries: 0,
      abortSignal: watch.signal,
      includeRawChunks: true,
      onError: () => {},
    });
    for await (const part of fullStream) {
      if (part.type === 'raw') {
        watch.came(part.rawValue);
        refusal += refusalIn(part.rawValue);
      } else if (part.type === 'text-delta') text += part.text;
      else if (part.type === 'error') throw part.error;
      else if (part.type === 'finish') {
        const { inputTokens, outputTokens, inputTokenDetails } = part.totalUsage;
        ended = {
          reason: part.finishReason,
          usage: {
            input: inputTokens ?? null,
            output: outputTokens ?? null,
            cached: inputTokenDetails.cacheReadTokens ?? null,
          },
        };
      }
    }
  } catch (error) {
    const verdict = watch.verdict ?? failureOf(error, key, watch.began);
    return { ...verdict, usage: watch.began ? UNKNOWN_TOKENS : NO_TOKENS };
  } finally {
    watch.end();
  }
  const usage = ended?.usage ?? (watch.began ? UNKNOWN_TOKENS : NO_TOKENS);
  const said = { text: withoutKey(text, key), refusal: withoutKey(refusal, key) };
  const verdict = watch.verdict ?? verdictOn(ended?.reason, said);
  return verdict === null ? { text: said.text, usage } : { ...verdict, usage };
}

/** What is wrong with an answer that came to its end; null: nothing. */
function verdictOn(
  reason: string | undefined,
  { text, refusal }: { text: string; refusal: string },
): Verdict | null {
  if (refusal !== '') return { failure: { is: 'refusal', said: short(refusal) }, again: null };
  switch (reason) {
    case 'stop':
    case 'tool-calls':
      return null;
    case 'length':
      return { failure: { is: 'too-long' }, again: null };
    case 'content-filter':
      return {
        failure: { is: 'refusal', said: short(text === '' ? 'no reason was given' : text) },
        again: null,
      };
    default: {
      const said = 'the stream ended without an end of the answer';
      return { failure: { is: 'cut', said, tries: 1 }, again: { afterMs: null } };
    }
  }
}

function languageModel(use: ModelUse, key: string | null, fetch: FetchFunction): LanguageModel {
  const { baseUrl, model, provider, auth } = use;
  if (use.api === 'openai') {
    const headers = key === null || auth === 'bearer' ? {} : { 'x-api-key': key };
    return createOpenAICompatible({
      name: provider,
      baseURL: baseUrl,
      ...(key !== null && auth === 'bearer' ? { apiKey: key } : {}),
      headers,
      fetch,
      includeUsage: true,
      supportsStructuredOutputs: use.structured === 'schema',
    })(model);
  }
  // As Claude Code's ANTHROPIC_BASE_URL has it, without the version; with it is understood as well.
  const baseURL = baseUrl.endsWith('/v1') ? baseUrl : `${baseUrl}/v1`;
  return createAnthropic({
    baseURL,
    fetch,
    // The SDK would look for a key in the environment by itself, which may be that of another provider.
    ...(key !== null && auth === 'x-api-key' ? { apiKey: key } : { authToken: key ?? 'none' }),
  })(model);
}

/** Ends a request that says nothing for too long, goes on for too long, or says too much. */
class Watch {
  verdict: Verdict | null = null;
  began = false;
  readonly #abort = new AbortController();
  readonly #use: ModelUse;
  readonly #total: NodeJS.Timeout;
  readonly #outer: AbortSignal;
  readonly #onStop = (): void => this.#give({ failure: { is: 'stopped' }, again: null });
  #silence: NodeJS.Timeout;
  #bytes = 0;

  constructor(use: ModelUse, outer: AbortSignal) {
    this.#use = use;
    this.#outer = outer;
    this.#total = setTimeout(() => this.#timeout(false), use.timeoutMs);
    this.#silence = setTimeout(() => this.#timeout(true), use.silenceMs);
    if (outer.aborted) this.#onStop();
    else outer.addEventListener('abort', this.#onStop);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Notes that an answer has begun: from then on it costs, and what ends it is a cut. */
  readonly fetch: FetchFunction = async (...request) => {
    const response = await fetch(...request);
    if (response.ok) this.began = true;
    return response;
  };

  came(chunk: unknown): void {
    this.#bytes += JSON.stringify(chunk)?.length ?? 0;
    if (this.#bytes > this.#use.maxOutputTokens * BYTES_PER_TOKEN)
      this.#give({ failure: { is: 'too-long' }, again: null });
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#timeout(true), this.#use.silenceMs);
  }

  end(): void {
    clearTimeout(this.#total);
    clearTimeout(this.#silence);
    this.#outer.removeEventListener('abort', this.#onStop);
  }

  #timeout(silent: boolean): void {
    this.#give({ failure: { is: 'timeout', silent }, again: null });
  }

  #give(verdict: Verdict): void {
    this.verdict ??= verdict;
    this.#abort.abort();
  }
}

/** OpenAI's own field for a refusal, which the SDK leaves out. */
function refusalIn(chunk: unknown): string {
  const delta = (chunk as { choices?: { delta?: { refusal?: unknown } }[] } | null)?.choices?.[0]?.delta;
  return typeof delta?.refusal === 'string' ? delta.refusal : '';
}
