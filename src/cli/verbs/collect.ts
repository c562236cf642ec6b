/** Lands what passed on the target: asks the controller that runs, or becomes one that starts no new work. */
import type { Session } from '../../controller/session.ts';
import { homePaths } from '../../controller/paths.ts';
import { askController } from '../../controller/socket.ts';
import { codeEntry } from '../../model/codes/index.ts';
import type { ErrorCode } from '../../model/codes/index.ts';
import { DispatchError } from '../../model/error.ts';
import type { Event } from '../../model/event.ts';
import { EXIT } from '../../model/exit.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { State } from '../../model/state.ts';
import { loadHome, loadProject } from '../../spec/load.ts';
import { orderingController } from '../ordering-controller.ts';
import type { Context } from '../context.ts';
import { homeFlag } from '../home.ts';
import { loadForWork } from '../load-for-work.ts';
import { follow } from '../progress/follow.ts';
import { type Interrupt, exitOfSignal, interruption } from '../progress/interrupt.ts';
import { type Screen, screenFor } from '../progress/screen.ts';
import { gateWaits, noNodeReached } from '../progress/stranded.ts';
import { keepForSummary, summarise } from '../progress/summary.ts';
import { selectProject } from '../select.ts';
import { viewOrNull, withView } from '../view.ts';

export function collect(context: Context, typed: string): Promise<number> {
  const home = context.home();
  return orderingController(context, home, () => collectIn(context, home, typed));
}

async function collectIn(context: Context, home: string, typed: string): Promise<number> {
  const known = await viewOrNull(context, async ({ state, eventCount }) => ({
    project: selectProject(state, typed).name,
    since: eventCount,
  }));
  if (known !== null) {
    const { project, since } = known;
    const reply = await askController(homePaths(home).socket, { verb: 'collect', project });
    if (reply?.ok === false) throw new DispatchError(reply.code, reply.message);
    // From before it was asked: a delivery that needs no gate is over before the store has been opened again.
    if (reply !== null) return followOther(context, project, since);
  }
  return collectOurselves(context, home, known?.project ?? null, typed);
}

async function collectOurselves(
  context: Context,
  home: string,
  known: ProjectName | null,
  typed: string,
): Promise<number> {
  const { nodes, projects } = await loadForCollect(context, home, known, typed);
  const project = known ?? (typed as ProjectName);
  const kept: Event[] = [];
  const screen = await screenFor(context, [project]);
  const stop = interruption();
  const { openSession } = await import('../../controller/open-session.ts');
  let session: Session | null = null;
  try {
    session = await openSession({
      home,
      nodes,
      projects,
      onEvents: (events, state) => {
        kept.push(...events.filter(keepForSummary));
        screen.events(events, state);
      },
      onNote: (note) => screen.note(note),
    });
    const running = session;
    screen.watch(() => running.snapshot());
    const reply = await running.command({ verb: 'collect', project });
    if (!reply.ok) throw new DispatchError(reply.code, reply.message);
    const stranded = running.until.stranded((state) => gateWaits(state, project)).then(() => null);
    const ended = await Promise.race([running.until.collected(project), stop.asked, stranded]);
    if (ended === null) {
      await screen.end();
      throw noNodeReached(
        running,
        nodes,
        `dispatch collect ${project}${homeFlag(context.environment, home)}`,
      );
    }
    if (typeof ended === 'string') return await interrupted(context, home, project, ended, screen);
    await screen.end(kept.some(({ fact }) => fact.type === 'delivery.landed'));
    const slots = nodes.reduce((sum, node) => sum + node.slots, 0);
    return conclude(context, { state: running.state, events: kept, project, slots });
  } finally {
    stop.forget();
    await screen.end();
    await session?.detach();
  }
}

/** A mistake in a spec that was written since must not keep finished work from landing: then what was started counts. */
async function loadForCollect(
  context: Context,
  home: string,
  known: ProjectName | null,
  typed: string,
): Promise<Pick<Awaited<ReturnType<typeof loadForWork>>, 'nodes' | 'projects'>> {
  if (known === null) return loadForWork(context, home, [typed]);
  const { nodes } = await loadHome(home);
  const { config, specs, problems } = await loadProject(home, known);
  if (config !== null && problems.every(({ severity }) => severity === 'warning')) {
    return { nodes, projects: [{ config, specs }] };
  }
  context.output.note(
    `specs/${known} has errors (dispatch validate ${known}); collecting what was started before`,
  );
  return { nodes, projects: [] };
}

/** The controller that runs collects; this process only watches the store. */
async function followOther(context: Context, project: ProjectName, since: number): Promise<number> {
  const screen = await screenFor(context, [project]);
  const stop = interruption();
  try {
    return await withView(context, async (view) => {
      screen.watch(() => view.snapshot() ?? view.assumed());
      let ended = false;
      const { end, events } = await follow({
        view,
        since,
        screen,
        stop: stop.asked,
        over: (fresh) => {
          ended ||= fresh.some((event) => endsDelivery(event, project));
          return ended && view.state.projects.get(project)?.delivery == null;
        },
        patienceMs: 0,
      });
      if (end !== 'over' && end !== 'gone')
        return await interrupted(context, view.home, project, end, screen);
      await screen.end(events.some(({ fact }) => fact.type === 'delivery.landed'));
      const slots = view.nodes.reduce((sum, node) => sum + node.slots, 0);
      return conclude(context, { state: view.state, events, project, slots });
    });
  } finally {
    stop.forget();
    await screen.end();
  }
}

function endsDelivery({ fact }: Event, project: ProjectName): boolean {
  return (fact.type === 'delivery.landed' || fact.type === 'delivery.failed') && fact.project === project;
}

async function interrupted(
  { environment, output }: Context,
  home: string,
  project: ProjectName,
  signal: Interrupt,
  screen: Screen,
): Promise<number> {
  await screen.end();
  output.note(
    `detached; nothing is half done. Go on with: dispatch collect ${project}${homeFlag(environment, home)}`,
  );
  return exitOfSignal(signal);
}

function conclude(
  context: Context,
  run: { state: State; events: readonly Event[]; project: ProjectName; slots: number },
): number {
  const { state, events, project, slots } = run;
  const last = events.findLast((event) => endsDelivery(event, project))?.fact;
  if (last?.type === 'delivery.failed') {
    throw new DispatchError(codeOr(last.code), last.message, {
      where: state.projects.get(project)?.config.repo ?? project,
      why: [last.why, 'nothing was landed; what merged is kept']
        .filter((part) => part !== undefined)
        .join('\n'),
      fix: last.fix ?? `dispatch explain ${last.code}`,
    });
  }
  summarise(context, { state, events, projects: [project], slots });
  if (last?.type !== 'delivery.landed') return EXIT.unfinished;
  const { output } = context;
  const target = state.projects.get(project)?.config.target ?? '';
  if (!output.machine)
    output.line(
      `${output.paint.green('delivered')} ${last.commit.slice(0, 10)} to ${target} (${countText(last.tasks.length)})`,
    );
  return leftover(state, project) === 0 ? EXIT.ok : EXIT.unfinished;
}

/** What a delivery brings besides new work is what took work out. */
function countText(tasks: number): string {
  return tasks === 0 ? 'no new task' : tasks === 1 ? '1 task' : `${tasks} tasks`;
}

/** Tasks that are not on the target. */
function leftover(state: State, project: ProjectName): number {
  let count = 0;
  for (const { spec, progress } of state.tasks.values()) {
    if (spec.project === project && progress.at !== 'merged') count += 1;
  }
  return count;
}

/** An event keeps its code as text; one of an older version may not be known any more. */
function codeOr(code: string): ErrorCode {
  return codeEntry(code) === undefined ? 'E_INTERNAL' : (code as ErrorCode);
}
