import type { Command } from 'commander';
import { DispatchError } from '../../model/error.ts';
import { nearest } from '../../spec/nearest.ts';
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
    .helpCommand(false)
    .addHelpText('before', () => `${exampleLines(examples)}\n`);
}

/** What a group of verbs does when none of them is named. */
export function byItself(group: Command, act: Act, perform: (context: Context) => Promise<number>): void {
  group.allowExcessArguments().action(
    act(async (context) => {
      const [unknown] = group.args;
      if (unknown !== undefined) throw unknownVerb(group, unknown);
      return perform(context);
    }),
  );
}

/** What commander says of a group that does nothing by itself, for one that does. */
function unknownVerb(group: Command, typed: string): DispatchError {
  const near = nearest(
    typed,
    group.commands.map((command) => command.name()),
  );
  const hint = near === null ? '' : `did you mean ${near}?   `;
  return new DispatchError('E_USAGE', `unknown command '${typed}'`, {
    fix: `${hint}dispatch help ${group.name()}`,
  });
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
  recover: 'Recover:',
  develop: 'Develop dispatch itself:',
  help: 'Help:',
} as const;
