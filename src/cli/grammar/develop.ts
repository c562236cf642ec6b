import type { Command } from 'commander';
import type { SimOptions } from '../verbs/sim.ts';
import { type Act, GROUPS, verb } from './act.ts';

export function declareDevelop(program: Command, act: Act): void {
  verb(program, 'sim', {
    summary: 'run simulated days of a fleet in which everything goes wrong, and say what did not hold',
    group: GROUPS.develop,
    examples: [
      ['dispatch sim --seeds 200', 'on all cores, from a first seed that it draws and prints'],
      ['dispatch sim --seed 4711', 'one seed; when it fails, the fewest faults with which it does'],
      [
        "dispatch sim --seed 4711 --only 'cut#3,p/T1'",
        'the same run byte for byte with these faults and tasks',
      ],
    ],
    more: [
      'For whoever changes dispatch. The real scheduler, reconciler, merge queue and SQLite statements run against a simulated clock, network, git, agents and people, for at least 24 simulated hours a seed. First faults, with safety checked at every step; then everything is mended, and all work has to come to its end.',
      'A failure prints the seed, the commit of the program, what was violated, and the smallest run that was found to fail in the same way: its faults with their moments, its last steps, and the command that repeats it. Nothing of a home is read or written.',
      'Exit 0: everything held. Exit 1: something did not. Exit 2: the command line is wrong.',
    ].join('\n\n'),
  })
    .option('--seeds <n>', 'how many (default: 1000)')
    .option('--from <seed>', 'the first of them (default: another one each time)')
    .option('--seed <seed>', 'only this one')
    .option(
      '--only <ids>',
      'with --seed: only these faults and tasks, with commas between them; none for no fault',
    )
    .action(
      act(async (context, options: SimOptions) => {
        const { sim } = await import('../verbs/sim.ts');
        return sim(context, options);
      }),
    );
}
