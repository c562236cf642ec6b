import type { Command } from 'commander';
import type { DoctorOptions } from '../verbs/doctor.ts';
import type { LogsOptions } from '../verbs/logs.ts';
import type { ReplayOptions } from '../verbs/replay.ts';
import type { StatusOptions } from '../verbs/status.ts';
import { type Act, GROUPS, verb } from './act.ts';

export function declareLook(program: Command, act: Act): void {
  declareTaskVerbs(program, act);
  declareHomeVerbs(program, act);
}

function declareTaskVerbs(program: Command, act: Act): void {
  verb(program, 'status [project]', {
    summary: 'where every task is, and why it is not further',
    group: GROUPS.look,
    examples: [
      ['dispatch status', 'all projects'],
      ['dispatch status web --watch', 'redrawn as things happen'],
      ['dispatch status web -o json | jq ".data[].status"', 'for a program'],
    ],
  })
    .option('-w, --watch', 'go on showing what changes')
    .action(
      act(async (context, project: string | undefined, options: StatusOptions) => {
        const { status } = await import('../verbs/status.ts');
        return status(context, project, options);
      }),
    );

  verb(program, 'why <task>', {
    summary: 'why a task is not running, node by node',
    group: GROUPS.look,
    examples: [
      ['dispatch why S03', 'the same filter that decided'],
      ['dispatch why web/S03 -o json', 'for a program'],
    ],
  }).action(
    act(async (context, task: string) => {
      const { why } = await import('../verbs/why.ts');
      return why(context, task);
    }),
  );

  verb(program, 'logs <task>', {
    summary: "an attempt's log",
    group: GROUPS.look,
    examples: [
      ['dispatch logs S03', 'of the newest attempt'],
      ['dispatch logs S03 -f --tail 20', 'the last lines, then more as it grows'],
      ['dispatch logs S03 --attempt 1 --raw > s03.log', 'an earlier one, bytes as they are'],
    ],
    more: 'Control and escape sequences are removed unless --raw is given.',
  })
    .option('-f, --follow', 'go on until the attempt ends')
    .option('--attempt <n>', 'which attempt (default: the newest)')
    .option('--tail <lines>', 'only the last lines')
    .option('--raw', 'bytes as the agent wrote them')
    .action(
      act(async (context, task: string, options: LogsOptions) => {
        const { logs } = await import('../verbs/logs.ts');
        return logs(context, task, options);
      }),
    );

  verb(program, 'attach <task>', {
    summary: "look at a running attempt's window",
    group: GROUPS.look,
    examples: [
      ['dispatch attach S03', 'read-only; leave with Ctrl-b d'],
      ['dispatch logs S03 -f', 'the same without a terminal'],
    ],
  }).action(
    act(async (context, task: string) => {
      const { attach } = await import('../verbs/attach.ts');
      return attach(context, task);
    }),
  );
}

function declareHomeVerbs(program: Command, act: Act): void {
  verb(program, 'report <project>', {
    summary: 'what merged, what was refused and why, what waits for you',
    group: GROUPS.look,
    examples: [
      ['dispatch report web', 'Markdown'],
      ['dispatch report web -o report.md', 'into a file'],
      ['dispatch report web -o json', 'for a program'],
    ],
  }).action(
    act(async (context, project: string) => {
      const { report } = await import('../verbs/report.ts');
      return report(context, project);
    }),
  );

  verb(program, 'replay', {
    summary: 'rebuild the state from the events and compare',
    group: GROUPS.look,
    examples: [
      ['dispatch replay --check', 'exit 1 on a difference'],
      ['dispatch replay -o ndjson', 'the events themselves'],
    ],
  })
    .option('--check', 'compare only (the default with a table)')
    .action(
      act(async (context, options: ReplayOptions) => {
        const { replay } = await import('../verbs/replay.ts');
        return replay(context, options);
      }),
    );

  verb(program, 'doctor', {
    summary: 'check each thing that can be missing, and say how to mend it',
    group: GROUPS.look,
    examples: [
      ['dispatch doctor', 'here and on every node'],
      ['dispatch doctor --node mac2', 'one node only'],
      ['dispatch doctor -o json', 'for a program'],
    ],
    more: 'Exit 3 when something failed. Changes nothing.',
  })
    .option('--node <name>', 'only this node')
    .action(
      act(async (context, options: DoctorOptions) => {
        const { doctor } = await import('../verbs/doctor.ts');
        return doctor(context, options);
      }),
    );
}
