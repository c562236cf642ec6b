/** Texts of `dispatch help <topic>`: what belongs to no single verb. */
import { EXIT } from '../model/exit.ts';
import { VARIABLES } from './environment.ts';

export const TOPICS: Readonly<Record<string, () => string | Promise<string>>> = {
  'exit-codes': exitCodes,
  environment,
  configuration,
  output,
  states,
  specs,
  executors,
  leases,
};

function exitCodes(): string {
  const meaning: Record<keyof typeof EXIT, string> = {
    ok: 'done; with start: everything merged; with collect: delivered',
    internal: 'dispatch itself failed, a check found a difference, or a question was answered with no',
    usage: 'the command line, a spec or the configuration is wrong; nothing was changed',
    unfinished: 'finished, but some tasks failed, are blocked or wait for a person; doctor: something failed',
    auth: 'authentication or permission: a host key, an ssh key, a right to push',
    notFound: 'no such home, project, task, node, code or topic',
    conflict: 'conflict: another controller, a lost race, the target is checked out or conflicts',
    unreachable: 'a node or the controller cannot be reached',
    timeout: 'no answer in time',
    broken: 'gate, verify: a gate could not run (nobody is to blame), and nothing is known to be red',
  };
  const rows = (Object.keys(EXIT) as (keyof typeof EXIT)[]).map(
    (name) => `  ${EXIT[name]}    ${meaning[name]}`,
  );
  return `Exit codes. They are never renumbered.\n\n${rows.join('\n')}\n  130  ended by Ctrl-C, 143 by a termination signal\n\n\`dispatch explain E_CODE\` gives the long text of one error.`;
}

function environment(): string {
  const names = Object.entries(VARIABLES);
  const width = Math.max(...names.map(([name]) => name.length));
  const rows = names.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`);
  return `Variables. An empty one counts as unset. Flags win over variables, variables over files.\n\n${rows.join('\n')}`;
}

function configuration(): string {
  return `Settings are taken from the first of these that has them:

  1. flags               --home DIR  -o FORMAT  --color WHEN  --progress KIND
  2. variables           DISPATCH_HOME  DISPATCH_OUTPUT  DISPATCH_COLOR  DISPATCH_PROGRESS
  3. ./dispatch.yaml
  4. $XDG_CONFIG_HOME/dispatch/config.yaml   (~/.config without the variable, on macOS too)

Both files are the same few lines; all are optional:

  home: ~/work/agents      # relative paths start at the file
  output: table            # table, json, ndjson, name, wide
  color: auto              # auto, always, never
  progress: auto           # auto, plain, quiet

In a home, dispatch.yaml may also have:

  report:                  # the daily report; \`dispatch help daily-report\`
    at: "0 19 * * *"       # when \`dispatch serve\` writes it: minute hour day month weekday
    lang: zh               # en, zh; DISPATCH_LANG wins
    timezone: Asia/Shanghai
  models:                  # which models dispatch asks itself; the key is in a variable, never here
    split: { provider: glm }                              # also glm-china, minimax, minimax-china: ZAI_API_KEY, …
    review: { provider: anthropic, model: claude-sonnet-5, key_env: REVIEW_KEY }
    # of your own: { provider: mine, api: openai, base_url: "https://models.example.com/v1", model: m, key_env: MY_KEY }
  feed: { at: "0 9 * * 1-5", timezone: Asia/Shanghai }    # serve moves specs from pending/ then, not at once
  serve: { listen: "127.0.0.1:7070" }                     # where serve answers /health; off: nowhere
  budget:                  # what all projects, or a key, may use; a project's own is in its project.yaml
    day: { usd: 50 }       # also total, tokens; \`dispatch help budget\`
    credentials: { glm: { day: { usd: 10 } } }
  prices: { glm-5.3: { in: 1.4, cached: 0.26, out: 4.4 } }  # US dollars per million tokens, over the built-in list

alerts.yaml beside it says what is told to whom: dispatch help alerts.

\`dispatch validate\` checks it; editors get its keys from schemas/dispatch.schema.json.

Without a home, dispatch searches from the current directory upwards for nodes.json and specs/.`;
}

function output(): string {
  return `stdout is data, stderr is progress, hints and errors. So \`dispatch status -o json | jq\` is safe.

  -o table    aligned on a terminal; plain and tab-separated in a pipe, nothing cut
  -o wide     more columns
  -o name     one name per line
  -o json     one object: {"schema":"dispatch/v1","kind":"TaskList","data":[...],"meta":{...}}
  -o ndjson   one object per line; the first is {"type":"version","schema":"dispatch/v1"}

Errors with -o json are one object of kind Error on stderr: code, what, where, why, fix, exit.
New fields may be added to v1; none is renamed or removed.`;
}

function states(): string {
  return `The word of a task is derived from what happened; it is never stored.

  waiting     a dependency has not merged, or a back-off has not passed
  locked      another task holds paths it may change
  ready       it starts as soon as a node has a slot
  running     an agent is at work
  gating      done on the node; being fetched, judged and merged
  review      judged good; waits for your approval      dispatch review <task> --approve
  conflict    conflicts with what merged; goes back to an agent, or waits for you after three times
  merged      in the integration branch                 dispatch collect <project>
  reverted    had merged, and was taken out again       dispatch retry <task>
  failed      given up; nothing of it was merged        dispatch retry <task>
  blocked     something it depends on failed
  cancelled   stopped by a person

A branch in \`gating\` or \`review\` may show a conflict to come: Conflict409(path <- task) says that the other one goes
first, and Ahead409(task) on the other one who will have to give way. Nothing has to be typed.

\`dispatch why <task>\` says why one is not running, node by node.`;
}

async function specs(): Promise<string> {
  const { keyLists } = await import('./key-lists.ts');
  const { spec, project } = keyLists();
  return `A spec is one Markdown file in specs/<project>/ with YAML front matter:

  ---
  task_id: S01-schedule-schema
  project: web
  priority: 1
  depends_on: []
  modifies: ["backend/schemas/post.py", "tests/schemas/**"]
  verify: ./run.sh test
  ---
  ## Goal
  What shall be there when it is done.
  ## Constraints
  ## Acceptance
  What a reviewer would check.
  ## Don't

\`modifies\` is a lock and a check: two tasks whose patterns can meet never run at the same time, and a change outside
is refused. \`expands\` (optional) lists what the task may ask for besides: it locks too, and a change of it waits for
\`dispatch review\`, as does one of a protected path that \`modifies\` does not list by name. \`verify\` is the command that proves the task; it runs on a clean checkout.

Its keys:

${spec}

What all specs of a project share stands in specs/<project>/project.yaml:

${project}

\`dispatch validate\` says everything that is wrong at once; \`dispatch plan\` shows what would run when.`;
}

async function executors(): Promise<string> {
  const [{ keyLists }, { builtinExecutors }] = await Promise.all([
    import('./key-lists.ts'),
    import('../executors/builtin.ts'),
  ]);
  return `An executor is a coding agent and how it is run unattended. Built in: ${Object.keys(builtinExecutors()).join(', ')}.
Others are defined in executors.yaml beside nodes.json, for all projects, or under \`executors\` in project.yaml:

  executors:
    glm-fast: { extends: glm, model: glm-5.3-flash }
    chore: { command: [python3, tools/agent.py] }        # a shell executor: DISPATCH_PROMPT has the path of its prompt,
                                                         # DISPATCH_NOTES the directory for plan.md and evidence.md
    mine:
      command: [my-agent]
      prompt: stdin
      arguments: [run, --json, "{model_arguments}"]
      resume: [run, --json, --session, "{session}"]
      reads:
        session: { when: { type: start }, at: session_id }
        result: { when: { type: done }, at: text }
        usage: { when: { type: done }, input: usage.in, output: usage.out }
      probe: { needs: [--json, --session] }
      limits: { round: 20m }
      stalls: [{ text: Pick a tenant, cause: login }]    # words that say why it is silent, besides those that are known

Keys have limits of their own, whichever node uses them. They are learnt from refusals, and may be set:

  credentials:
    glm: { max_in_flight: 2 }                            # the key that executor glm has by itself
    glm-b: { max_in_flight: 2, secrets: { ANTHROPIC_AUTH_TOKEN: { file: secrets/glm-b } } }
  executors:
    glm: { credentials: [glm, glm-b], fallback: claude } # a pool, and who helps out while all of it is refused

\`dispatch credentials\` shows their use. Keys are never written here: \`secrets: { MY_KEY: { file: ~/.config/mine.key } }\` names a 0600 file, or a variable, of the node.

${keyLists().executor}

Each attempt has a HOME of its own. \`home: [~/.config/mine.json]\` copies files of the node's user into it; the built-in ones
copy their logins where no key is found. \`cage: strict\` runs it with nothing else of the node to see, and with a network that
reaches \`hosts\`, what its variables name as http(s) addresses, and \`cage.network\` of project.yaml.

Arguments may name {session}, {prompt_file}, {tree}, {task}, {model} and, as words of their own, {model_arguments} and
{sandbox_arguments} (how the agent cages its own commands, which it cannot in \`cage: strict\`).
Before an agent first runs on a node its program is asked for its version and flags; \`dispatch nodes probe\` shows the answers.`;
}

function leases(): string {
  return `A node that cannot be reached keeps its attempts: its agents go on, and their results wait there. But a machine that is
gone must not keep its tasks for ever, so each node has a lease, \`lease\` in nodes.json:

  { "name": "mac2", "ssh_target": "mac2", "lease": "1h" }     a span from 5s to 7d; 30m without the key
  { "name": "lab", "ssh_target": "lab", "lease": "never" }    only a person gives it up

It is renewed by every connection that stands, and runs down while there is none, by the time through which the controller
was awake. It stands still
  while this machine sleeps, and afterwards until the node was tried again in vain;
  while no machine over the network answers: then the fault is here. One that is the only such machine has no witness, and
  its lease runs as long as there is another node to start on.
A controller that was down grants all of it anew.

After half of it the node is suspect, and its gates run elsewhere. When it has ended the node is lost: its tasks start
elsewhere at once, as their next attempt, which is not charged to them. So does work that had finished there and was not
fetched. A node that comes back is used again at once; what was given up and still runs there is stopped, and what had ended
is fetched into the hub as refs/cand/<token>, shown by \`status\`, \`why\` and \`report\`, and never merged.

The \`timeout\` of a task is kept by its node, reachable or not: an attempt there ends in time, and the lease says how long we
wait to hear of it.

  dispatch nodes                 who is silent, for how long
  dispatch why S03               when it starts elsewhere
  dispatch nodes expire mac2     you know that it is gone: now`;
}
