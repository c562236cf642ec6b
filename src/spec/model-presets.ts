/**
 * Providers that need no description. Addresses: docs.z.ai and platform.minimax.io, November 2026. The Anthropic
 * protocol is preferred where a provider has both: MiniMax puts its thinking into the text over the other one.
 */
import type { ModelUse } from '../model/model-use.ts';

export interface ModelPreset extends Pick<ModelUse, 'api' | 'baseUrl' | 'auth' | 'structured'> {
  readonly keyEnv: string;
  /** null: the user has to name one. */
  readonly model: string | null;
}

const anthropic = (
  baseUrl: string,
  keyEnv: string,
  model: string | null,
  auth: ModelPreset['auth'] = 'bearer',
): ModelPreset => ({ api: 'anthropic', baseUrl, keyEnv, model, auth, structured: 'schema' });

export const MODEL_PRESETS: Readonly<Record<string, ModelPreset>> = {
  anthropic: anthropic('https://api.anthropic.com', 'ANTHROPIC_API_KEY', null, 'x-api-key'),
  openai: {
    api: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    keyEnv: 'OPENAI_API_KEY',
    model: null,
    auth: 'bearer',
    structured: 'schema',
  },
  glm: anthropic('https://api.z.ai/api/anthropic', 'ZAI_API_KEY', 'glm-5.3'),
  'glm-china': anthropic('https://open.bigmodel.cn/api/anthropic', 'ZHIPU_API_KEY', 'glm-5.3'),
  minimax: anthropic('https://api.minimax.io/anthropic', 'MINIMAX_API_KEY', 'MiniMax-M3'),
  'minimax-china': anthropic('https://api.minimaxi.com/anthropic', 'MINIMAX_API_KEY', 'MiniMax-M3'),
};
