/** `models` as people write it to ModelUse, with presets filled in. */
import type { ErrorCode } from '../model/codes/index.ts';
import type { Problem } from '../model/error.ts';
import { type ModelPurpose, type ModelUse, PURPOSES } from '../model/model-use.ts';
import { MODEL_PRESETS, type ModelPreset } from './model-presets.ts';
import type { ModelInput, ModelsInput } from './models-schema.ts';
import { nearest } from './nearest.ts';
import { milliseconds } from './parse-spec.ts';
import { type Position, shown } from './problem.ts';
import type { Source } from './source.ts';

export type Models = Readonly<Partial<Record<ModelPurpose, ModelUse>>>;

const MAX_OUTPUT_TOKENS = 16_384;
const TIMEOUT_MS = 10 * 60_000;
const SILENCE_MS = 2 * 60_000;

/** The models by purpose, and what is wrong with them. `source` is the file that has `models` at its top. */
export function modelsOf(input: ModelsInput, source: Source): { models: Models; problems: Problem[] } {
  const problems: Problem[] = [];
  const models: Partial<Record<ModelPurpose, ModelUse>> = {};
  for (const purpose of PURPOSES) {
    const given = input[purpose];
    if (given === undefined) continue;
    const found = problemsOf(purpose, given, source);
    problems.push(...found);
    if (found.length === 0) models[purpose] = useOf(purpose, given);
  }
  return { models, problems };
}

function useOf(purpose: ModelPurpose, input: ModelInput): ModelUse {
  const preset = presetOf(input.provider);
  const api = input.api ?? preset?.api ?? 'openai';
  return {
    purpose,
    provider: input.provider,
    api,
    baseUrl: (input.base_url ?? preset?.baseUrl ?? '').replace(/\/+$/, ''),
    model: input.model ?? preset?.model ?? '',
    keyEnv: input.key_env === undefined ? (preset?.keyEnv ?? null) : input.key_env,
    auth: input.auth ?? preset?.auth ?? (api === 'anthropic' ? 'x-api-key' : 'bearer'),
    structured: input.structured ?? preset?.structured ?? 'schema',
    maxOutputTokens: input.max_output_tokens ?? MAX_OUTPUT_TOKENS,
    timeoutMs: milliseconds(input.timeout) ?? TIMEOUT_MS,
    silenceMs: milliseconds(input.silence) ?? SILENCE_MS,
  };
}

function presetOf(provider: string): ModelPreset | null {
  return Object.hasOwn(MODEL_PRESETS, provider) ? (MODEL_PRESETS[provider] ?? null) : null;
}

function problemsOf(purpose: ModelPurpose, input: ModelInput, source: Source): Problem[] {
  const preset = presetOf(input.provider);
  const at = (key: string): Position => source.at(['models', purpose, key]);
  const make = (code: ErrorCode, place: Position, message: string, fix: string): Problem => {
    return { code, severity: 'error', file: source.file, ...place, message, fix };
  };
  const problems: Problem[] = [];
  if (preset === null && (input.api === undefined || input.base_url === undefined)) {
    const names = Object.keys(MODEL_PRESETS);
    const near = nearest(input.provider, names);
    const message = `no provider ${shown(input.provider)} is built in, and its \`api\` and \`base_url\` are not both given`;
    const own = 'give api: anthropic or openai, and base_url';
    const fix = near === null ? own : `did you mean "${near}"? Otherwise ${own}`;
    problems.push({
      ...make('E_SPEC_VALUE', at('provider'), message, fix),
      expected: `one of ${names.join(', ')}`,
    });
  }
  if (input.model === undefined && (preset === null || preset.model === null))
    problems.push(
      make(
        'E_SPEC_MISSING_KEY',
        source.keyAt(['models', purpose]),
        `\`models.${purpose}.model\` is missing`,
        'name the model as the provider does',
      ),
    );
  const keyEnv = input.key_env === undefined ? (preset?.keyEnv ?? null) : input.key_env;
  const address = input.base_url === undefined ? null : addressProblem(input.base_url, keyEnv !== null);
  if (address !== null) problems.push(make('E_SPEC_VALUE', at('base_url'), address.message, address.fix));
  return problems;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** A key must not travel in the clear, and an address is no place for one. */
function addressProblem(text: string, hasKey: boolean): { message: string; fix: string } | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    return {
      message: `${shown(text)} is not an address`,
      fix: 'write it out: https://models.example.com/v1',
    };
  if (url.username !== '' || url.password !== '' || url.search !== '')
    return {
      message: '`base_url` holds a user, a password or a query',
      fix: 'name the variable that holds the key: key_env: MY_KEY',
    };
  if (url.protocol === 'http:' && hasKey && !LOOPBACK.test(url.hostname))
    return {
      message: `the key would be sent to ${url.hostname} in the clear`,
      fix: 'use https://, or key_env: null where the server takes no key',
    };
  return null;
}
