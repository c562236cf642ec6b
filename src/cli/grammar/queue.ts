import type { Command } from 'commander';
import type { HoldOptions, ReleaseOptions } from '../verbs/queue.ts';
import { type Act, byItself, GROUPS, verb } from './act.ts';

/** `queue` shows; its subcommands change. */
export function declareQueue(program: Command, act: Act): void {
  const queue = verb(program, 'queue', {
    summary: 'what is on its way into integration, and the line it stands in',
    group: GROUPS.work,
    examples: [
      ['dispatch queue show', 'what lands, what is being gated, what waits'],
      ['dispatch queue hold web --reason "db is down"', 'nothing merges until it is released'],
      ['dispatch queue front S03', 'before all that are not being gated yet'],
    ],
  });

  byItself(queue, act, async (context) => {
    const { showQueue } = await import('../verbs/queue.ts');
    return showQueue(context, undefined);
  });

  verb(queue, 'show [project]', {
    summary: 'what lands, what is being gated, what waits; how likely each is bad, and why',
    group: GROUPS.work,
    examples: [['dispatch queue show web', 'the queue of one project']],
  }).action(
    act(async (context, project: string | undefined) => {
      const { showQueue } = await import('../verbs/queue.ts');
      return showQueue(context, project);
    }),
  );

  verb(queue, 'hold <project>', {
    summary: 'stop the line: no gate runs and nothing merges',
    group: GROUPS.work,
    examples: [['dispatch queue hold web --reason "db is down"', 'agents go on; their branches wait']],
  })
    .option('--reason <text>', 'shown to whoever asks why nothing merges')
    .action(
      act(async (context, project: string, options: HoldOptions) => {
        const { hold } = await import('../verbs/queue.ts');
        return hold(context, project, options);
      }),
    );

  verb(queue, 'release <project>', {
    summary: 'let a line go on that a person or a broken gate stopped',
    group: GROUPS.work,
    examples: [
      ['dispatch queue release web', 'after the gate was mended'],
      [
        'dispatch queue release web --accept-target',
        'somebody moved the target back, and it counts as it is',
      ],
    ],
  })
    .option('--accept-target', 'the target lost what it had (E_TARGET_REWOUND): it counts as it is now')
    .action(
      act(async (context, project: string, options: ReleaseOptions) => {
        const { release } = await import('../verbs/queue.ts');
        return release(context, project, options);
      }),
    );

  const onTask = [
    ['drop', 'cancel a task and take its branch out of the line'],
    ['front', 'let a branch go before all that are not being gated yet'],
  ] as const;
  for (const [name, summary] of onTask) {
    verb(queue, `${name} <task>`, {
      summary,
      group: GROUPS.work,
      examples: [[`dispatch queue ${name} S03`, summary]],
    }).action(
      act(async (context, task: string) => {
        const verbs = await import('../verbs/queue.ts');
        return verbs[name](context, task);
      }),
    );
  }
}
