import type { Command } from 'commander';
import type { Context } from '../context.ts';

/**
 * Makes commander's callback from a verb: reads the settings, gives the verb its context, its arguments and its
 * options, and keeps the exit code it returns. Every verb is imported inside, so that `--help` loads none of them.
 */
export type Act = <Given extends unknown[]>(
  perform: (context: Context, ...given: Given) => Promise<number>,
) => (...given: unknown[]) => Promise<void>;

export interface Description {
  readonly summary: string;
  /** Heading in `dispatch --help`. */
  readonly group: string;
  /** Two or three real command lines, each with what it is for. Help begins with them. */
  readonly examples: readonly (readonly [command: string, purpose: string])[];
  /** More than the summary; paragraphs. */
  readonly more?: string;
}

/** Declares a verb. @param usage name and arguments, `logs <task>`. */
export function verb(parent: Command, usage: string, description: Description): Command {
  const { summary, group, examples, more } = description;
  return parent
    .command(usage)
    .summary(summary)
    .description(more === undefined ? summary : `${summary}\n\n${more}`)
    .helpGroup(group)
    .addHelpText('before', () => `${exampleLines(examples)}\n`);
}

export function exampleLines(examples: Description['examples']): string {
  const width = Math.max(...examples.map(([command]) => command.length));
  const lines = examples.map(([command, purpose]) => `  $ ${command.padEnd(width)}   # ${purpose}`);
  return ['Examples:', ...lines].join('\n');
}

export const GROUPS = {
  prepare: 'Prepare:',
  work: 'Work:',
  look: 'Look:',
  fleet: 'Machines:',
  help: 'Help:',
} as const;
