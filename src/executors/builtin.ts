/**
 * The executors that need no definition in project.yaml. GLM and MiniMax are Claude Code pointed at another provider.
 * They are data: a project that defines an executor of the same name replaces it.
 *
 * A secret is looked for in the named variable of the node's environment first, then in the file: a 0600 file, its
 * path absolute, starting with `~/`, or relative to the worker's root.
 */
import type { ExecutorDef } from '../model/spec.ts';

/** The built-in executors by name: `claude`, `glm` and `minimax`. */
export function builtinExecutors(): Readonly<Record<string, ExecutorDef>> {
  return BUILTIN;
}

/** Long thinking turns of these providers outlast the client's own limit. */
const PATIENT = { API_TIMEOUT_MS: '3000000' };

const BUILTIN: Readonly<Record<string, ExecutorDef>> = {
  claude: {
    name: 'claude',
    kind: 'claude',
    command: ['claude'],
    env: {},
    // Neither is needed where the node's user has logged in.
    secrets: {
      ANTHROPIC_API_KEY: { env: 'ANTHROPIC_API_KEY', file: 'secrets/anthropic' },
      CLAUDE_CODE_OAUTH_TOKEN: { env: 'CLAUDE_CODE_OAUTH_TOKEN', file: 'secrets/claude-oauth' },
    },
    model: null,
  },
  glm: {
    name: 'glm',
    kind: 'claude',
    command: ['claude'],
    env: {
      ANTHROPIC_BASE_URL: 'https://api.z.ai/api/anthropic',
      ANTHROPIC_DEFAULT_OPUS_MODEL: 'glm-5.3',
      ANTHROPIC_DEFAULT_SONNET_MODEL: 'glm-5.3',
      ANTHROPIC_DEFAULT_HAIKU_MODEL: 'glm-5.3-flash',
      ...PATIENT,
    },
    secrets: { ANTHROPIC_AUTH_TOKEN: { env: 'GLM_API_KEY', file: 'secrets/glm' } },
    model: null,
  },
  minimax: {
    name: 'minimax',
    kind: 'claude',
    command: ['claude'],
    env: {
      ANTHROPIC_BASE_URL: 'https://api.minimax.io/anthropic',
      ANTHROPIC_DEFAULT_OPUS_MODEL: 'MiniMax-M3',
      ANTHROPIC_DEFAULT_SONNET_MODEL: 'MiniMax-M3',
      ANTHROPIC_DEFAULT_HAIKU_MODEL: 'MiniMax-M3',
      ...PATIENT,
    },
    secrets: { ANTHROPIC_AUTH_TOKEN: { env: 'MINIMAX_API_KEY', file: 'secrets/minimax' } },
    model: null,
  },
};
