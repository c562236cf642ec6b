import type { Command } from 'commander';
import type { CancelOptions } from '../verbs/cancel.ts';
import type { RevertOptions } from '../verbs/revert.ts';
import type { StartOptions } from '../verbs/start.ts';
import type { ReviewOptions } from '../verbs/review.ts';
import type { ReviewQueueOptions } from '../verbs/review-queue.ts';
import { type Act, GROUPS, verb } from './act.ts';

export function declareWork(program: Command, act: Act): void {
  verb(program, 'start <projects...>', {
    summary: 'run the specs of projects; again: re-attach to what runs',
    group: GROUPS.work,
    examples: [
      ['dispatch start web', 'with live progress; Ctrl-C detaches, agents go on'],
      ['dispatch start web api', 'two projects that share the machines fairly'],
      ['dispatch start web -o ndjson', 'one JSON line per change'],
    ],
    more: 'Ends when nothing more can happen without a person. Where `dispatch serve` keeps the home, it takes the projects over, and this verb only watches. Exit 0: all merged; 3: some failed, are blocked or wait.\nWork starts when every verify command was green on the base and red on a copy of it that is broken on purpose; that is shown once for a command, the files that it runs and its settings.',
  })
    .option('--skip-control <reason>', 'do not try verify commands on a broken copy; why, for the report')
    .action(
      act(async (context, projects: string[], options: StartOptions) => {
        const { start } = await import('../verbs/start.ts');
        return start(context, projects, options);
      }),
    );

  verb(program, 'serve', {
    summary: 'keep the home: run all its projects, without a terminal, until stopped',
    group: GROUPS.work,
    examples: [
      ['dispatch serve', 'one line per change; SIGTERM stops it, agents go on'],
      ['dispatch serve -o ndjson', 'one JSON line per change'],
      ['dispatch tunnels install', 'across logins and sleep, by systemd or launchd'],
    ],
    more: 'Goes on with every project that was started. `dispatch start` hands it more, and changes of nodes.json and of specs are taken over as they are saved; what has an error is refused, and `dispatch status` says so.\n\nExit 0: stopped by a signal; 6: another controller has the home.',
  }).action(
    act(async (context) => {
      const { serve } = await import('../verbs/serve.ts');
      return serve(context);
    }),
  );

  verb(program, 'collect <project>', {
    summary: 'drain the merge queue and land the result on the target branch',
    group: GROUPS.work,
    examples: [
      ['dispatch collect web', 'verify the tip and land it; never a force'],
      ['dispatch collect web -o ndjson', 'one JSON line per change'],
    ],
    more: 'Exit 0: delivered; 3: delivered and something was left; 6: conflict, checked-out target or lost race.',
  }).action(
    act(async (context, project: string) => {
      const { collect } = await import('../verbs/collect.ts');
      return collect(context, project);
    }),
  );

  verb(program, 'cancel [tasks...]', {
    summary: 'stop tasks; what they did is kept',
    group: GROUPS.work,
    examples: [
      ['dispatch cancel S03', 'one task'],
      [
        'dispatch cancel web/S03 web/S04 --reason "wrong approach"',
        'several, with the reason for the report',
      ],
      ['dispatch cancel --all web', 'everything of a project that is not over'],
    ],
  })
    .option('--all [project]', 'every task that is not over, of one project or of all')
    .option('--reason <text>', 'why, for the report')
    .action(
      act(async (context, tasks: string[], options: CancelOptions) => {
        const { cancel } = await import('../verbs/cancel.ts');
        return cancel(context, tasks, options);
      }),
    );

  verb(program, 'retry <tasks...>', {
    summary: 'give failed, cancelled, parked or reverted tasks another try',
    group: GROUPS.work,
    examples: [
      ['dispatch retry S03', 'attempt n+1, from the newest base'],
      ['dispatch retry web/S03 web/S05', 'several'],
    ],
  }).action(
    act(async (context, tasks: string[]) => {
      const { retry } = await import('../verbs/retry.ts');
      return retry(context, tasks);
    }),
  );

  verb(program, 'revert <tasks...>', {
    summary: 'take what tasks merged out of integration again, through the queue and its gate',
    group: GROUPS.work,
    examples: [
      ['dispatch revert S03', 'the reverse is merged, gated and landed like a branch'],
      ['dispatch revert S08 S03 --reason "wrong schema"', 'several; the latest that came in goes out first'],
    ],
    more: [
      'What merged later stays. Where it changed the same lines, nothing is reverted and the tasks are named (409). Merged tasks that depend on a reverted one stay, and `status`, `why` and `report` show that they rest on reverted work; those that have not started wait. `dispatch retry` does a reverted task again, with the reason in its prompt; `dispatch collect` delivers the revert like everything else.',
      'Exit 0: reverted; 3: verify is red without it, or the queue stands still; 6: conflict with later work, or nothing to revert.',
    ].join('\n\n'),
  })
    .option('--reason <text>', 'why, for the report and for whoever does the task again')
    .action(
      act(async (context, tasks: string[], options: RevertOptions) => {
        const { revert } = await import('../verbs/revert.ts');
        return revert(context, tasks, options);
      }),
    );

  verb(program, 'review <task>', {
    summary: 'decide on a task that waits for a person',
    group: GROUPS.work,
    examples: [
      ['dispatch review S07', 'what it waits for: spec, acceptance, diff, gates, who, cost'],
      ['dispatch review S07 --approve', 'let it merge'],
      ['dispatch review S07 --reject "the schema must stay"', 'back to an agent, with the reason'],
      ['dispatch review S07 --take', 'a checkout of the branch, to finish it yourself'],
      ['dispatch review S07 --hand-back', 'what you committed there, through the same gates'],
    ],
    more: 'A branch that is rejected begins again, with your reason and the earlier work; so does a task that conflicted three times. What has merged and is rejected for what a second model found is reverted first. `dispatch cancel` gives a task up.',
  })
    .option('--approve', 'let it into the merge queue')
    .option('--reject <reason>', 'back to an agent with this reason')
    .option('--take', 'check the branch out, by default at taken/<project>/<task> in the home')
    .option('--hand-back', 'take in what you committed there')
    .option('--into <directory>', 'another place for --take and --hand-back')
    .action(
      act(async (context, task: string, options: ReviewOptions) => {
        const { review } = await import('../verbs/review.ts');
        return review(context, task, options);
      }),
    );

  verb(program, 'review-queue [project]', {
    summary: 'all that waits for you, one screen each; decide with keys',
    group: GROUPS.work,
    examples: [
      ['dispatch review-queue', 'of all projects: P0 first, then the oldest'],
      ['dispatch review-queue web --print', 'as text, without keys'],
      ['dispatch review-queue -o json', 'for a program'],
    ],
    more: 'Specs that ask for it (review: true), P0 and whole projects where the policy says so, changes of what guards everybody, tasks that came back three times, and what a second model found. Keys: j and k next and back, a approve, r reject with a reason, t take over, q quit. Who decided is recorded.',
  })
    .option('--print', 'no keys, also on a terminal')
    .action(
      act(async (context, project: string | undefined, options: ReviewQueueOptions) => {
        const { reviewQueueVerb } = await import('../verbs/review-queue.ts');
        return reviewQueueVerb(context, project, options);
      }),
    );
}
