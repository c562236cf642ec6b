import type { Command } from 'commander';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Context } from '../context.ts';
import { nearest } from '../../spec/nearest.ts';
import { wrap } from '../render/wrap.ts';
import { TOPICS } from '../topics.ts';

/** Help on a topic, or on a verb by the same text as its `--help`. */
export async function help(
  { output }: Context,
  program: Command,
  words: readonly string[],
): Promise<ExitCode> {
  const [first] = words;
  if (first === undefined) {
    program.outputHelp();
    return EXIT.ok;
  }
  const topic = TOPICS[first];
  if (topic !== undefined && words.length === 1) {
    output.line(wrap(await topic(), Math.min(output.terminal.columns, 100)));
    return EXIT.ok;
  }
  findCommand(program, words).outputHelp();
  return EXIT.ok;
}

function findCommand(program: Command, words: readonly string[]): Command {
  let command = program;
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) throw unknownTopic(command, program, word);
    command = next;
  }
  return command;
}

function unknownTopic(at: Command, program: Command, word: string): DispatchError {
  const topics = at === program ? Object.keys(TOPICS) : [];
  const known = [...at.commands.map((one) => one.name()), ...topics];
  const near = nearest(word, known);
  return new DispatchError('E_NOT_FOUND', `no verb or topic ${JSON.stringify(word)}`, {
    fix: near === null ? 'dispatch help' : `did you mean ${near}?`,
  });
}
