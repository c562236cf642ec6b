/**
 * The only place that starts git.
 *
 * Every call is sealed off from the machine it runs on: the caller's GIT_* variables, the global and the system
 * configuration, hooks, file-system monitors, replace objects, attribute files of the user and automatic maintenance
 * play no part, no transport is allowed that the caller did not name, and arguments go as argv, never through a shell.
 * git runs in a session of its own, so nothing it starts can ask for a password on the terminal, and a Ctrl-C meant
 * for the controller does not cut a push in half.
 *
 * This file is bundled into the node-side program too, so it stands on node's own modules alone.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { DispatchError } from '../model/error.ts';

export type GitProtocol = 'file' | 'ssh' | 'https' | 'http';

export interface GitOptions {
  /** The repository, named explicitly: a bare one found by looking around is refused. */
  readonly gitDir?: string;
  readonly workTree?: string;
  readonly indexFile?: string;
  /** Default: the file system's top, so that no repository can be found by accident. */
  readonly cwd?: string;
  /** Laid over the sealed environment; a value of undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard input; without it git reads an empty one. */
  readonly input?: string | Uint8Array | Readable;
  /** An open file that takes standard output, for packs that need not fit into memory; the result's `stdout` is empty then. */
  readonly outputFd?: number;
  /** Exit codes that are answers. Any other throws GitError. Default `[0]`. */
  readonly okCodes?: readonly number[];
  /** Span after which git and all it started are killed. Default ten minutes. */
  readonly timeoutMs?: number;
  /** Most bytes of standard output that are kept; more kills git and throws. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Ends git, politely at first. */
  readonly signal?: AbortSignal;
  /** Transports that may be used. Default none, which still leaves everything inside one repository. */
  readonly protocols?: readonly GitProtocol[];
}

export interface GitResult {
  readonly code: number;
  readonly stdout: Buffer;
  /** The last 16 KiB, control characters and all: strip them before a person sees it. */
  readonly stderr: string;
}

/** Why a call of git gave no answer. */
export type GitFailure = 'exit' | 'signal' | 'timeout' | 'too-much-output' | 'spawn';

/** git ended in a way that the caller did not name as an answer. */
export class GitError extends Error {
  /** Arguments without the sealing ones. */
  readonly argv: readonly string[];
  readonly code: number | null;
  readonly stderr: string;
  readonly why: GitFailure;

  constructor(
    argv: readonly string[],
    why: GitFailure,
    code: number | null,
    stderr: string,
    cause?: unknown,
  ) {
    super(`git ${subcommand(argv)}: ${describe(why, code)}${stderr === '' ? '' : `: ${lastLines(stderr)}`}`, {
      cause,
    });
    this.name = 'GitError';
    this.argv = argv;
    this.why = why;
    this.code = code;
    this.stderr = stderr;
  }
}

/** The first argument after those for git itself. */
function subcommand(argv: readonly string[]): string {
  let at = 0;
  while (argv[at] === '-c') at += 2;
  return argv[at] ?? '';
}

const DEFAULT_TIMEOUT_MS = 600_000;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const STDERR_KEPT = 16 * 1024;
/** Between the polite signal, on which git removes its lock files, and the certain one. */
const KILL_GRACE_MS = 2000;

/**
 * Runs git and resolves when it has ended and its output is read.
 * @throws GitError for any exit code not in `okCodes`, a signal, the deadline or too much output; the error of an input that
 *   cannot be read.
 * @throws DispatchError E_GIT_MISSING when there is no git on the PATH.
 */
export async function git(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const child = spawn('git', [...sealedArgs(options), ...args], {
    cwd: options.cwd ?? '/',
    env: sealedEnv(options),
    stdio: [options.input === undefined ? 'ignore' : 'pipe', options.outputFd ?? 'pipe', 'pipe'],
    detached: true,
  });
  return await new Promise<GitResult>((resolve, reject) => {
    const stop = stopper(child);
    let stopped: GitFailure | null = null;
    const deadline = setTimeout(() => {
      stopped = 'timeout';
      stop();
    }, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);

    const giveUp = (): void => {
      stopped = 'signal';
      stop();
    };
    options.signal?.addEventListener('abort', giveUp, { once: true });
    if (options.signal?.aborted === true) giveUp();

    const out: Buffer[] = [];
    let bytes = 0;
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= (options.maxBytes ?? DEFAULT_MAX_BYTES)) {
        out.push(chunk);
      } else if (stopped === null) {
        stopped = 'too-much-output';
        stop();
      }
    });
    let stderr = Buffer.alloc(0);
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_KEPT);
    });
    let unread: Error | null = null;
    feed(child, options.input, (error) => {
      unread = error;
    });

    child.once('error', (error) => {
      clearTimeout(deadline);
      reject(spawnFailure(args, options, error));
    });
    child.once('close', (code, signal) => {
      clearTimeout(deadline);
      options.signal?.removeEventListener('abort', giveUp);
      const said = stderr.toString('utf8');
      if (unread !== null) reject(unread);
      else if (stopped !== null) reject(new GitError(args, stopped, code, said));
      else if (code === null) reject(new GitError(args, 'signal', null, `${signal ?? ''} ${said}`.trim()));
      else if (!(options.okCodes ?? [0]).includes(code)) reject(new GitError(args, 'exit', code, said));
      else resolve({ code, stdout: Buffer.concat(out), stderr: said });
    });
  });
}

/** Oldest git that has `merge-tree --write-tree`. */
export const OLDEST_GIT = { major: 2, minor: 38 } as const;

export interface GitVersion {
  readonly major: number;
  readonly minor: number;
  /** As git says it: `2.39.5`. */
  readonly text: string;
}

/**
 * The version of the git on the PATH.
 * @throws DispatchError E_GIT_MISSING.
 */
export async function gitVersion(): Promise<GitVersion> {
  const { stdout } = await git(['--version'], { timeoutMs: 10_000 });
  const match = /(\d+)\.(\d+)[0-9.]*/.exec(stdout.toString('utf8'));
  return { major: Number(match?.[1] ?? 0), minor: Number(match?.[2] ?? 0), text: match?.[0] ?? 'unknown' };
}

/**
 * Resolves when the git on the PATH is new enough for everything dispatch does.
 * @throws DispatchError E_GIT_MISSING, E_GIT_TOO_OLD.
 */
export async function requireGit(): Promise<GitVersion> {
  const version = await gitVersion();
  const { major, minor } = OLDEST_GIT;
  if (version.major < major || (version.major === major && version.minor < minor)) {
    throw new DispatchError('E_GIT_TOO_OLD', `git ${version.text} is too old`, {
      why: `dispatch merges with \`git merge-tree --write-tree\`, which came with git ${major}.${minor}`,
      fix: `install git ${major}.${minor} or newer (apt install git, brew install git) and check with: git --version`,
    });
  }
  return version;
}

/** Configuration that holds for every call; the highest place git reads from, so nothing in a repository outranks it. */
function sealedArgs(options: GitOptions): string[] {
  const settings = [
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.attributesFile=/dev/null',
    'core.excludesFile=/dev/null',
    'core.quotePath=false',
    'core.pager=cat',
    'protocol.allow=never',
    ...(options.protocols ?? []).map((protocol) => `protocol.${protocol}.allow=always`),
    'transfer.fsckObjects=true',
    'fetch.fsckObjects=true',
    'receive.fsckObjects=true',
    'fetch.recurseSubmodules=false',
    'submodule.recurse=false',
    'gc.auto=0',
    'maintenance.auto=false',
    'merge.directoryRenames=false',
    'merge.renormalize=false',
    'commit.gpgSign=false',
    'safe.bareRepository=explicit',
    'advice.detachedHead=false',
  ];
  const args = settings.flatMap((setting) => ['-c', setting]);
  if (options.gitDir !== undefined) args.push(`--git-dir=${options.gitDir}`);
  if (options.workTree !== undefined) args.push(`--work-tree=${options.workTree}`);
  return args;
}

function sealedEnv(options: GitOptions): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!name.startsWith('GIT_') && name !== 'LANGUAGE') env[name] = value;
  }
  env.GIT_CONFIG_GLOBAL = '/dev/null';
  env.GIT_CONFIG_NOSYSTEM = '1';
  env.GIT_ATTR_NOSYSTEM = '1';
  env.GIT_NO_REPLACE_OBJECTS = '1';
  env.GIT_TERMINAL_PROMPT = '0';
  env.GIT_OPTIONAL_LOCKS = '0';
  env.GIT_EDITOR = 'false';
  env.LC_ALL = 'C';
  if (options.indexFile !== undefined) env.GIT_INDEX_FILE = options.indexFile;
  return { ...env, ...options.env };
}

/**
 * git may end without reading all of its input; that is its answer, not our failure. An input that cannot be read is: what
 * git says of the part that it got is no answer.
 */
function feed(child: ChildProcess, input: GitOptions['input'], onUnread: (error: Error) => void): void {
  const { stdin } = child;
  if (stdin === null || input === undefined) return;
  stdin.on('error', () => {});
  if (typeof input === 'string' || input instanceof Uint8Array) {
    stdin.end(input);
    return;
  }
  input.on('error', (error) => {
    onUnread(error);
    stdin.destroy();
  });
  input.pipe(stdin);
}

/** Ends git and everything it started (ssh, upload-pack), politely first. */
function stopper(child: ChildProcess): () => void {
  const signal = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // The group is gone already.
    }
  };
  return () => {
    signal('SIGTERM');
    const hard = setTimeout(() => signal('SIGKILL'), KILL_GRACE_MS);
    child.once('close', () => clearTimeout(hard));
  };
}

/** A missing directory and a missing program are the same ENOENT for spawn, and need different words. */
function spawnFailure(args: readonly string[], options: GitOptions, error: Error): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && isDirectory(options.cwd ?? '/')) {
    return new DispatchError('E_GIT_MISSING', 'git is not installed, or not on the PATH', {
      fix: 'install it (apt install git, brew install git) and check with: git --version',
      cause: error,
    });
  }
  return new GitError(args, 'spawn', null, `${error.message} (directory ${options.cwd ?? '/'})`, error);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function describe(why: GitFailure, code: number | null): string {
  switch (why) {
    case 'exit':
      return `exit ${code}`;
    case 'signal':
      return 'ended by a signal';
    case 'timeout':
      return 'gave no answer before its deadline';
    case 'too-much-output':
      return 'said more than it may';
    case 'spawn':
      return 'could not be started';
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' / ');
}
