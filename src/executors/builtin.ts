/**
 * The executors that need no definition. GLM and MiniMax are Claude Code pointed at another provider. They are data: a
 * home or project that defines an executor of the same name adds to it or replaces it. `shell` is no executor but a kind:
 * there is no command that would do for all.
 *
 * A secret is looked for in the named variable of the node's environment first, then in the file: a 0600 file, its
 * path absolute, starting with `~/`, or relative to the worker's root.
 */
import type { ExecutorDef } from '../model/executor.ts';

/** The built-in executors by name. */
export function builtinExecutors(): Readonly<Record<string, ExecutorDef>> {
  return BUILTIN;
}

/** Long thinking turns of these providers outlast the client's own limit. */
const PATIENT = { API_TIMEOUT_MS: '3000000' };

/** For agents that take any provider: whichever key the node has; none is needed where its user has logged in. */
const ANY_KEY = {
  ANTHROPIC_API_KEY: { env: 'ANTHROPIC_API_KEY', file: 'secrets/anthropic' },
  OPENAI_API_KEY: { env: 'OPENAI_API_KEY', file: 'secrets/openai' },
};

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
  codex: {
    name: 'codex',
    kind: 'codex',
    command: ['codex'],
    env: {},
    secrets: { CODEX_API_KEY: { env: 'CODEX_API_KEY', file: 'secrets/openai' } },
    model: null,
  },
  gemini: {
    name: 'gemini',
    kind: 'gemini',
    command: ['gemini'],
    env: {},
    secrets: { GEMINI_API_KEY: { env: 'GEMINI_API_KEY', file: 'secrets/gemini' } },
    model: null,
  },
  qwen: {
    name: 'qwen',
    kind: 'qwen',
    command: ['qwen'],
    env: { OPENAI_BASE_URL: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1' },
    secrets: { OPENAI_API_KEY: { env: 'DASHSCOPE_API_KEY', file: 'secrets/qwen' } },
    model: 'qwen3-coder-plus',
  },
  opencode: {
    name: 'opencode',
    kind: 'opencode',
    command: ['opencode'],
    env: {},
    secrets: ANY_KEY,
    model: null,
  },
  aider: { name: 'aider', kind: 'aider', command: ['aider'], env: {}, secrets: ANY_KEY, model: null },
};
