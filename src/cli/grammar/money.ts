import type { Command } from 'commander';
import type { RaiseOptions } from '../verbs/budget-raise.ts';
import { type Act, GROUPS, verb } from './act.ts';

/** `budget` shows; `budget raise` changes. */
export function declareMoney(program: Command, act: Act): void {
  const budget = verb(program, 'budget [project]', {
    summary: 'tokens and money: what was used, what is reserved, what is left',
    group: GROUPS.look,
    examples: [
      ['dispatch budget', 'every bound, and what was used by day, project, executor, key and task'],
      ['dispatch budget web -o json', 'one project, for a program'],
      ['dispatch budget raise web --day --usd 30', 'more for each day'],
    ],
    more: [
      'Bounds are `budget` in project.yaml (`{ day: { usd: 20 }, total: { tokens: 50000000 }, task: { usd: 5 } }`; `task` holds for each task, all its attempts together) and in dispatch.yaml, where they hold for all projects together or for one key. An attempt starts only where what was used, what live attempts hold reserved and what it is expected to use stay within all of them; at 80 % you are told. `budget: { tokens: 400000 }` of a spec is the limit of one attempt, at which its node ends it and its branch is kept.',
      'What is expected: what earlier attempts of the same executor and size of spec used, else the spec’s own limit, else `reserve`. An agent that reports nothing counts as what was reserved for it, and is shown as unknown. Money is computed from list prices (`prices` in dispatch.yaml overrides them), or as reported where there is no price.',
    ].join('\n\n'),
  }).action(
    act(async (context, project: string | undefined) => {
      const verbs = await import('../verbs/budget.ts');
      return verbs.budget(context, project);
    }),
  );

  verb(budget, 'raise [project]', {
    summary: 'raise a bound in its file; a controller that runs goes on',
    group: GROUPS.look,
    examples: [
      ['dispatch budget raise web --day --usd 30', 'in specs/web/project.yaml'],
      ['dispatch budget raise web --total --tokens +5000000', 'so much more than now'],
      ['dispatch budget raise web --task --usd 10', 'what each task may use, all its attempts together'],
      [
        'dispatch budget raise --credential glm --usd 10',
        'of a key, in dispatch.yaml; --all: of all projects',
      ],
    ],
  })
    .option('--all', 'the bound of all projects together')
    .option('--credential <name>', 'the bound of a key')
    .option('--day', 'the bound for each day')
    .option('--total', 'the bound for good')
    .option('--task', 'the bound of each task of the project, all its attempts together')
    .option('--usd <amount>', 'US dollars, 30 or +10')
    .option('--tokens <amount>', 'tokens, 5000000 or +1000000')
    .action(
      act(async (context, project: string | undefined, options: RaiseOptions) => {
        const { raiseBudget } = await import('../verbs/budget-raise.ts');
        return raiseBudget(context, project, options);
      }),
    );
}
