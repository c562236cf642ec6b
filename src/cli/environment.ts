/**
 * The one place of the command line that reads the environment: variables, the working directory, and what kind of
 * thing stdin, stdout and stderr are. An empty variable counts as unset, as NO_COLOR's convention has it.
 */
import { homedir, hostname, userInfo } from 'node:os';

/** Every variable that changes what the command line does, for `dispatch help environment`. */
export const VARIABLES = {
  DISPATCH_HOME: 'the home, instead of searching from the current directory upwards',
  DISPATCH_OUTPUT: 'output format: table, json, ndjson, name or wide',
  DISPATCH_COLOR: 'colour: auto, always or never',
  DISPATCH_PROGRESS: 'progress: auto, plain or quiet',
  DISPATCH_FORCE_TTY: 'a width in columns: render as on a terminal of that width, even into a pipe',
  DISPATCH_LANG: 'language of reports: en or zh',
  LC_ALL: 'language of reports, where nothing nearer says it: zh_CN.UTF-8',
  LANG: 'the same, after LC_ALL',
  NO_COLOR: 'set: no colour',
  FORCE_COLOR: 'set and not 0: colour even into a pipe',
  CLICOLOR_FORCE: 'set and not 0: colour even into a pipe',
  CLICOLOR: '0: no colour',
  XDG_CONFIG_HOME: 'where dispatch/config.yaml is looked for; ~/.config by default',
  TERM: 'dumb: no colour and no redrawing',
} as const;
export type VariableName = keyof typeof VARIABLES;

export interface Terminal {
  /** A person looks at it (or DISPATCH_FORCE_TTY says so). */
  readonly tty: boolean;
  readonly columns: number;
}

export interface Environment {
  readonly cwd: string;
  readonly variables: Readonly<Partial<Record<VariableName, string>>>;
  readonly userHome: string;
  /** Who acts, for the record of reviews and retries. */
  readonly user: string;
  readonly host: string;
  /** Whether questions may be asked. */
  readonly interactive: boolean;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
}

export function readEnvironment(): Environment {
  const variables: Partial<Record<VariableName, string>> = {};
  for (const name of Object.keys(VARIABLES) as VariableName[]) {
    const value = process.env[name];
    if (value !== undefined && value !== '') variables[name] = value;
  }
  const forced = Number.parseInt(variables.DISPATCH_FORCE_TTY ?? '', 10);
  return {
    cwd: process.cwd(),
    variables,
    userHome: process.env.HOME ?? homedir(),
    user: userName(),
    host: hostname(),
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    stdout: terminal(process.stdout, forced),
    stderr: terminal(process.stderr, forced),
  };
}

function terminal(stream: NodeJS.WriteStream, forced: number): Terminal {
  if (Number.isInteger(forced) && forced > 0) return { tty: true, columns: forced };
  return { tty: stream.isTTY === true, columns: stream.columns || 80 };
}

/** Lines of the terminal now; it may be resized at any time. */
export function terminalRows(): number {
  return process.stdout.rows || 24;
}

/** An account without an entry in the user database (a container's arbitrary uid) has no name, and that is no reason to fail. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}

/** The value of a variable that configuration names, for a key; undefined when it is not set. */
export function secretVariable(name: string): string | undefined {
  return process.env[name];
}

/**
 * What a program that a supervisor starts needs of the shell it is installed from. An ssh agent's socket is kept only
 * where it stays the same from one login to the next; macOS gives its own.
 */
export function serviceVariables(): Record<string, string> {
  const { PATH, SSH_AUTH_SOCK, XDG_RUNTIME_DIR } = process.env;
  const stable = XDG_RUNTIME_DIR !== undefined && SSH_AUTH_SOCK?.startsWith(`${XDG_RUNTIME_DIR}/`) === true;
  return {
    PATH: PATH ?? '/usr/local/bin:/usr/bin:/bin',
    ...(stable && SSH_AUTH_SOCK !== undefined ? { SSH_AUTH_SOCK } : {}),
  };
}

/** What a program that takes over the terminal is started with. tmux refuses to attach inside another tmux while TMUX is set. */
export function terminalVariables(): NodeJS.ProcessEnv {
  const { TMUX: _, ...rest } = process.env;
  return rest;
}
