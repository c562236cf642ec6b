import type { Command } from 'commander';
import { type Act, GROUPS, verb } from './act.ts';

export function declareHelp(program: Command, act: Act): void {
  verb(program, 'explain [code]', {
    summary: 'what an error code means and how to get out of it',
    group: GROUPS.help,
    examples: [
      ['dispatch explain E_NO_HOME', 'one code, at length'],
      ['dispatch explain', 'all of them'],
    ],
  }).action(
    act(async (context, code: string | undefined) => {
      const { explain } = await import('../verbs/explain.ts');
      return explain(context, code);
    }),
  );

  verb(program, 'completion <shell>', {
    summary: 'print the completion script for bash, zsh, fish or powershell',
    group: GROUPS.help,
    examples: [
      ['dispatch completion bash > ~/.local/share/bash-completion/completions/dispatch', 'bash'],
      ['dispatch completion zsh > "${fpath[1]}/_dispatch"', 'zsh'],
      ['dispatch completion fish > ~/.config/fish/completions/dispatch.fish', 'fish'],
    ],
  }).action(
    act(async (context, shell: string) => {
      const { completion } = await import('../verbs/completion.ts');
      return completion(context, shell);
    }),
  );

  verb(program, 'help [topic...]', {
    summary: 'help on a verb or a topic',
    group: GROUPS.help,
    examples: [
      ['dispatch help nodes add', 'a verb'],
      ['dispatch help exit-codes', 'a topic'],
    ],
  }).action(
    act(async (context, topic: string[]) => {
      const { help } = await import('../verbs/help.ts');
      return help(context, program, topic);
    }),
  );
}
