import type { Command } from 'commander';
import type { InitOptions } from '../init/ask.ts';
import type { PlanOptions } from '../verbs/plan.ts';
import type { ValidateOptions } from '../verbs/validate.ts';
import { type Act, GROUPS, verb } from './act.ts';

export function declarePrepare(program: Command, act: Act): void {
  verb(program, 'init [project]', {
    summary: 'make a home, and optionally a first project',
    group: GROUPS.prepare,
    examples: [
      ['dispatch init', 'a home in this directory: nodes.json and specs/'],
      ['dispatch init web --repo ~/code/web --target main --verify "npm test"', 'and a project in it'],
      ['dispatch init chores', 'a project without a repository: each command decides'],
    ],
    more: 'Never overwrites a file. On a terminal it asks for what no flag says.\n\nA repository should have one command that runs it and one that tests it, in a Makefile or a run.sh. Where a checkout on this machine lacks one, a file with both is shown and offered; --yes writes it without asking. Committing it is up to you.',
  })
    .option('--repo <path>', 'repository: a path or a URL that git can fetch from and push to')
    .option('--target <branch>', 'branch where `collect` lands (default: main)')
    .option('--verify <command>', 'command that proves a task')
    .option('--yes', 'write run.sh or a Makefile where the repository lacks them')
    .action(
      act(async (context, project: string | undefined, options: InitOptions) => {
        const { init } = await import('../verbs/init.ts');
        return init(context, project, options);
      }),
    );

  verb(program, 'validate [projects...]', {
    summary: 'check nodes.json, project.yaml and every spec; change nothing',
    group: GROUPS.prepare,
    examples: [
      ['dispatch validate', 'everything in this home'],
      ['dispatch validate web --strict', 'one project, warnings count as errors'],
      ['dispatch validate -o json | jq .data', 'problems for a program'],
    ],
    more: 'Reports everything that is wrong at once. Exit 2 when there is an error, 0 otherwise.',
  })
    .option('--strict', 'warnings are errors')
    .action(
      act(async (context, projects: string[], options: ValidateOptions) => {
        const { validate } = await import('../verbs/validate.ts');
        return validate(context, projects, options);
      }),
    );

  verb(program, 'plan <project>', {
    summary: 'show waves, locks, critical path and risks before anything runs',
    group: GROUPS.prepare,
    examples: [
      ['dispatch plan web', 'on the screen'],
      ['dispatch plan web -o plan.md', 'as Markdown into a file'],
      ['dispatch plan web --full', 'specs/web/PLAN.md: milestones, owners, contract, risks'],
      ['dispatch plan web -o json', 'for a program'],
    ],
    more: 'With --full the parts of PLAN.md that stand between marks are written anew, and what a person wrote around them stays. `require_plan: true` in project.yaml lets work start only with a plan of just these specs.',
  })
    .option('--out <file>', 'write Markdown to a file')
    .option('--full', "write the project's plan to specs/<project>/PLAN.md")
    .action(
      act(async (context, project: string, options: PlanOptions) => {
        const { plan } = await import('../verbs/plan.ts');
        return plan(context, project, options);
      }),
    );
}
