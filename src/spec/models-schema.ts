/** The section `models` of dispatch.yaml: which model dispatch asks itself, and for what. */
import * as z from 'zod';
import { count, duration, line, variable } from './fields.ts';

const model = z.strictObject({
  provider: line.describe(
    'A preset (anthropic, openai, glm, glm-china, minimax, minimax-china), or a name of your own with `api` and `base_url`.',
  ),
  model: line
    .optional()
    .describe('The model’s name, as the provider has it; glm and minimax have a default.'),
  api: z.enum(['anthropic', 'openai']).optional().describe('Which protocol a provider of your own speaks.'),
  base_url: line.optional().describe('Where a provider of your own is: https://models.example.com/v1'),
  key_env: variable
    .nullish()
    .describe('Name of the environment variable that holds the key, never the key; `null`: it takes none.'),
  auth: z.enum(['x-api-key', 'bearer']).optional().describe('How the key is sent.'),
  structured: z
    .enum(['schema', 'object', 'none'])
    .optional()
    .describe('Whether it takes a JSON schema, promises JSON, or just writes text; schema.'),
  max_output_tokens: count(256, 1_000_000).optional().describe('Most tokens of one answer; 16384.'),
  timeout: duration.optional().describe('Longest one answer may take; 10m.'),
  silence: duration.optional().describe('Longest silence inside of an answer; 2m.'),
});

export const modelsSection = z
  .strictObject({
    split: model.optional().describe('Splits directions into specs: `dispatch split`.'),
    review: model.optional().describe('Reviews what has merged.'),
  })
  .describe('Which models dispatch asks itself: `{ split: { provider: glm } }`.');

export type ModelInput = z.infer<typeof model>;
export type ModelsInput = z.infer<typeof modelsSection>;
