import type { Command } from 'commander';
import type { AttachOptions } from '../verbs/attach.ts';
import type { DailyReportOptions } from '../verbs/daily-report.ts';
import type { DoctorOptions } from '../verbs/doctor.ts';
import type { GateOptions } from '../verbs/gate.ts';
import type { LogsOptions } from '../verbs/logs.ts';
import type { ReplayOptions } from '../verbs/replay.ts';
import type { StatusOptions } from '../verbs/status.ts';
import type { VerifyOptions } from '../verbs/verify.ts';
import type { ReviewMergedOptions } from '../verbs/verify-review.ts';
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

  verb(program, 'gate <task>', {
    summary: 'run every gate on one branch, as the queue would, with the whole output',
    group: GROUPS.look,
    examples: [
      ['dispatch gate S03', 'the newest branch of the task, merged onto integration'],
      ['dispatch gate S03 --attempt 1', 'what an earlier attempt made'],
      ['dispatch gate S03 --ref my-fix', 'a branch of your repository, by the rules of the task'],
    ],
    more: [
      'Changes nothing: the merge is made beside the hub, and verify runs on a node, by the same program in the same sandbox as for the queue, but in a directory of its own that the controller knows nothing of.',
      'Exit 0: green, or waits for approval; 3: red; 6: conflicts with integration; 9: the gate could not run.',
    ].join('\n\n'),
  })
    .option('--attempt <n>', 'the branch of attempt number n')
    .option('--ref <name>', 'a commit, or a branch of your repository')
    .option('--node <name>', 'where verify runs (default: the first that can be reached)')
    .action(
      act(async (context, task: string, options: GateOptions) => {
        const { gate } = await import('../verbs/gate.ts');
        return gate(context, task, options);
      }),
    );

  verb(program, 'verify <project>', {
    summary: 'run every gate again on what has merged',
    group: GROUPS.look,
    examples: [
      ['dispatch verify web', 'the tip of integration, and what each task brought in'],
      ['dispatch verify web --each', 'every commit that landed; names the one that turned it red'],
      ['dispatch verify web --review', 'a second model reads each merged diff against its spec'],
      ['dispatch verify web -o json', 'for a program'],
    ],
    more: [
      'The gates that need no command judge what each task brought in, by the rules as they are now; verify (of the project and of each task) runs on a clean checkout of the tip. A red run is repeated before it counts. Changes nothing, and runs beside a controller.',
      'With --review the model of `models: { review: … }` in dispatch.yaml reads each merged diff with its spec: P0 always, P1 and the others by the shares under `model_review` in project.yaml, each once. What it finds above the threshold waits for you in `dispatch review-queue`; nothing it says lets anything through. The diff is data to it: an answer that names lines which are not there, contradicts itself or leaves a file out is not used, and text that speaks to a reviewer is a finding by itself.',
      'Exit 0: all green; 3: something is red, or --review asks you something; 9: a gate could not run.',
    ].join('\n\n'),
  })
    .option('--each', 'every commit that landed, not the tip alone')
    .option('--node <name>', 'where verify runs (default: the first that can be reached)')
    .option('--review', 'have a second model read what merged, instead of running gates')
    .option('--all', 'with --review: also what the sample leaves out')
    .option('--again', 'with --review: also what was looked at')
    .option('--follow-up', 'with --review: specs in pending/ that mend what it finds')
    .action(
      act(async (context, project: string, options: VerifyOptions & ReviewMergedOptions) => {
        if (options.review === true) {
          const { reviewMerged } = await import('../verbs/verify-review.ts');
          return reviewMerged(context, project, options);
        }
        const { verify } = await import('../verbs/verify.ts');
        return verify(context, project, options);
      }),
    );

  verb(program, 'logs <task>', {
    summary: "an attempt's log",
    group: GROUPS.look,
    examples: [
      ['dispatch logs S03', 'of the newest attempt'],
      ['dispatch logs S03 -f --tail 20', 'the last lines, then more as it grows'],
      ['dispatch logs S03 --attempt 1 --raw > s03.log', 'an earlier one, bytes as they are'],
      ['dispatch logs S03 --notes', "the agent's plan and evidence, which no gate looks at"],
    ],
    more: 'Control and escape sequences are removed unless --raw is given.',
  })
    .option('-f, --follow', 'go on until the attempt ends')
    .option('--attempt <n>', 'which attempt (default: the newest)')
    .option('--tail <lines>', 'only the last lines')
    .option('--raw', 'bytes as the agent wrote them')
    .option('--notes', 'what the agent says of its work: plan, evidence, assessment')
    .action(
      act(async (context, task: string, options: LogsOptions) => {
        const { logs } = await import('../verbs/logs.ts');
        return logs(context, task, options);
      }),
    );

  verb(program, 'attach <task>', {
    summary: "look into a running attempt's session, or type into it",
    group: GROUPS.look,
    examples: [
      ['dispatch attach S03', 'read-only; leave with Ctrl-b d'],
      ['dispatch attach S03 --write', 'answer what it asks; is recorded'],
      ['dispatch logs S03 -f', 'what it prints, without a terminal'],
    ],
    more: [
      'An attempt that waits on its terminal (a password, a host key) is shown in the live session of the running step; otherwise what it prints is followed. The window keeps its size, and the agent does not notice.',
      'With --write you are in the live session and every key reaches it. That is recorded as an intervention.',
    ].join('\n\n'),
  })
    .option('--write', 'let what you type reach the agent')
    .action(
      act(async (context, task: string, options: AttachOptions) => {
        const { attach } = await import('../verbs/attach.ts');
        return attach(context, task, options);
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

  verb(program, 'daily-report', {
    summary: 'the day of all projects on one page: what merged, what came back and why, what to do next',
    group: GROUPS.look,
    examples: [
      ['dispatch daily-report', 'today so far, as Markdown'],
      [
        'dispatch daily-report --date yesterday --html day.html',
        'one file with charts, to read, print or send',
      ],
      ['dispatch daily-report --week --lang zh', 'the week, in Chinese'],
    ],
    more: [
      'Made from the event log alone, so any day can be told again. Days begin and end in the time zone of `report.timezone` in dispatch.yaml of the home, or of this machine.',
      '`report: { at: "0 19 * * *", lang: zh, timezone: Asia/Shanghai }` in dispatch.yaml makes `dispatch serve` write reports/<date>.md and .html at that hour: before noon about the day before, later about the day itself, which is written again, whole, with the next one; after a Sunday its week too.',
    ].join('\n\n'),
  })
    .option('--date <date>', 'YYYY-MM-DD, today or yesterday (default: today)')
    .option('--week', 'the week that holds the date, Monday to Sunday')
    .option('--html <file>', 'write one HTML file instead, with charts, without scripts')
    .option('--lang <language>', 'en or zh (default: DISPATCH_LANG, dispatch.yaml, LC_ALL, LANG)')
    .action(
      act(async (context, options: DailyReportOptions) => {
        const { dailyReport } = await import('../verbs/daily-report.ts');
        return dailyReport(context, options);
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
