/** Moves good specs from specs/<project>/pending/ to the queue, once or as they appear. */
import { setTimeout as wait } from 'node:timers/promises';
import { homePaths } from '../../controller/paths.ts';
import { aboutController, handToController } from '../../controller/socket.ts';
import { feedProject, type Fed, QUIET_MS } from '../../feed/feed.ts';
import { FeedWatch } from '../../feed/watch.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { projectName } from '../../model/ids.ts';
import { NO_SCHEDULE } from '../../spec/feed-settings.ts';
import { awaitController } from '../ordering-controller.ts';
import type { Context } from '../context.ts';
import { problemCounts, problemsText } from '../problems.ts';
import { interruption } from '../progress/interrupt.ts';
import { safeLine } from '../render/safe-text.ts';
import { basePaths } from '../repository.ts';

export interface FeedVerbOptions {
  readonly watch?: boolean;
}

/** @throws DispatchError when there is no such project, or its project.yaml has errors. */
export async function feed(context: Context, project: string, options: FeedVerbOptions): Promise<ExitCode> {
  const home = context.home();
  const first = await settled(home, project);
  await refuseProject(context, home, first);
  await tell(context, home, first);
  if (options.watch !== true) return first.held.length > 0 ? EXIT.unfinished : EXIT.ok;
  return watch(context, home, project);
}

/** How often a file that is being written is looked at again before it is left for the next time. */
const PATIENCE = 10;

/** A turn, after those who write have had a moment to finish. */
async function settled(home: string, project: string): Promise<Fed> {
  const moved: Fed['moved'][number][] = [];
  for (let look = 1; ; look++) {
    const fed = await feedProject({
      home,
      project,
      quietMs: QUIET_MS,
      basePaths: (config) => basePaths(home, config),
    });
    moved.push(...fed.moved);
    const fresh = fed.unsettled.some(({ why }) => why === 'fresh');
    if (!fresh || look >= PATIENCE) return { ...fed, moved };
    await wait(QUIET_MS);
  }
}

async function refuseProject({ output }: Context, home: string, { project, refused }: Fed): Promise<void> {
  const [first] = refused;
  if (first === undefined) return;
  throw new DispatchError(first.code, `${project} cannot be fed: ${problemCounts(refused)}`, {
    where: home,
    why: await problemsText(home, refused, output.notePaint),
    fix: `dispatch validate ${project}`,
  });
}

async function watch(context: Context, home: string, project: string): Promise<ExitCode> {
  const { output } = context;
  const stop = interruption();
  let telling: Promise<void> = Promise.resolve();
  const watcher = new FeedWatch({
    home,
    basePaths: (config) => basePaths(home, config),
    projects: async () => [project],
    onFed: (fed) => {
      telling = telling.then(() => tell(context, home, fed));
    },
    onError: (error) =>
      output.note(safeLine(`feed: ${error instanceof Error ? error.message : String(error)}; trying again`)),
  });
  watcher.follow(NO_SCHEDULE);
  output.note(`watching specs/${project}/pending; Ctrl-C ends it`);
  try {
    await stop.asked;
    return EXIT.ok;
  } finally {
    await watcher.stop();
    await telling;
    stop.forget();
  }
}

/** Says what went and what stays, and has a controller that runs the project take up what went. */
async function tell(context: Context, home: string, fed: Fed): Promise<void> {
  const { output } = context;
  const { moved, held, unsettled } = fed;
  const taken = moved.length > 0 && (await handOver(context, home, fed.project));
  if (output.format === 'json') {
    const data = {
      project: fed.project,
      moved,
      held: held.map(({ file, problems }) => ({ file, problems })),
      unsettled,
      taken,
    };
    output.envelope('Feed', data);
    return;
  }
  if (output.format === 'ndjson') {
    for (const one of moved) output.event('Fed', one);
    for (const { file, problems } of held) output.event('Held', { file, problems });
    return;
  }
  if (output.format === 'name') {
    for (const { id } of moved) output.line(id);
    return;
  }
  const { paint } = output;
  for (const { id, title } of moved) output.line(`${paint.green('queued')}  ${id}  ${safeLine(title)}`);
  for (const { file, problems } of held) {
    output.line(`${paint.red('stays')}   ${safeLine(file)}: ${problemCounts(problems)}`);
    output.write(`${await problemsText(home, problems, paint)}\n`);
  }
  for (const { file, why } of unsettled)
    output.note(
      safeLine(
        `${file} is ${why === 'open' ? 'open in an editor' : 'being written'}: left for the next time`,
      ),
    );
  if (moved.length + held.length + unsettled.length === 0) output.note('nothing is pending');
  if (moved.length > 0 && !taken) output.note(`\nNext: dispatch start ${fed.project}`);
}

/** What `serve` keeps it sees by itself; a `start` that runs the project is told. */
async function handOver(context: Context, home: string, project: string): Promise<boolean> {
  const { output } = context;
  await awaitController(context, home);
  const { socket } = homePaths(home);
  const about = await aboutController(socket);
  if (about === null) return false;
  if (about.kind === 'serve') return true;
  const reply = await handToController(socket, { project: projectName(project) }).catch(() => null);
  if (reply?.ok === true) return true;
  if (reply !== null) output.note(safeLine(`the controller that runs has not taken it up: ${reply.message}`));
  return false;
}
