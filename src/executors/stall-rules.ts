/**
 * Words by which agents that have fallen silent are known to wait: for a trust dialog, a permission, a login. They come
 * from the programs themselves and from what people reported of other dispatchers. An unattended call avoids most of
 * them; a new version of a program, another setting on a node or a tool that an agent starts brings them back.
 */
import type { ExecutorKind, StallRule } from '../model/executor.ts';
import type { PromptCause } from '../model/stall.ts';

/** The rules of a kind, its own first. */
export function stallsOf(kind: ExecutorKind): readonly StallRule[] {
  return [...rules(OWN[kind]), ...rules(ANY)];
}

type Texts = Partial<Record<PromptCause, readonly string[]>>;

function rules(texts: Texts): StallRule[] {
  return Object.entries(texts).flatMap(([cause, said]) =>
    said.map((text) => ({ text, cause: cause as PromptCause })),
  );
}

/** What shells, ssh, git and package managers ask, whoever started them. */
const ANY: Texts = {
  root: ['must not be run as root', 'cannot be run as root', 'refusing to run as root'],
  keyboard: [
    'are you sure you want to continue connecting',
    'enter passphrase for',
    "'s password:",
    'password for ',
    'username for ',
    '[y/n]',
    '(y/n)',
    '(yes/no)',
    'press any key',
    'press enter to continue',
    'ok to proceed?',
  ],
  rate: ['too many requests', 'rate limit'],
  login: ['not logged in', 'please log in', 'please login', 'no api key provided'],
  // The last is how dash begins, told to run a text.
  missing: ['command not found', 'executable file not found', 'sh: 1: '],
};

const CLAUDE: Texts = {
  root: ['--dangerously-skip-permissions cannot be used with root'],
  trust: [
    'do you trust the files in this folder',
    'is this a project you created or one you trust',
    'yes, i trust this folder',
  ],
  permission: [
    'do you want to proceed?',
    'do you want to make this edit',
    'do you want to create ',
    'running in bypass permissions mode',
    "yes, and don't ask again",
  ],
  login: ['please run /login', 'select login method', 'invalid api key', 'oauth token has expired'],
  rate: ['usage limit reached', "you've hit your limit"],
};

const GEMINI: Texts = {
  trust: ['do you trust this folder', 'do you trust the files in this folder'],
  permission: ['apply this change?', 'allow execution', 'yes, allow once', 'allow always'],
  login: [
    'waiting for auth',
    'how would you like to authenticate',
    'please set an auth method',
    'enter the authorization code',
  ],
  rate: ['resource_exhausted', 'quota exceeded'],
};

const OWN: Readonly<Record<ExecutorKind, Texts>> = {
  shell: {},
  claude: CLAUDE,
  codex: {
    trust: ['do you trust the contents of this directory', 'not inside a trusted directory'],
    permission: ['would you like to run the following command', 'allow command?', "yes, and don't ask again"],
    login: ['sign in with chatgpt', 'provide your own api key'],
    rate: ["you've hit your usage limit", 'usage limit has been reached'],
  },
  gemini: GEMINI,
  qwen: GEMINI,
  opencode: { permission: ['permission required', 'allow once'] },
  aider: { permission: ['(y)es/(n)o'], login: ['no llm model was specified and no api keys'] },
};
