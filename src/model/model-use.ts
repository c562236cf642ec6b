/** How a language model is asked by dispatch itself, as configuration says it. Agents are another matter: executors. */

/** What dispatch asks a model for. `split`: directions into specs. `review`: a merged diff against its spec. */
export const PURPOSES = ['split', 'review'] as const;
export type ModelPurpose = (typeof PURPOSES)[number];

export interface ModelUse {
  readonly purpose: ModelPurpose;
  /** Name of a preset, or of the user's own provider. */
  readonly provider: string;
  /** Which protocol the provider speaks: Anthropic Messages or OpenAI chat completions. */
  readonly api: 'anthropic' | 'openai';
  /** Without a trailing slash; `/v1` and the like are the protocol's to add for `anthropic`, and part of it for `openai`. */
  readonly baseUrl: string;
  readonly model: string;
  /** Name of the environment variable that holds the key; null: the provider takes none. The key itself is nowhere here. */
  readonly keyEnv: string | null;
  /** How the key is sent. */
  readonly auth: 'x-api-key' | 'bearer';
  /** `schema`: the provider takes a JSON schema; `object`: it promises JSON; `none`: the answer is text with JSON in it. */
  readonly structured: 'schema' | 'object' | 'none';
  /** Most tokens of one answer. */
  readonly maxOutputTokens: number;
  /** Longest one answer may take, milliseconds. */
  readonly timeoutMs: number;
  /** Longest silence inside of an answer, milliseconds. */
  readonly silenceMs: number;
}

/** Tokens of one call or of several; null where the provider did not say. */
export interface TokenUse {
  readonly input: number | null;
  readonly output: number | null;
  /** Part of `input` that came from the provider's cache. */
  readonly cached: number | null;
}

export const NO_TOKENS: TokenUse = { input: 0, output: 0, cached: 0 };

/** Something was used, and nobody says how much. */
export const UNKNOWN_TOKENS: TokenUse = { input: null, output: null, cached: null };

/** The sum; unknown as soon as one part is: an unknown use is not zero. */
export function addTokens(a: TokenUse, b: TokenUse): TokenUse {
  const sum = (x: number | null, y: number | null): number | null =>
    x === null || y === null ? null : x + y;
  return { input: sum(a.input, b.input), output: sum(a.output, b.output), cached: sum(a.cached, b.cached) };
}
