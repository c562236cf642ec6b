/**
 * Shell completion, the only file that knows the library for it. The shell's script calls `dispatch complete -- words`
 * at every press of the key: so names are read from the home without a controller, and whatever goes wrong is silent.
 */
import tabOf, { type ArgumentHandler, type RootCommand, script } from '@bomb.sh/tab';
import adapt from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { LANGUAGES } from '../model/language.ts';
import { type CompletionNames, completionNames } from './completion-names.ts';
import type { Environment } from './environment.ts';
import { COLORS, FORMATS, PROGRESS } from './settings.ts';
import { TOPICS } from './topics.ts';

export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;

/** Prints the script that a shell sources. */
export function printCompletionScript(shell: (typeof SHELLS)[number]): void {
  script(shell, 'dispatch', 'dispatch');
}

/** Answers one press of the key. @param words what follows `complete`: `--` and the line so far. */
export async function answerCompletion(
  program: Command,
  environment: Environment,
  words: readonly string[],
): Promise<void> {
  const typed = words[0] === '--' ? words.slice(1) : words;
  const names = await completionNames(environment, typed).catch(() => null);
  oneLine(program);
  const root = adapt(program);
  addGlobals(root);
  if (names !== null) addNames(root, names);
  tabOf.parse([...typed]);
}

/** The shell's protocol has one line per offer: the summary is what fits, not the paragraphs of the help. */
function oneLine(command: Command): void {
  if (command.summary() !== '') command.description(command.summary());
  for (const one of command.commands) oneLine(one);
}

function addGlobals(root: RootCommand): void {
  const choices = (values: readonly string[]) => (complete: (value: string, text: string) => void) => {
    for (const value of values) complete(value, '');
  };
  for (const command of [root, ...root.commands.values()]) {
    command.option('output', 'output format', choices(FORMATS), 'o');
    command.option('color', 'colour', choices(COLORS));
    command.option('progress', 'progress', choices(PROGRESS));
  }
  root.commands.get('daily-report')?.option('lang', 'language', choices(LANGUAGES));
  root.commands.get('daily-report')?.option('date', 'which day', choices(['today', 'yesterday']));
  root.commands.get('completion')?.argument('shell', choices(SHELLS));
  root.commands
    .get('help')
    ?.argument('topic', choices([...root.commands.keys(), ...Object.keys(TOPICS)]), true);
}

function addNames(
  root: RootCommand,
  { projects, tasks, nodes, alerts, sinks, backups }: CompletionNames,
): void {
  const offer =
    (names: readonly (readonly [string, string])[]): ArgumentHandler =>
    (complete) => {
      for (const [name, text] of names) complete(name, text);
    };
  const at = (
    verbs: readonly string[],
    argument: string,
    names: readonly (readonly [string, string])[],
  ): void => {
    for (const verb of verbs) root.commands.get(verb)?.argument(argument, offer(names), true);
  };
  at(['validate', 'start'], 'projects', projects);
  at(
    ['plan', 'collect', 'report', 'status', 'verify', 'split', 'feed', 'lint', 'review-queue'],
    'project',
    projects,
  );
  at(['budget', 'budget raise'], 'project', projects);
  at(['queue show', 'queue hold', 'queue release'], 'project', projects);
  at(
    ['check', 'show', 'diff', 'accept'].map((verb) => `contract ${verb}`),
    'project',
    projects,
  );
  at(['why', 'logs', 'attach', 'review', 'gate'], 'task', tasks);
  at(['queue drop', 'queue front'], 'task', tasks);
  at(['cancel', 'retry', 'revert'], 'tasks', tasks);
  at(['rescue'], 'what', projects);
  at(['restore'], 'backup', backups);
  at(['nodes probe', 'nodes drain', 'nodes cordon', 'nodes uncordon'], 'names', nodes);
  at(['nodes remove', 'nodes expire'], 'name', nodes);
  at(['alerts ack'], 'keys', alerts);
  at(['alerts test'], 'sinks', sinks);
}
