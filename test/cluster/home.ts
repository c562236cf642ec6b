/**
 * A home as a user has one, with everything real behind it: a bare repository, nodes with roots of their own, and the
 * built command line. Agents are shell scripts inside the repository; each leaves a line in `marks/ran` when it begins,
 * so that tests count what was truly executed, and waits for marks instead of sleeping.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Running, type RunOptions } from './running.ts';
import type { Ran } from './running.ts';
import type { Sshd } from './sshd.ts';
import { until } from './until.ts';
import { endWorker } from './worker-end.ts';

/** A spec: `agent` is the script that does its work; everything else is front matter. */
export interface TaskText {
  readonly agent?: string;
  readonly modifies?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly verify?: string;
  readonly retries?: number;
  readonly priority?: number;
  readonly review?: boolean;
  readonly timeout?: string;
  readonly executor?: string;
}

export interface HomeOptions {
  readonly tasks: Readonly<Record<string, TaskText>>;
  /** Files of the repository besides its scripts. */
  readonly files?: Readonly<Record<string, string>>;
  /** Keys of project.yaml besides, or instead of, the usual ones. */
  readonly project?: Readonly<Record<string, unknown>>;
  /** Entries of nodes.json; by default this machine, as `here`. */
  readonly nodes?: readonly NodeText[];
  /** Takes what ends the home, where no test does. */
  readonly whenOver?: (end: () => Promise<void>) => void;
}

export interface NodeText {
  readonly name: string;
  readonly [key: string]: unknown;
}

export const PROJECT = 'p';

/** What one line of `marks/ran` says. */
export interface Execution {
  readonly task: string;
  readonly attempt: number;
  readonly round: number;
  readonly token: string;
  readonly pid: number;
}

/** Runs in the tree of an attempt. Waits have an end, so that nothing outlives a test that failed for long. */
const AGENT = `# A scripted stand-in for a coding agent.
echo "$DISPATCH_TASK $DISPATCH_ATTEMPT $DISPATCH_ROUND $DISPATCH_TOKEN $$" >>"$MARKS/ran"
mark() { : >"$MARKS/$1"; }
await() {
  tries=0
  while ! test -e "$MARKS/$1"; do
    tries=$((tries + 1))
    test "$tries" -lt 4000 || exit 9
    sleep 0.05
  done
}
put() { mkdir -p "$(dirname "$1")" && printf '%s\\n' "$2" >"$1"; }
. "./agents/$DISPATCH_TASK.sh"
`;

/** The repository's own test suite: every script in tests/. */
const SUITE = `for test in tests/*.sh; do sh "$test" || { echo "FAIL $test"; exit 1; }; done
`;

export class Home {
  /** Where everything of this test is. */
  readonly base: string;
  readonly dir: string;
  /** The user's repository, bare. */
  readonly repo: string;
  readonly marks: string;
  readonly #children = new Set<Running>();

  /** @param whenOver takes what ends everything of it and removes it; a test's own end by default. */
  constructor(whenOver: (end: () => Promise<void>) => void = onTestFinished) {
    this.base = realpathSync(mkdtempSync(join(tmpdir(), 'dcl-')));
    this.dir = join(this.base, 'home');
    this.repo = join(this.base, 'app.git');
    this.marks = join(this.base, 'marks');
    for (const dir of [this.dir, this.marks, join(this.base, 'user')]) mkdirSync(dir, { recursive: true });
    whenOver(() => this.#end());
  }

  /** Where a node of this home keeps everything. */
  root(node: string): string {
    return join(this.base, 'nodes', node);
  }

  get specs(): string {
    return join(this.dir, 'specs', PROJECT);
  }

  /** Starts `dispatch …` in the home. */
  spawn(args: readonly string[], options: RunOptions = {}): Running {
    const running = new Running(args, {
      cwd: this.dir,
      ...options,
      env: { HOME: join(this.base, 'user'), ...options.env },
    });
    this.#children.add(running);
    return running;
  }

  /** Runs `dispatch …` to its end. */
  dispatch(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.spawn(args, options).ended;
  }

  /** `dispatch start` whose news are read as they come. */
  start(options: RunOptions = {}): Running {
    return this.spawn(['start', PROJECT, '-o', 'ndjson'], options);
  }

  /** Rows of `dispatch status`. */
  async status(): Promise<Readonly<Record<string, TaskStatus>>> {
    const { stdout } = await this.dispatch(['status', '-o', 'json']);
    const { data } = JSON.parse(stdout) as { data: readonly (TaskStatus & { task: string })[] };
    return Object.fromEntries(data.map((row) => [row.task, row]));
  }

  /** The status word of each task. */
  async words(): Promise<Readonly<Record<string, string>>> {
    return Object.fromEntries(
      Object.entries(await this.status()).map(([task, { status }]) => [task, status]),
    );
  }

  mark(name: string): void {
    writeFileSync(join(this.marks, name), '');
  }

  /** Waits until an agent has left this mark. */
  async marked(name: string, timeoutMs?: number): Promise<void> {
    await until(`mark ${name}`, () => existsSync(join(this.marks, name)), timeoutMs);
  }

  /** What an agent wrote under this name. */
  read(name: string): string {
    return readFileSync(join(this.marks, name), 'utf8');
  }

  /** Every start of an agent, in order. */
  executions(): Execution[] {
    if (!existsSync(join(this.marks, 'ran'))) return [];
    return this.read('ran')
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [task = '', attempt, round, token = '', pid] = line.split(' ');
        return { task, attempt: Number(attempt), round: Number(round), token, pid: Number(pid) };
      });
  }

  /** `task attempt` of every first round. */
  attempts(): string[] {
    return this.executions()
      .filter(({ round }) => round === 1)
      .map(({ task, attempt }) => `${task} ${attempt}`)
      .toSorted();
  }

  git(...args: string[]): string {
    return gitIn(this.repo, ...args);
  }

  /** Subjects of a branch's first-parent history, newest first. */
  subjects(branch = 'main'): string[] {
    return this.git('log', '--first-parent', '--format=%s', branch).trimEnd().split('\n');
  }

  /** Tasks that the first-parent history of the branch says it has merged, several in one step where they were stacked. */
  landed(branch = 'main'): string[] {
    const format = '--format=%(trailers:key=Dispatch-Task,valueonly)';
    const lines = this.git('log', '--first-parent', format, branch).split('\n');
    return lines.filter((line) => line !== '').toSorted();
  }

  /** Text of a file on a branch of the user's repository. */
  file(path: string, branch = 'main'): string {
    return this.git('show', `${branch}:${path}`);
  }

  /** Commits onto a branch of the user's repository, as somebody else would. */
  commit(files: Readonly<Record<string, string>>, message: string, branch = 'main'): void {
    const work = mkdtempSync(join(this.base, 'work-'));
    gitIn(work, 'clone', '-q', '-b', branch, this.repo, '.');
    writeFiles(work, files);
    gitIn(work, 'add', '-A');
    gitIn(work, 'commit', '-q', '-m', message);
    gitIn(work, 'push', '-q', 'origin', branch);
    rmSync(work, { recursive: true });
  }

  writeSpec(id: string, task: TaskText): void {
    const keys = Object.entries({ task_id: id, ...task }).filter(([key]) => key !== 'agent');
    const yaml = keys.map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
    const body = `## Goal\nThe goal of ${id}.\n\n## Acceptance\n- It is there.\n`;
    writeFiles(this.specs, { [`${id}.md`]: `---\n${yaml.join('\n')}\n---\n${body}` });
  }

  writeNodes(nodes: readonly NodeText[]): void {
    const entries = nodes.map((node) => ({ slots: 4, root: this.root(node.name), ...node }));
    writeFileSync(join(this.dir, 'nodes.json'), JSON.stringify(entries));
  }

  writeProject(keys: Readonly<Record<string, unknown>>): void {
    const all = {
      repo: this.repo,
      verify: 'sh test.sh',
      executor: 'agent',
      executors: { agent: { command: ['sh', 'agent.sh'], env: { MARKS: this.marks } } },
      retries: 0,
      max_attempts: 1,
      ...keys,
      gates: { control: { skip: 'what is tested here is something else' }, ...(keys.gates as object) },
    };
    const yaml = Object.entries(all)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`);
    writeFiles(this.specs, { 'project.yaml': yaml.join('') });
  }

  /** Pids of the supervisor of a node. */
  supervisor(node: string): number {
    return Number(readFileSync(join(this.root(node), 'run', 'supervisor'), 'utf8').split('\n')[0]);
  }

  /** Runs tmux against a node's own server. */
  tmux(node: string, ...args: string[]): string {
    const socket = join(this.root(node), 'run', 'tmux.sock');
    return spawnSync('tmux', ['-S', socket, ...args], { encoding: 'utf8' }).stdout.trim();
  }

  async #end(): Promise<void> {
    for (const running of this.#children) await running.kill();
    for (const node of listed(join(this.base, 'nodes'))) endWorker(this.root(node));
    for (const pid of processesOf(this.base)) kill(pid);
    rmSync(this.base, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

export interface TaskStatus {
  readonly status: string;
  readonly reason: string;
  readonly conflict: { readonly code: number } | null;
  readonly node: string | null;
  readonly attempt: number;
}

/** A home with one project of these tasks. */
export function makeHome(options: HomeOptions): Home {
  const home = new Home(options.whenOver);
  const agents = Object.entries(options.tasks).map(
    ([id, { agent = `put src/${id}.txt "$DISPATCH_TASK"` }]) => [`agents/${id}.sh`, `${agent}\n`] as const,
  );
  makeRepository(home, {
    'README.md': '# app\n',
    'agent.sh': AGENT,
    'test.sh': SUITE,
    'tests/first.sh': 'test -f README.md\n',
    'src/first.txt': 'first\n',
    ...Object.fromEntries(agents),
    ...options.files,
  });
  home.writeProject(options.project ?? {});
  for (const [id, task] of Object.entries(options.tasks))
    home.writeSpec(id, { modifies: [`src/${id}.txt`], ...task });
  home.writeNodes(options.nodes ?? [{ name: 'here', local: true }]);
  return home;
}

/** An entry of nodes.json for a node behind this sshd. */
export function sshNode(name: string, sshd: Sshd, more: Readonly<Record<string, unknown>> = {}): NodeText {
  return { name, ssh_target: sshd.alias, ssh_config: sshd.configFile, ...more };
}

function makeRepository(home: Home, files: Readonly<Record<string, string>>): void {
  const work = join(home.base, 'first-commit');
  mkdirSync(work);
  gitIn(work, 'init', '-q', '-b', 'main');
  writeFiles(work, files);
  gitIn(work, 'add', '-A');
  gitIn(work, 'commit', '-q', '-m', 'first');
  gitIn(work, 'clone', '-q', '--bare', work, home.repo);
  rmSync(work, { recursive: true });
}

export function writeFiles(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
}

/** git as a person with no settings of their own would run it. */
export function gitIn(dir: string, ...args: string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  return execFileSync('git', ['-C', dir, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function listed(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}

/** Processes that carry a path below this directory in the environment they were started with. */
export function processesOf(dir: string): number[] {
  return listed('/proc')
    .filter((name) => /^\d+$/u.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${dir}/`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
