/**
 * A step is one command of an attempt: the agent in a round (`1a`, `2a`, …) or its verify command (`1v`, …). Its life is
 * in three files beside each other in the attempt's directory; each one more would cost a trivial task as much as a fork:
 *
 *   <step>.sh     what to run, written here, mode 0600, because it may hold keys
 *   <step>.run    made by launch.sh exactly once, so a step begins at most once: its process id, then, when the command
 *                 has ended, its exit code. A line counts only with its end.
 *   <step>.ended  written by the supervisor when it ends a step itself: why
 *
 * launch.sh syncs nothing: sync is a program, and would cost as much as the step. It is not needed: an end counts from
 * the moment the journal has it on disk, and the journal's entry carries the whole outcome. A power cut before that
 * loses the record and with it the end, which then is "lost", not a wrong one.
 */
import { existsSync, truncateSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readIfThere, replaceFile } from './durable.ts';
import { isVariable, quote } from './quote.ts';

export interface Command {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Real path of the working directory. */
  readonly cwd: string;
  /** File for standard input; null: empty. */
  readonly stdin: string | null;
  /** File that output is appended to. */
  readonly output: string;
  /** Files of control groups that the command's first process joins; none by default. */
  readonly groups?: readonly string[];
  /** File that the command finds open, emptied, as its descriptor 3; none by default. */
  readonly third?: string;
  /** Lines of shell that bound the command; none by default. */
  readonly limits?: readonly string[];
}

/** Why a step ended: its own exit code, or the supervisor's reason. */
export type StepEnd = { readonly code: number } | { readonly by: EndedBy };

/** Reasons of the supervisor's own. `disk`: its files have outgrown its cage; `overspent`: it reported more tokens than it may use. */
const ENDED_BY = ['timeout', 'finished', 'refused', 'lost', 'disk', 'overspent'] as const;
export type EndedBy = (typeof ENDED_BY)[number];

/** A launch.sh that has made its record and not written its number for this long was killed in between. */
const NUMBER_MS = 10_000;

/** @param step absolute path without extension: `<attempt>/<round><a|v>`. */
export function writeStep(step: string, command: Command): void {
  replaceFile(`${step}.sh`, script(command));
}

/**
 * True once the step has been written, and with it everything that it needs made ready. It may have been asked for and
 * not have begun yet; whoever comes back to it then asks again and touches nothing, because it may begin at any moment.
 */
export function isWritten(step: string): boolean {
  return existsSync(`${step}.sh`);
}

/** True once launch.sh has begun the step, whatever became of it. */
export function hasBegun(step: string): boolean {
  return existsSync(`${step}.run`);
}

/** Process id of the step's launch.sh, which leads its session and its process group; null before it has begun. */
export function stepPid(step: string): number | null {
  const pid = runLines(step)[0];
  return pid === undefined ? null : Number(pid);
}

/**
 * Makes sure that a step which has been asked for cannot begin any more, and returns the process that has begun it; null
 * when none has.
 */
export async function preempt(step: string): Promise<number | null> {
  try {
    writeFileSync(`${step}.run`, '0\n', { flag: 'wx' });
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  // launch.sh makes the file and writes its number in one line of shell; between the two it is empty, for as long as the
  // machine lets it wait. Taken for none it would go on to run a command that nobody knows of.
  const until = performance.now() + NUMBER_MS;
  while (stepPid(step) === null && performance.now() < until) await delay(2);
  return stepPid(step) || null;
}

export function stepEnd(step: string): StepEnd | null {
  const said = readIfThere(`${step}.ended`);
  const by = ENDED_BY.find((one) => one === said);
  if (by !== undefined) return { by };
  const code = runLines(step)[1];
  return code === undefined ? null : { code: Number(code) };
}

/** The first reason wins, and stays after the processes have died of it. */
export function endStep(step: string, by: EndedBy): void {
  if (stepEnd(step) === null) replaceFile(`${step}.ended`, by);
}

/**
 * Empties the script of a step that has ended: it may hold keys, and nothing needs it any more. Emptied, not removed: on
 * ext4 a removed file makes every new one dear for some seconds (the kernel looks for inodes that were not freed lately:
 * 0.03 ms becomes 0.2 to 4 ms under load).
 */
export function emptyScript(step: string): void {
  try {
    truncateSync(`${step}.sh`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** The whole lines of the step's record: the process id and the exit code, as far as it has come. */
function runLines(step: string): string[] {
  return (
    /^(?:\d+\n)*/
      .exec(readIfThere(`${step}.run`) ?? '')?.[0]
      .split('\n')
      .slice(0, -1) ?? []
  );
}

/** What a shell sets and reads itself. */
const SHELLS_OWN = new Set([
  'PWD',
  'OLDPWD',
  'SHLVL',
  '_',
  'IFS',
  'PPID',
  'OPTIND',
  'PS1',
  'PS2',
  'PS4',
  'UID',
  'EUID',
]);

function script(command: Command): string {
  const cwd = quote(command.cwd);
  const output = quote(command.output);
  const foreign = Object.keys(process.env).filter(
    (name) => isVariable(name) && !SHELLS_OWN.has(name) && !(name in command.env),
  );
  return [
    `exec </dev/null >>${output} 2>&1`,
    // A tmux server that a service keeps has the service's environment, and so has the supervisor beside the step.
    ...(foreign.length === 0 ? [] : [`unset ${foreign.join(' ')}`]),
    ...Object.entries(command.env)
      .filter(([name]) => isVariable(name))
      .map(([name, value]) => `export ${name}=${quote(value)}`),
    'ulimit -c 0',
    ...(command.limits ?? []),
    ...(command.groups ?? []).map(
      (file) => `echo 0 >${quote(file)} || { echo 'dispatch: a control group cannot be joined'; exit 126; }`,
    ),
    // The directory must be exactly the attempt's: a link in its place leads somewhere else.
    `cd -P ${cwd} && [ "$PWD" = ${cwd} ] || { echo 'dispatch: the working directory is not the one of this attempt'; exit 126; }`,
    ...(command.third === undefined ? [] : [`exec 3>${quote(command.third)}`]),
    ...(command.stdin === null ? [] : [`exec <${quote(command.stdin)}`]),
    `exec ${command.argv.map(quote).join(' ')}`,
    '',
  ].join('\n');
}
