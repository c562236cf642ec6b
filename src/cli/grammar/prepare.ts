import type { Command } from 'commander';
import type { InitOptions } from '../init/ask.ts';
import type { FeedVerbOptions } from '../verbs/feed.ts';
import type { LintOptions } from '../verbs/lint.ts';
import type { PlanOptions } from '../verbs/plan.ts';
import type { SplitOptions } from '../verbs/split.ts';
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

  verb(program, 'split [project] [direction...]', {
    summary: 'have a model turn directions into small specs, checked like any spec',
    group: GROUPS.prepare,
    examples: [
      [
        'dispatch split web "let users reset their password by mail"',
        'five to ten specs in specs/web/pending/',
      ],
      [
        'dispatch split web --file inputs/directions/2026-02-12.md',
        'each ## section (or list item) is a direction',
      ],
      ['dispatch split web "…" --dry-run', 'show specs and plan, write nothing'],
      ['dispatch split --print-prompt > prompts/split.md', 'a prompt of your own, from the built-in one'],
    ],
    more: [
      'The model is named in dispatch.yaml of the home: `models: { split: { provider: glm } }`; its key is in a variable of the environment and nowhere else. It is told the repository’s files, the contract, the conventions and the specs that are there. What it answers is held against every rule that specs are held against; problems go back to it, three rounds at most. Valid specs are written to specs/<project>/pending/ with their plan in README.md; the others are shown with what is wrong. `dispatch feed` queues them.',
      'With a project and a direction --print-prompt shows the whole prompt and asks nobody. Tokens are shown, and recorded in .dispatch/model-calls.jsonl. Exit 0: all specs are valid; 3: some are not; 4: the key; 7: the provider is busy or away.',
    ].join('\n\n'),
  })
    .option('--file <path>', 'directions from a Markdown file')
    .option('--only <numbers>', 'of the file, only these: 1,3')
    .option('--dry-run', 'write nothing')
    .option('--print-prompt', 'print the prompt instead of asking')
    .action(
      act(async (context, project: string | undefined, words: string[], options: SplitOptions) => {
        const { split } = await import('../verbs/split.ts');
        return split(context, project, words, options);
      }),
    );

  verb(program, 'feed <project>', {
    summary: 'move good specs from specs/<project>/pending/ to the queue',
    group: GROUPS.prepare,
    examples: [
      ['dispatch feed web', 'once'],
      ['dispatch feed web --watch', 'as files appear, until Ctrl-C'],
    ],
    more: [
      'All pending specs are judged together with the queue: one may depend on another, and a bad one holds back only those that need it. It stays, with a .problems file beside it that goes away when it is mended. A spec is queued whole or not at all; one that changed within the last half second or that an editor has open is left for the next time. A program that writes slowly should write under a name that begins with a dot and rename at the end.',
      '`dispatch serve` feeds all projects as files appear, or at set times: `feed: { at: "0 9 * * 1-5", timezone: Asia/Shanghai }` in dispatch.yaml. A controller that runs the project takes up what was fed. Exit 0: nothing bad is pending; 3: something stays.',
    ].join('\n\n'),
  })
    .option('--watch', 'go on as files appear')
    .action(
      act(async (context, project: string, options: FeedVerbOptions) => {
        const { feed } = await import('../verbs/feed.ts');
        return feed(context, project, options);
      }),
    );

  verb(program, 'lint <project>', {
    summary: 'score specs before they run: what in them is likely to fail',
    group: GROUPS.prepare,
    examples: [
      ['dispatch lint web', 'those that are still to run, pending ones included; the most doubtful first'],
      ['dispatch lint web --least 60', 'exit 3 when one has a lower score'],
      ['dispatch lint web -o json', 'for a program'],
    ],
    more: '100 is a spec without doubts. Doubts are criteria that nothing can check, paths too wide, tests asked for and not in `modifies`, don’ts that forbid what is asked, none at all, and more than fifteen minutes of work. What a doubt costs is learnt from this project: kinds of spec that failed their first round more often cost more.',
  })
    .option('--least <score>', 'exit 3 when a spec has less, 0 to 100')
    .action(
      act(async (context, project: string, options: LintOptions) => {
        const { lint } = await import('../verbs/lint.ts');
        return lint(context, project, options);
      }),
    );
}
