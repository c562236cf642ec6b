import { type CodeEntry, EXIT } from '../exit.ts';

/** Codes raised by the spec room: specs, project.yaml and nodes.json. */
export const SPEC_CODES = {
  E_SPEC_UNREADABLE: {
    title: 'a file cannot be read',
    exit: EXIT.usage,
    explain:
      'The file is there but reading it failed: permissions, a broken link, or a folder where a file belongs. The message has the system’s reason.',
  },
  E_SPEC_ENCODING: {
    title: 'a file is not UTF-8 text',
    exit: EXIT.usage,
    explain:
      'Specs and configuration are read as UTF-8, with or without a byte order mark, with Unix or Windows line ends. This file has bytes that are not UTF-8, or a NUL character. Save it again as UTF-8: `iconv -f GB18030 -t UTF-8 old.md > new.md` for a file from an older Chinese Windows, `iconv -f UTF-16` for one saved as “Unicode”.',
  },
  E_SPEC_TOO_LARGE: {
    title: 'a file is larger than a person would write',
    exit: EXIT.usage,
    explain:
      'A spec may have 256 KiB, its front matter 16 KiB, project.yaml and nodes.json 1 MiB. A spec goes whole into an agent’s prompt: name long material by its path in the repository instead of pasting it.',
  },
  E_SPEC_NO_FRONT_MATTER: {
    title: 'a spec does not begin with front matter',
    exit: EXIT.usage,
    explain:
      'A spec begins with a line `---`, then YAML such as `task_id: S01`, then a line `---`, then Markdown. Notes for people may live beside the specs in README.md, which is not read as a spec. Front matter in another language than YAML (`---js`, `---json`) is never read: some of them would run as code.',
  },
  E_SPEC_SYNTAX: {
    title: 'YAML or JSON that cannot be parsed',
    exit: EXIT.usage,
    explain:
      'The text breaks the rules of its format at the place shown. Frequent causes in YAML: a tab in the indentation, `key:value` without a blank after the colon, a `:` or `#` or a leading `*`, `&`, `!`, `@` in a text without quotes. Globs that begin with `*` need quotes: ["**/*.py"].',
  },
  E_SPEC_TOO_DEEP: {
    title: 'YAML that nests or repeats itself without end',
    exit: EXIT.usage,
    explain:
      'Configuration is flat: lists and maps may nest 20 deep, and aliases (`*name`) may not multiply. Write the values out.',
  },
  E_SPEC_DUPLICATE_KEY: {
    title: 'the same key twice',
    exit: EXIT.usage,
    explain:
      'A key may be given once; otherwise one of the two values would silently be lost. Remove one of them.',
  },
  E_SPEC_UNKNOWN_KEY: {
    title: 'a key that means nothing here',
    exit: EXIT.usage,
    explain:
      'Unknown keys are refused, since a misspelt key would otherwise silently do nothing. The message names the nearest known key. The schemas in the folder `schemas/` let an editor complete keys and mark mistakes while you type.',
  },
  E_SPEC_MISSING_KEY: {
    title: 'a required key is missing',
    exit: EXIT.usage,
    explain:
      'The message names the key and an example of its value. A spec needs `task_id`, and in a project with a repository `modifies`; a node needs `name` and a way to reach it.',
  },
  E_SPEC_TYPE: {
    title: 'a value of the wrong type',
    exit: EXIT.usage,
    explain:
      'The value is, for example, a text where a list is needed. Lists are written [a, b] or one per line with a leading `- `; true and false are written out (YAML’s yes and no are texts).',
  },
  E_SPEC_VALUE: {
    title: 'a value outside of what is allowed',
    exit: EXIT.usage,
    explain:
      'The type is right and the value is not. The message says what is allowed. Spans of time are written 90s, 30m, 1h30m, or as a number of seconds.',
  },
  E_SPEC_NAME: {
    title: 'not a valid name',
    exit: EXIT.usage,
    explain:
      'Tasks, projects and nodes are named by a letter or digit, then up to 63 letters, digits, `.`, `_` or `-`; not ending in `.lock` and without `..`. Names become branch names, folder names and parts of commands, so nothing else is let in.',
  },
  E_SPEC_PROJECT_NAME: {
    title: 'a spec names another project than its folder',
    exit: EXIT.usage,
    explain:
      'Specs belong to the project whose folder they lie in: specs/<project>/. Either the file lies in the wrong folder or `project` is wrong. The key may be left out.',
  },
  E_SPEC_DUPLICATE_ID: {
    title: 'two specs with one task id',
    exit: EXIT.usage,
    explain:
      'A task id names one task of a project, in dependencies, branches and reports. Give one of the two another id and adjust the `depends_on` of the specs that mean it.',
  },
  E_SPEC_CASE_TWIN: {
    title: 'two ids that differ only by case',
    exit: EXIT.usage,
    explain:
      'Ids become folder and branch names, and on a Mac `s01` and `S01` are the same folder. Give one of them another id.',
  },
  E_SPEC_UNKNOWN_DEPENDENCY: {
    title: 'a dependency that no spec defines',
    exit: EXIT.usage,
    explain:
      '`depends_on` lists task ids of the same project. No spec has this one; the message names the nearest. A task that has merged keeps its spec file.',
  },
  E_SPEC_DUPLICATE_DEPENDENCY: {
    title: 'a dependency listed twice',
    exit: EXIT.usage,
    explain: 'It counts once. Remove the second.',
  },
  E_SPEC_CYCLE: {
    title: 'tasks that wait for each other',
    exit: EXIT.usage,
    explain:
      'Each of the tasks shown waits for the next, and the last for the first, so none of them could ever start. Remove one of the dependencies, or split a task so that what the others need comes first.',
  },
  E_SPEC_MODIFIES: {
    title: 'a path pattern that is not allowed',
    exit: EXIT.usage,
    explain:
      'Patterns are relative to the top of the repository and use `/`. Allowed: `*` and `?` inside a name, `**` as a whole name, [abc], [a-z], [!a], {a,b}, `\\` before a special character to mean itself, and a trailing `/` for a whole folder. Not allowed: absolute paths, `..`, anything in .git, negation with a leading `!`, extended globs such as @(a|b), ranges such as {1..9}.',
  },
  E_SPEC_NO_MODIFIES: {
    title: 'a task that may change nothing',
    exit: EXIT.usage,
    explain:
      '`modifies` is both a lock (no other task that can touch the same files runs meanwhile) and a permission (a change outside of it is refused). In a project with a repository each task needs at least one pattern.',
  },
  E_SPEC_AREAS_OVERLAP: {
    title: 'a path in two areas',
    exit: EXIT.usage,
    explain:
      'Gates of an area see the files of that area and those that lie in none. A path that two areas have would be hidden from a gate that judges it. Narrow one of the two; what several areas read belongs to none of them, and every area sees it.',
  },
  E_SPEC_MODIFIES_FOLDER: {
    title: 'a folder named as if it were a file',
    exit: EXIT.usage,
    explain:
      'A pattern without wildcards means exactly that file, so the task could change nothing in the folder. A trailing slash means everything below: src/api/.',
  },
  E_SPEC_UNKNOWN_PATH: {
    title: 'a path that exists nowhere yet',
    exit: EXIT.usage,
    explain:
      'Neither the base of the repository nor another spec has this path or the folder it is in. That is right for a new folder, and a misspelling otherwise: the task would be refused for changing the files that were meant. `validate --strict` makes it an error.',
  },
  E_SPEC_UNKNOWN_EXECUTOR: {
    title: 'an executor that is not defined',
    exit: EXIT.usage,
    explain:
      'An executor is one of the built-in ones or is defined under `executors` in project.yaml, for example `executors: { replay: { command: ["python3", "agent.py"] } }`.',
  },
  E_SPEC_NO_ACCEPTANCE: {
    title: 'a spec without acceptance criteria',
    exit: EXIT.usage,
    explain:
      'Each spec has a section `## Acceptance` (or `## 验收标准`) with text in it: how a person or a program can see that the task is done. An agent that has to guess this mostly guesses wrong.',
  },
  E_SPEC_NO_VERIFY: {
    title: 'nothing proves the task',
    exit: EXIT.usage,
    explain:
      'A task merges only when a command passes on a clean checkout of its result. Give `verify` in the spec, or once for the project in project.yaml: verify: make test. What an agent says about its own work counts for nothing.',
  },
  E_SPEC_VERIFY_ALWAYS_PASSES: {
    title: 'a verify command that cannot fail',
    exit: EXIT.usage,
    explain:
      'A command such as `true`, `exit 0` or `... || true` passes whatever the agent did, so everything would merge. Give the command that runs the tests.',
  },
  E_PROJECT_NOT_FOUND: {
    title: 'no such project',
    exit: EXIT.notFound,
    explain: 'A project is a folder in specs/ of the home. The message names the nearest one that exists.',
  },
  E_PROJECT_NO_CONFIG: {
    title: 'a project without project.yaml',
    exit: EXIT.usage,
    explain:
      'specs/<project>/project.yaml says which repository the tasks work on and what proves them: `repo: ../app` and `verify: make test`. Without `repo` tasks have no tree and are judged by their command alone; the file must still be there.',
  },
  E_PROJECT_NO_SPECS: {
    title: 'a project without specs',
    exit: EXIT.usage,
    explain: 'The folder has project.yaml and no *.md file beside it, so there is nothing to do.',
  },
  E_PROJECT_EXECUTOR: {
    title: 'an executor that cannot be used as it is defined',
    exit: EXIT.usage,
    explain:
      'An executor needs a `command` (a list: the program and its arguments), or `extends` with the name of another one. An executor named like a built-in one extends it. Executors may not extend each other in a circle.',
  },
  E_PROJECT_PLAIN_SECRET: {
    title: 'something that looks like a secret in plain text',
    exit: EXIT.usage,
    explain:
      'Values under `env` are stored and shown. Put a key under `secrets` instead, which names where the node finds it: secrets: { ANTHROPIC_AUTH_TOKEN: { file: "~/.config/glm.key" } } or { env: GLM_KEY }.',
  },
  E_PLAN_MISSING: {
    title: 'the project has no plan',
    exit: EXIT.usage,
    explain:
      'project.yaml says `require_plan: true`, so work starts only when specs/<project>/PLAN.md is there: somebody should have seen milestones, owners and risks first. `dispatch plan <project> --full` writes it.',
  },
  E_PLAN_STALE: {
    title: 'the plan is of other specs',
    exit: EXIT.usage,
    explain:
      'Since PLAN.md was written a task was added or removed, or `modifies`, `expands` or `depends_on` of one changed. `dispatch plan <project> --full` writes its parts anew and keeps what a person wrote between them; read it, then start.',
  },
  E_CONTRACT_MISSING: {
    title: 'there is no contract',
    exit: EXIT.notFound,
    explain:
      'The base of the project has no file by the name of `contract` in project.yaml (SHARED_CONTEXT.md by default), or the repository is not known here yet. `dispatch contract check <project> --file PATH` reads one that is not committed.',
  },
  E_CONTRACT_EMPTY: {
    title: 'a contract that describes no interface',
    exit: EXIT.usage,
    explain:
      'An interface is a heading that names one (`### POST /posts`, `### 接口：createPost`) or a row of a table with its method and path. `dispatch contract check --help` has the whole grammar.',
  },
  E_CONTRACT_NO_EXAMPLE: {
    title: 'an interface without an example',
    exit: EXIT.usage,
    explain:
      'Tasks that run at the same time agree on nothing but the contract, and a sentence leaves room where an example does not. Each interface shows a request and a response in JSON; GET, HEAD and DELETE need no request. `Request: none` and `Response 204: none` say that there is nothing to show.',
  },
  E_CONTRACT_JSON: {
    title: 'an example that is no JSON',
    exit: EXIT.usage,
    explain:
      'The place is where the parser stopped. Comments and trailing commas are taken in a ```jsonc block.',
  },
  E_CONTRACT_FIELD: {
    title: 'one field under two spellings',
    exit: EXIT.usage,
    explain:
      'Names that differ only in case, underscores or hyphens (userId, user_id) are nearly always one field, and two agents would each believe another half of the contract. Use one spelling.',
  },
  E_CONTRACT_DUPLICATE: {
    title: 'an interface described twice',
    exit: EXIT.usage,
    explain:
      'Method and path are the same; names of parameters do not count (`/posts/:id` is `/posts/{postId}`). A table may list what a heading describes.',
  },
  E_NODES_MISSING: {
    title: 'no nodes.json',
    exit: EXIT.notFound,
    explain:
      'nodes.json in the home lists the machines that run attempts. `dispatch nodes add <ssh alias>` adds one and shows its host key; { "name": "here", "local": true, "slots": 2 } is this machine.',
  },
  E_NODES_EMPTY: {
    title: 'no nodes',
    exit: EXIT.usage,
    explain: 'nodes.json lists no machine, so nothing can run. `dispatch nodes add <ssh alias>` adds one.',
  },
  E_NODES_DUPLICATE: {
    title: 'two nodes with one name',
    exit: EXIT.usage,
    explain: 'Node names are unique, also when case is ignored. Rename or remove one of the two.',
  },
  E_NODES_REACH: {
    title: 'no way, or more than one way, to reach a node',
    exit: EXIT.usage,
    explain:
      'A node has exactly one of: "ssh_target" (an alias of your ssh configuration, or user@host), "local": true (this machine), "command": [program, arguments] (any program that gives a stream to the node, such as ["kubectl", "exec", "-i", "agent-7", "--"]). "socket", "transport" and "ssh_config" belong to "ssh_target".',
  },
  E_NODES_TARGET: {
    title: 'an ssh target that is not safe to pass on',
    exit: EXIT.usage,
    explain:
      'An alias that begins with `-` would be read by ssh as an option, and could run a command here; blanks and control characters are never part of a host name. Use an alias of your ssh configuration, user@host, or ssh://user@host:port.',
  },
} as const satisfies Record<`E_${string}`, CodeEntry>;
