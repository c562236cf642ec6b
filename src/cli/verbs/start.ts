/** Runs projects: becomes the controller, shows what happens, ends when nothing more can happen without a person. */
import type { Session } from '../../controller/session.ts';
import type { Settlement } from '../../controller/settlement.ts';
import { DispatchError } from '../../model/error.ts';
import type { Event } from '../../model/event.ts';
import { EXIT } from '../../model/exit.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { NodeConfig } from '../../model/spec.ts';
import type { State } from '../../model/state.ts';
import type { Context } from '../context.ts';
import { homeFlag } from '../home.ts';
import { loadForWork } from '../load-for-work.ts';
import { exitOfSignal, interruption } from '../progress/interrupt.ts';
import { type Screen, screenFor } from '../progress/screen.ts';
import { noNodeReached, runsNowhere } from '../progress/stranded.ts';
import { keepForSummary, summarise } from '../progress/summary.ts';

export interface StartOptions {
  readonly skipControl?: string;
}

export async function start(
  context: Context,
  names: readonly string[],
  options: StartOptions = {},
): Promise<number> {
  const { environment, output } = context;
  const home = context.home();
  const { nodes, projects } = await loadForWork(context, home, names);
  const wanted = projects.map(({ config }) => config.name);
  const kept: Event[] = [];
  const screen = await screenFor(context, wanted);
  const stop = interruption();
  const { openSession } = await import('../../controller/session.ts');
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
    const skip = skipOf(options, environment.user);
    for (const project of wanted) await running.command({ verb: 'start', project, ...skip });
    waitsForNodes(running, screen, wanted);
    const stranded = running.stranded((state) => runsNowhere(state, wanted));
    const settled = await Promise.race([running.settled(wanted), stop.asked, stranded]);
    if (settled === undefined) {
      await screen.end();
      const again = `dispatch start ${wanted.join(' ')}${homeFlag(environment, home)}`;
      throw noNodeReached(running, nodes, again);
    }
    if (typeof settled === 'string') {
      await screen.end();
      output.note(detachedText(wanted, homeFlag(environment, home)));
      return exitOfSignal(settled);
    }
    await screen.end(isComplete(settled));
    summarise(context, { state: running.state, events: kept, projects: wanted, slots: slotsOf(nodes) });
    if (!isComplete(settled) && allMarked(nodes, running.state)) {
      const names = nodes.map(({ name }) => name).join(' ');
      output.note(`every node is cordoned or draining, so nothing starts: dispatch nodes uncordon ${names}`);
    }
    refuseFailedControls(running, wanted);
    return isComplete(settled) ? EXIT.ok : EXIT.unfinished;
  } finally {
    stop.forget();
    await screen.end();
    await session?.detach();
  }
}

function skipOf({ skipControl }: StartOptions, user: string): { skipControl?: string } {
  return skipControl === undefined ? {} : { skipControl: `${user}: ${skipControl}` };
}

/** @throws DispatchError when a gate of these projects has not shown that it can judge: no new work was started. */
function refuseFailedControls(session: Session, projects: readonly ProjectName[]): void {
  const { controls } = session.snapshot();
  for (const project of projects) {
    const failed = controls?.get(project)?.failed ?? [];
    const [first] = failed;
    if (first === undefined) continue;
    const proves = first.code === 'E_GATE_PROVES_NOTHING';
    throw new DispatchError(
      first.code,
      proves
        ? `no work of ${project} was started: its gate proves nothing`
        : `no work of ${project} was started: its gate cannot be tried`,
      {
        where: `specs/${project}`,
        why: failed.map(({ message }) => message).join('\n'),
        fix: proves
          ? `dispatch explain ${first.code}; where it is meant so: dispatch start ${project} --skip-control <reason>`
          : `dispatch doctor; then again: dispatch start ${project}`,
      },
    );
  }
}

/** Attempts live where nobody answers now: they go on, and so does this verb. */
function waitsForNodes(session: Session, screen: Screen, projects: readonly ProjectName[]): void {
  const message = 'none can be reached; attempts run there, so trying on until one is';
  const fix = 'dispatch doctor says what is wrong';
  session.nodesTried().then(
    (reached) => {
      if (reached || runsNowhere(session.state, projects)) return;
      screen.note({ about: 'node', name: 'nodes', code: null, message, fix });
    },
    // What stopped the controller is told by `settled`.
    () => {},
  );
}

function isComplete({ failed, waiting, blocked }: Settlement): boolean {
  return failed.length + waiting.length + blocked.length === 0;
}

function allMarked(nodes: readonly NodeConfig[], { nodes: known }: State): boolean {
  return nodes.every(({ name }) => (known.get(name)?.mark ?? 'none') !== 'none');
}

function slotsOf(nodes: readonly NodeConfig[]): number {
  return nodes.reduce((sum, node) => sum + node.slots, 0);
}

function detachedText(projects: readonly ProjectName[], flag: string): string {
  const names = projects.join(' ');
  return [
    'detached; the agents that run go on, and what they finish is kept on their nodes.',
    `  dispatch start ${names}${flag}    go on from here`,
    `  dispatch status${flag}    look`,
    `  dispatch cancel --all${flag}    stop the work`,
  ].join('\n');
}
