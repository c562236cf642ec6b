import { type CodeEntry, EXIT } from '../exit.ts';

/** Codes of asking a model, and of what it is asked for. */
export const MODEL_CODES = {
  E_MODEL_NOT_CONFIGURED: {
    title: 'no model is configured for this',
    exit: EXIT.usage,
    explain:
      'dispatch asks a model only when dispatch.yaml in the home names one: `models: { split: { provider: glm } }`. Presets are anthropic, openai, glm, glm-china, minimax and minimax-china; any other that speaks Anthropic Messages or OpenAI chat completions is given by `api`, `base_url`, `model` and `key_env`.',
  },
  E_MODEL_KEY_MISSING: {
    title: 'the key of a model provider is not in the environment',
    exit: EXIT.auth,
    explain:
      'Configuration has the name of a variable, never the key. Set the variable in the shell that runs dispatch, for example from a password manager: `export ZAI_API_KEY=$(pass zai)`. `key_env` in dispatch.yaml names another one.',
  },
  E_MODEL_KEY: {
    title: 'the provider does not accept the key',
    exit: EXIT.auth,
    explain:
      'The provider answered 401 or 403, or the key cannot be a key. Look whether the variable holds the key of this provider (a plan for coding often has an address of its own), whole and without quotes. dispatch never prints it.',
  },
  E_MODEL_ACCOUNT: {
    title: 'the account or plan has nothing left',
    exit: EXIT.auth,
    explain:
      'The provider says that the balance, plan or quota is used up. Waiting does not help, or only until the quota comes back. Another provider may be named in dispatch.yaml.',
  },
  E_MODEL_UNKNOWN: {
    title: 'the provider does not know the model or the address',
    exit: EXIT.usage,
    explain:
      'The provider answered that there is no such model, or nothing at this address. Compare `model` and `base_url` in dispatch.yaml with its documentation. For `api: openai` the address ends where /chat/completions would follow, for `api: anthropic` where /v1/messages would.',
  },
  E_MODEL_BUSY: {
    title: 'the provider goes on refusing for now',
    exit: EXIT.unreachable,
    explain:
      'It answered 429, 503 or 529 again after several waits, each as long as it asked for or longer than the one before. Nothing was written. Run the same command later; agents that use the same key may be what keeps it busy: `dispatch credentials`.',
  },
  E_MODEL_UNREACHABLE: {
    title: 'the provider cannot be reached',
    exit: EXIT.unreachable,
    explain:
      'There was no connection: name resolution, network, proxy or TLS. The message has the system’s reason.',
  },
  E_MODEL_CUT: {
    title: 'the answer broke off in the middle',
    exit: EXIT.unreachable,
    explain:
      'The connection ended before the answer did, more than once. Half an answer is never used. Run the command again; a proxy that ends long connections may have to be told.',
  },
  E_MODEL_TIMEOUT: {
    title: 'the answer took too long',
    exit: EXIT.timeout,
    explain:
      'Either nothing came for as long as `silence` says, or the whole answer took longer than `timeout`, in dispatch.yaml under `models`. Some models think long before they write: raise them, or choose a faster one.',
  },
  E_MODEL_TOO_LONG: {
    title: 'the answer is longer than it may be',
    exit: EXIT.unfinished,
    explain:
      'The answer reached `max_output_tokens`, or went on far beyond what that many tokens can be. What there was of it is not used. Raise the limit under `models` in dispatch.yaml, or ask for less at a time: fewer or smaller directions.',
  },
  E_MODEL_REFUSAL: {
    title: 'the model declines to answer',
    exit: EXIT.unfinished,
    explain:
      'The provider marked the answer as refused or filtered. Nothing was written. Say the direction in other words, or name another model.',
  },
  E_MODEL_ANSWER: {
    title: 'the answer is not what was asked for',
    exit: EXIT.unfinished,
    explain:
      'The model answered something that is no JSON, or JSON of another form, and was told so. A weaker model may need `structured: none` (it then only has to write text) or cannot do it: name a stronger one under `models` in dispatch.yaml.',
  },
  E_MODEL_REQUEST: {
    title: 'the provider refuses the request itself',
    exit: EXIT.usage,
    explain:
      'The provider answered 400 or the like; its own words are in the message. A prompt that is too long: shorten the direction or prompts/split.md. An unknown parameter: set `structured` to `object` or `none` under `models` in dispatch.yaml.',
  },
  E_PROMPT: {
    title: 'a prompt file cannot be used',
    exit: EXIT.usage,
    explain:
      'prompts/split.md names the places where dispatch puts what a model has to know, as {{tree}} or {{direction}}. One is unknown or one that is needed is missing. `dispatch split --print-prompt > prompts/split.md` begins again with the built-in one; without the file that is used.',
  },
  E_SPLIT_NOTHING: {
    title: 'no usable spec came of a direction',
    exit: EXIT.unfinished,
    explain:
      'After three rounds no spec was valid, and nothing was written. The problems that remained were shown. Say the direction more exactly, name the files it is about, or name a stronger model.',
  },
  E_SPLIT_COUNT: {
    title: 'a direction became too few or too many specs',
    exit: EXIT.unfinished,
    explain:
      'A direction is split into five to ten specs: fewer are mostly too large for one agent, more mostly too small to be worth a merge. The specs are kept; look at them before they are fed.',
  },
  E_SPLIT_SECTION: {
    title: 'a section of a proposed spec is empty',
    exit: EXIT.unfinished,
    explain:
      'Each spec that a model proposes says its goal, constraints, acceptance and don’ts. An agent that is not told what to leave alone does not leave it alone.',
  },
  E_SPLIT_OVERLAP: {
    title: 'two proposed specs may change the same file and do not wait for each other',
    exit: EXIT.unfinished,
    explain:
      'They would take turns, in an order that nobody chose, and the second would meet what the first did. Give the file to one of them, or let one depend on the other.',
  },
  E_FEED_WAITS: {
    title: 'a pending spec waits for one that has problems',
    exit: EXIT.unfinished,
    explain:
      'The spec itself is right; a pending spec that it depends on is not. Mend that one, and both are moved to the queue.',
  },
  E_FEED_NAME_TAKEN: {
    title: 'the queue already has a file of this name',
    exit: EXIT.conflict,
    explain:
      'dispatch never overwrites a spec in the queue. Give the pending file another name; the id inside of it counts, not the name.',
  },
} as const satisfies Record<`E_${string}`, CodeEntry>;
