/**
 * The families of agents: how each is called without a terminal, resumed and read. Flags change often, so the ones that a
 * call needs are asked for on the node (`probe`) before the first run there.
 *
 * Checked against the programs themselves (test/agents): Claude Code 2.1.328, Codex CLI 0.169.0, Gemini CLI 0.61.0, Qwen
 * Code 0.24.4 and OpenCode 1.18.33; recorded streams are in test/fixtures/agent-events. Aider is taken from its documentation.
 */
import type { AgentCall, EventRules, ExecutorDef, ExecutorKind } from '../model/executor.ts';
import { stallsOf } from './stall-rules.ts';

/** What a definition comes to: its kind's row with its own differences. */
export function callOf(def: Pick<ExecutorDef, 'kind' | 'call'>): AgentCall {
  return { ...KINDS[def.kind], ...def.call };
}

/** True when the rows' first arguments name the session, so that it is known before the agent reports it. */
export function namesSession(call: AgentCall): boolean {
  return call.start.includes('{session}');
}

/** The rules of kinds that users may name in `reads`. */
export function readingOf(kind: ExecutorKind): AgentCall['reads'] {
  return KINDS[kind].reads;
}

const PLAIN: AgentCall = {
  prompt: 'variables',
  start: [],
  resume: [],
  modelArguments: [],
  env: {},
  rootEnv: {},
  unset: [],
  sandboxArguments: { own: [], caged: [] },
  homeFiles: [],
  loginFiles: [],
  hosts: [],
  loginUnless: null,
  reads: 'nothing',
  probe: null,
  roundMs: null,
  hangMs: null,
  stalls: stallsOf('shell'),
};

/** The first round names the session, so that a later one can resume it: the agent then still knows what it did. */
const CLAUDE: AgentCall = {
  ...PLAIN,
  stalls: stallsOf('claude'),
  prompt: 'stdin',
  start: [
    '-p',
    '--output-format',
    'stream-json',
    '--verbose',
    '--dangerously-skip-permissions',
    '--session-id',
    '{session}',
    '{model_arguments}',
  ],
  resume: [
    '-p',
    '--output-format',
    'stream-json',
    '--verbose',
    '--dangerously-skip-permissions',
    '--resume',
    '{session}',
    '{model_arguments}',
  ],
  modelArguments: ['--model', '{model}'],
  // No updates, telemetry or other traffic of its own from dozens of unattended agents.
  env: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' },
  // It refuses to skip permissions as root unless it is told that it runs in a sandbox.
  rootEnv: { IS_SANDBOX: '1' },
  // Exported variables beat settings files; and an agent that finds CLAUDECODE believes it is nested.
  unset: [
    'CLAUDECODE',
    'CLAUDE_CODE_ENTRYPOINT',
    'CLAUDE_CODE_SSE_PORT',
    'CLAUDE_CODE_USE_BEDROCK',
    'CLAUDE_CODE_USE_VERTEX',
    'CLAUDE_CODE_OAUTH_TOKEN',
    'ANTHROPIC_API_KEY',
    'ANTHROPIC_AUTH_TOKEN',
    'ANTHROPIC_BASE_URL',
    'ANTHROPIC_BEDROCK_BASE_URL',
    'ANTHROPIC_VERTEX_BASE_URL',
    'ANTHROPIC_VERTEX_PROJECT_ID',
    'ANTHROPIC_CUSTOM_HEADERS',
    'ANTHROPIC_MODEL',
    'ANTHROPIC_SMALL_FAST_MODEL',
    'ANTHROPIC_DEFAULT_OPUS_MODEL',
    'ANTHROPIC_DEFAULT_SONNET_MODEL',
    'ANTHROPIC_DEFAULT_HAIKU_MODEL',
  ],
  // Anthropic's own service also takes the login of the node's user; other providers only take a key.
  loginUnless: ['ANTHROPIC_BASE_URL'],
  loginFiles: ['.claude/.credentials.json'],
  hosts: ['api.anthropic.com', 'console.anthropic.com', 'platform.claude.com'],
  reads: 'claude',
  probe: {
    program: 'claude',
    version: ['--version'],
    least: null,
    help: [
      {
        args: ['--help'],
        flags: [
          '--print',
          '--output-format',
          '--verbose',
          '--dangerously-skip-permissions',
          '--session-id',
          '--resume',
          '--model',
        ],
      },
    ],
  },
};

/** `turn.completed` counts the whole thread: after a resume it holds the earlier rounds as well. It names no money. */
const CODEX_EVENTS: EventRules = {
  session: [{ when: { type: 'thread.started' }, at: 'thread_id' }],
  finished: [{ type: 'turn.completed' }, { type: 'turn.failed' }],
  text: [{ when: { type: 'item.completed', 'item.type': 'agent_message' }, at: 'item.text' }],
  error: [
    { when: { type: 'error' }, at: 'message' },
    { when: { type: 'turn.failed' }, at: 'error.message' },
  ],
  usage: {
    when: [{ type: 'turn.completed' }],
    input: 'usage.input_tokens',
    output: 'usage.output_tokens',
    cached: 'usage.cached_input_tokens',
    costUsd: null,
    inputHoldsCached: true,
    counts: 'session',
  },
};

/** The sandbox is a flag of `exec`, and holds for `resume` only when it stands before it. In a cage it could not be built. */
const CODEX_EXEC = ['exec', '--json', '{sandbox_arguments}', '--skip-git-repo-check'];
const CODEX: AgentCall = {
  ...PLAIN,
  stalls: stallsOf('codex'),
  prompt: 'stdin',
  start: [...CODEX_EXEC, '{model_arguments}', '-'],
  resume: [...CODEX_EXEC, '{model_arguments}', 'resume', '{session}', '-'],
  modelArguments: ['--model', '{model}'],
  sandboxArguments: { own: ['--sandbox', 'workspace-write'], caged: ['--sandbox', 'danger-full-access'] },
  loginFiles: ['.codex/auth.json', '.codex/config.toml'],
  hosts: ['api.openai.com', 'chatgpt.com', 'auth.openai.com'],
  unset: ['CODEX_HOME', 'CODEX_API_KEY', 'OPENAI_API_KEY', 'OPENAI_BASE_URL'],
  loginUnless: [],
  reads: CODEX_EVENTS,
  probe: {
    program: 'codex',
    version: ['--version'],
    least: null,
    help: [
      {
        args: ['exec', '--help'],
        flags: ['--json', '--sandbox', '--skip-git-repo-check', '--model', 'resume'],
      },
    ],
  },
};

const GEMINI_EVENTS: EventRules = {
  session: [{ when: { type: 'init' }, at: 'session_id' }],
  finished: [{ type: 'result' }],
  text: [{ when: { type: 'message', role: 'assistant' }, at: 'content' }],
  error: [
    { when: { type: 'error', severity: 'error' }, at: 'message' },
    { when: { type: 'result', status: 'error' }, at: 'error.message' },
  ],
  usage: {
    when: [{ type: 'result' }],
    input: 'stats.input_tokens',
    output: 'stats.output_tokens',
    cached: 'stats.cached',
    costUsd: null,
    inputHoldsCached: true,
    counts: 'round',
  },
};

/** The prompt comes on stdin: without a terminal there the program runs unattended, and `-p` would put it into argv. */
const GEMINI: AgentCall = {
  ...PLAIN,
  stalls: stallsOf('gemini'),
  prompt: 'stdin',
  start: ['--output-format', 'stream-json', '--approval-mode', 'yolo', '--skip-trust', '{model_arguments}'],
  resume: [
    '--output-format',
    'stream-json',
    '--approval-mode',
    'yolo',
    '--skip-trust',
    '{model_arguments}',
    '--resume',
    '{session}',
  ],
  modelArguments: ['--model', '{model}'],
  loginFiles: ['.gemini/oauth_creds.json', '.gemini/google_accounts.json', '.gemini/settings.json'],
  hosts: ['generativelanguage.googleapis.com', 'cloudcode-pa.googleapis.com', 'oauth2.googleapis.com'],
  unset: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GEMINI_BASE_URL', 'GEMINI_MODEL'],
  loginUnless: [],
  reads: GEMINI_EVENTS,
  probe: {
    program: 'gemini',
    version: ['--version'],
    least: null,
    help: [
      {
        args: ['--help'],
        flags: ['--output-format', '--approval-mode', '--skip-trust', '--resume', '--model'],
      },
    ],
  },
};

/** Without a settings file it takes no key unless it is told what kind of provider there is. */
const QWEN_RUN = ['--output-format', 'stream-json', '--yolo', '--auth-type', 'openai', '{model_arguments}'];
/** Speaks Claude Code's stream, without its money. */
const QWEN: AgentCall = {
  ...PLAIN,
  stalls: stallsOf('qwen'),
  prompt: 'stdin',
  start: QWEN_RUN,
  resume: [...QWEN_RUN, '--resume', '{session}'],
  modelArguments: ['--model', '{model}'],
  env: { QWEN_CODE_SUPPRESS_YOLO_WARNING: '1' },
  unset: ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL', 'DASHSCOPE_API_KEY'],
  loginUnless: ['OPENAI_BASE_URL'],
  loginFiles: ['.qwen/oauth_creds.json', '.qwen/settings.json'],
  hosts: ['chat.qwen.ai', 'portal.qwen.ai'],
  reads: 'claude',
  probe: {
    program: 'qwen',
    version: ['--version'],
    least: null,
    help: [{ args: ['--help'], flags: ['--output-format', '--yolo', '--auth-type', '--resume', '--model'] }],
  },
};

/** Every step counts its own tokens and there is no closing event: the step that asks for no tool is the last one. */
const OPENCODE_EVENTS: EventRules = {
  session: [{ when: {}, at: 'sessionID' }],
  finished: [{ type: 'step_finish', 'part.reason': 'stop' }],
  text: [{ when: { type: 'text' }, at: 'part.text' }],
  error: [
    { when: { type: 'error' }, at: 'error.name' },
    { when: { type: 'error' }, at: 'error.data.message' },
  ],
  usage: {
    when: [{ type: 'step_finish' }],
    input: 'part.tokens.input',
    output: 'part.tokens.output',
    cached: 'part.tokens.cache.read',
    costUsd: 'part.cost',
    inputHoldsCached: false,
    counts: 'event',
  },
};

const OPENCODE: AgentCall = {
  ...PLAIN,
  stalls: stallsOf('opencode'),
  prompt: 'stdin',
  start: ['run', '--format', 'json', '{model_arguments}'],
  resume: ['run', '--format', 'json', '{model_arguments}', '--session', '{session}'],
  modelArguments: ['--model', '{model}'],
  env: { OPENCODE_PERMISSION: '{"*":"allow"}', OPENCODE_DISABLE_AUTOUPDATE: '1' },
  loginFiles: ['.local/share/opencode/auth.json', '.config/opencode/opencode.json'],
  hosts: ['api.anthropic.com', 'api.openai.com', 'models.dev', 'opencode.ai'],
  loginUnless: [],
  reads: OPENCODE_EVENTS,
  probe: {
    program: 'opencode',
    version: ['--version'],
    least: null,
    help: [{ args: ['run', '--help'], flags: ['--format', '--session', '--model'] }],
  },
};

/** It cannot resume by id; its own history would lie in the tree, so it has none. */
const AIDER: AgentCall = {
  ...PLAIN,
  stalls: stallsOf('aider'),
  prompt: 'file',
  start: [
    '--message-file',
    '{prompt_file}',
    '--yes-always',
    '--no-stream',
    '--no-pretty',
    '--no-check-update',
    '--no-auto-commits',
    '--no-gitignore',
    '{model_arguments}',
  ],
  resume: null,
  modelArguments: ['--model', '{model}'],
  env: {
    AIDER_ANALYTICS: 'false',
    AIDER_CHAT_HISTORY_FILE: '/dev/null',
    AIDER_INPUT_HISTORY_FILE: '/dev/null',
  },
  loginFiles: ['.aider.conf.yml'],
  hosts: ['api.anthropic.com', 'api.openai.com'],
  loginUnless: [],
  reads: 'aider',
  probe: {
    program: 'aider',
    version: ['--version'],
    least: null,
    help: [
      {
        args: ['--help'],
        flags: ['--message-file', '--yes-always', '--no-stream', '--no-pretty', '--no-check-update'],
      },
    ],
  },
};

const KINDS: Readonly<Record<ExecutorKind, AgentCall>> = {
  shell: PLAIN,
  claude: CLAUDE,
  codex: CODEX,
  gemini: GEMINI,
  qwen: QWEN,
  opencode: OPENCODE,
  aider: AIDER,
};
