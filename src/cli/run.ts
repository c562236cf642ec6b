import { type Command, CommanderError } from 'commander';
import { DispatchError } from '../model/error.ts';
import { EXIT, type ExitCode } from '../model/exit.ts';
import { Context } from './context.ts';
import { type Environment, readEnvironment } from './environment.ts';
import type { Act } from './grammar/act.ts';
import { buildProgram } from './grammar/program.ts';
import { leaveOnClosedPipe, leaveOnDefect } from './leave.ts';
import { paintFor } from './render/colour.ts';
import { asDispatchError, errorEnvelope, exitOf, renderError } from './render/error.ts';
import { COLORS, type Color, type GlobalOptions, readSettings } from './settings.ts';

/**
 * Runs one command line.
 * @param argv what follows the program's name.
 * @returns the exit code; throws nothing.
 */
export async function run(argv: readonly string[]): Promise<number> {
  leaveOnClosedPipe();
  const environment = readEnvironment();
  leaveOnDefect((defect) => complain(defect, argv, environment));
  let exit: number = EXIT.ok;
  const act: Act =
    (perform) =>
    async (...given) => {
      const command = given.at(-1) as Command;
      const settings = await readSettings(environment, command.optsWithGlobals() as GlobalOptions);
      exit = await perform(new Context(environment, settings), ...(given.slice(0, -1) as never));
    };
  const program = buildProgram(act);
  try {
    if (argv[0] === 'complete') {
      const { answerCompletion } = await import('./completion.ts');
      await answerCompletion(program, environment, argv.slice(1));
    } else if (argv.length === 0) {
      program.outputHelp();
    } else {
      await program.parseAsync([...argv], { from: 'user' });
    }
    return exit;
  } catch (thrown) {
    return complain(thrown, argv, environment);
  }
}

function complain(thrown: unknown, argv: readonly string[], environment: Environment): ExitCode {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok;
  const error = thrown instanceof CommanderError ? usageError(thrown, argv) : asDispatchError(thrown);
  const text = wantsJson(argv, environment)
    ? errorEnvelope(error)
    : renderError(error, paintFor(colorOf(argv, environment), environment, environment.stderr));
  process.stderr.write(text);
  return exitOf(error);
}

/** commander says what is wrong and what is near; ours has the same words in the shape of every other error. */
function usageError(error: CommanderError, argv: readonly string[]): DispatchError {
  const [what = '', hint] = error.message.split('\n');
  const verb = argv.find((word) => !word.startsWith('-'));
  if (error.code === 'commander.help')
    return new DispatchError('E_USAGE', `dispatch ${verb} does nothing by itself`, {
      fix: `dispatch help ${verb}`,
    });
  const known = verb !== undefined && error.code !== 'commander.unknownCommand';
  const help = known ? `dispatch help ${verb}` : 'dispatch help';
  const near = hint === undefined ? '' : `${hint.replace(/^\((.*)\)$/u, '$1').replace(/^Did/u, 'did')}   `;
  return new DispatchError('E_USAGE', what.replace(/^error: /u, ''), { fix: `${near}${help}` });
}

// The two below look at the words themselves: the command line may be the thing that could not be parsed.

function wantsJson(argv: readonly string[], environment: Environment): boolean {
  const value = flagValue(argv, '-o', '--output') ?? environment.variables.DISPATCH_OUTPUT;
  return argv.includes('--json') || value === 'json' || value === 'ndjson';
}

function colorOf(argv: readonly string[], environment: Environment): Color {
  const value = flagValue(argv, null, '--color') ?? environment.variables.DISPATCH_COLOR;
  return COLORS.find((color) => color === value) ?? 'auto';
}

function flagValue(argv: readonly string[], short: string | null, long: string): string | undefined {
  for (const [i, word] of argv.entries()) {
    if (word === '--') return undefined;
    if (word === long || word === short) return argv[i + 1];
    if (word.startsWith(`${long}=`)) return word.slice(long.length + 1);
    if (short !== null && word.startsWith(short) && !word.startsWith('--')) return word.slice(short.length);
  }
  return undefined;
}
