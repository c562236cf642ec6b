import { expect, test } from 'vitest';
import { parseHome } from '../../src/spec/parse-home.ts';
import { places } from './check.ts';

const read = (text: string) => parseHome(text, 'dispatch.yaml');

test('presets need no more than their name, and the settings of the command line may stand beside them', () => {
  const { config, problems } = read(
    'output: json\nmodels:\n  split: { provider: glm }\n  review: { provider: minimax-china, model: M4, key_env: MY_KEY, timeout: 2m }\n',
  );
  expect(problems).toEqual([]);
  expect(config.models.split).toEqual({
    purpose: 'split',
    provider: 'glm',
    api: 'anthropic',
    baseUrl: 'https://api.z.ai/api/anthropic',
    model: 'glm-5.3',
    keyEnv: 'ZAI_API_KEY',
    auth: 'bearer',
    structured: 'schema',
    maxOutputTokens: 16_384,
    timeoutMs: 600_000,
    silenceMs: 120_000,
  });
  expect(config.models.review).toMatchObject({
    baseUrl: 'https://api.minimaxi.com/anthropic',
    model: 'M4',
    keyEnv: 'MY_KEY',
    timeoutMs: 120_000,
  });
});

test('a provider of one’s own is given by protocol, address, model and key variable', () => {
  const { config, problems } = read(
    'models: { split: { provider: mine, api: openai, base_url: "http://127.0.0.1:8000/v1/", model: m, key_env: null } }',
  );
  expect(problems).toEqual([]);
  expect(config.models.split).toMatchObject({
    api: 'openai',
    baseUrl: 'http://127.0.0.1:8000/v1',
    keyEnv: null,
    auth: 'bearer',
  });
});

test.each([
  ['models: { split: { provider: glmm } }', ['E_SPEC_VALUE 1:30', 'E_SPEC_MISSING_KEY 1:11']],
  ['models: { split: { provider: openai } }', ['E_SPEC_MISSING_KEY 1:11']],
  ['models: { splits: { provider: glm } }', ['E_SPEC_UNKNOWN_KEY 1:11']],
  ['models:\n  split: { provider: glm, key: sk-123 }', ['E_SPEC_UNKNOWN_KEY 2:27']],
  ['models:\n  split: { provider: glm, base_url: "http://example.com" }', ['E_SPEC_VALUE 2:37']],
  ['models:\n  split: { provider: glm, base_url: "https://me:pw@example.com" }', ['E_SPEC_VALUE 2:37']],
  ['models:\n  split: { provider: glm, base_url: example }', ['E_SPEC_VALUE 2:37']],
  ['models: { split: { provider: glm, key_env: "my key" } }', ['E_SPEC_VALUE 1:44']],
  ['feed: { at: "61 * * * *" }', ['E_SPEC_VALUE 1:13']],
  ['feed: { at: "0 9 * * *", timezone: Asia/Shangai }', ['E_SPEC_VALUE 1:36']],
  ['feeds: {}', ['E_SPEC_UNKNOWN_KEY 1:1']],
])('%j is refused where it is wrong', (text, expected) => {
  expect(places(read(text).problems)).toEqual(expected);
});

test('a mistake in one section leaves the other usable, and an empty file says nothing', () => {
  const { config, problems } = read('models: { split: { provider: openai } }\nfeed: { at: "0 9 * * 1-5" }');
  expect(problems).toHaveLength(1);
  expect(config).toMatchObject({ models: {}, feed: { at: '0 9 * * 1-5', timezone: null } });
  expect(read('# nothing yet\n').problems).toEqual([]);
});
