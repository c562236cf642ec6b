/** `dispatch verify --review`: a second model looks at what has merged, and a person hears of what it finds. */
import type { Reply } from '../../controller/commands.ts';
import type { Command } from '../../controller/door.ts';
import { openScratchHub } from '../../git/scratch-hub.ts';
import { EXIT } from '../../model/exit.ts';
import type { TaskKey } from '../../model/ids.ts';
import { DEFAULT_LOOK, isGrave, placeOf } from '../../model/second-look.ts';
import { modelError } from '../../models/failure.ts';
import { toLookAt } from '../../review/pick.ts';
import { openAsker, tokensText } from '../asker.ts';
import { hubOf } from '../by-hand/hub-of.ts';
import type { Context } from '../context.ts';
import { giveAll } from '../order.ts';
import { exitOfSignal, interruption } from '../progress/interrupt.ts';
import { safeLine } from '../render/safe-text.ts';
import { writeFollowUp } from '../second-look/follow-up.ts';
import { type Looked, lookAtMerged, type LooksMade } from '../second-look/look-merged.ts';
import { type HomeView, withView } from '../view.ts';

export interface ReviewMergedOptions {
  readonly review?: boolean;
  readonly all?: boolean;
  readonly again?: boolean;
  readonly followUp?: boolean;
}

/** @returns 3 when a person is asked about something. @throws DispatchError why the model could not be asked; what was looked at is recorded. */
export async function reviewMerged(
  context: Context,
  typed: string,
  options: ReviewMergedOptions,
): Promise<number> {
  return withView(context, async (view) => {
    const { project, dir } = hubOf(view, typed);
    const { all = false, again = false } = options;
    const tasks = toLookAt(view.state, project, { all, again });
    const asker = await openAsker(context, view.home, 'review', project.name);
    const hub = await openScratchHub(dir);
    const recorder = recorderFor(context, view);
    const stop = interruption();
    const abort = new AbortController();
    void stop.asked.then(() => abort.abort());
    try {
      const made = await lookAtMerged({
        project,
        tasks,
        hub,
        asker,
        specText: (task) => view.reader.specText(task),
        record: recorder.record,
        onTask: ({ key }) => context.output.note(`${key}: asking ${safeLine(asker.use.model)}`),
        signal: abort.signal,
      });
      await recorder.end();
      const wants = options.followUp === true || project.config.look?.followUp === true;
      const written = wants ? await followUps(view, project, made.looked) : [];
      show(context, view, project.name, made, written);
      if (abort.signal.aborted) return exitOfSignal(await stop.asked);
      if (made.failure !== null && made.failure.is !== 'stopped') throw modelError(made.failure, asker.use);
      return made.looked.some(({ look }) => look.asks) ? EXIT.unfinished : EXIT.ok;
    } finally {
      await recorder.end();
      stop.forget();
      await hub.remove();
    }
  });
}

/** To the controller that runs, each at once; where none runs, all in the end, because being one takes a while. */
function recorderFor(
  context: Context,
  { holder }: HomeView,
): { record: (task: TaskKey, command: Command) => Promise<Reply>; end: () => Promise<void> } {
  const waiting: [TaskKey, Command][] = [];
  return {
    record: async (task, command) => {
      if (holder === null) {
        waiting.push([task, command]);
        return { ok: true, notes: [] };
      }
      const [given] = await giveAll(context, [[task, command]]);
      return given?.reply ?? { ok: false, code: 'E_INTERNAL', message: 'no reply' };
    },
    end: async () => {
      const given = waiting.splice(0);
      if (given.length === 0) return;
      for (const { name, reply } of await giveAll(context, given))
        if (!reply.ok) context.output.note(`${name}: not recorded: ${safeLine(reply.message)}`);
    },
  };
}

async function followUps(
  { home, state }: HomeView,
  project: Parameters<typeof writeFollowUp>[2],
  looked: readonly Looked[],
): Promise<string[]> {
  const files: string[] = [];
  for (const one of looked) {
    const file = one.reply.ok ? await writeFollowUp(home, state, project, one) : null;
    if (file !== null) files.push(file);
  }
  return files;
}

function show(
  { output }: Context,
  { state }: HomeView,
  project: string,
  { looked, usage }: LooksMade,
  written: readonly string[],
): void {
  const rows = looked.map(({ task, look, reply }) => ({ task: task.key, ...look, recorded: reply.ok }));
  if (output.format === 'json')
    return output.envelope('ReviewResult', { project, looked: rows, usage, written });
  if (output.format === 'ndjson') {
    for (const row of rows) output.event('Look', row);
    return;
  }
  if (output.format === 'name') {
    for (const { task, asks } of rows) if (asks) output.line(task);
    return;
  }
  const rules =
    [...state.projects.values()].find(({ name }) => name === project)?.config.look ?? DEFAULT_LOOK;
  for (const { task, look, reply } of looked) {
    const word = look.asks ? output.paint.yellow('asks you') : output.paint.green('nothing to ask');
    output.line(`${output.paint.bold(task.key)}  ${word}`);
    for (const finding of look.findings) {
      const line = safeLine(
        `${placeOf(finding)}  ${finding.severity} ${Math.round(finding.confidence * 100)} %  ${finding.message}`,
      );
      output.line(`  ${isGrave(finding, rules) ? line : output.paint.dim(line)}`);
    }
    if (look.refused !== null)
      output.line(`  no answer of the model could be used: ${safeLine(look.refused)}`);
    for (const { path, why } of look.unseen)
      output.line(`  not looked at: ${safeLine(path)}: ${safeLine(why)}`);
    if (!reply.ok) output.note(`  not recorded: ${safeLine(reply.message)}`);
  }
  for (const file of written) output.line(`wrote ${file}`);
  if (looked.length === 0)
    output.note(
      `nothing of ${project} is to be looked at; --all takes what the sample leaves out, --again what was looked at`,
    );
  else output.note(tokensText(usage));
  const asked = looked.filter(({ look }) => look.asks).length;
  if (asked > 0)
    output.note(`${asked} wait${asked === 1 ? 's' : ''} for you   Next: dispatch review-queue ${project}`);
}
