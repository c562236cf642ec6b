/**
 * Runs projects and shows what happens until nothing more can happen without a person: as the controller, or, where
 * `dispatch serve` keeps the home, by handing them to it and watching.
 */
import type { AlertWatch } from '../../controller/alert-watch.ts';
import type { Note } from '../../controller/note.ts';
import { budgetRules } from '../../controller/budget-rules.ts';
import type { Session } from '../../controller/session.ts';
import type { LoadedProject } from '../../controller/takeover.ts';
import type { Reply } from '../../controller/commands.ts';
import { homePaths } from '../../controller/paths.ts';
import { type Settlement, settlement } from '../../controller/settlement.ts';
import { aboutController, handToController } from '../../controller/socket.ts';
import { DispatchError } from '../../model/error.ts';
import type { Event } from '../../model/event.ts';
import { EXIT } from '../../model/exit.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { NodeConfig } from '../../model/spec.ts';
import type { State } from '../../model/state.ts';
import { loadAlerts, loadHomeConfig, loadProject, planProblem } from '../../spec/load.ts';
import { alertLines, alertsOf } from '../../report/alerts.ts';
import { budgetAlerts } from '../../report/budget-alerts.ts';
import type { Snapshot } from '../../schedule/snapshot.ts';
import { orderingController } from '../ordering-controller.ts';
import type { Context } from '../context.ts';
import { secretVariable } from '../environment.ts';
import { homeFlag } from '../home.ts';
import { loadForWork, type Work } from '../load-for-work.ts';
import { follow } from '../progress/follow.ts';
import { exitOfSignal, interruption } from '../progress/interrupt.ts';
import { type Screen, screenFor } from '../progress/screen.ts';
import { noNodeReached, runsNowhere } from '../progress/stranded.ts';
import { keepForSummary, summarise } from '../progress/summary.ts';
import { safeLine } from '../render/safe-text.ts';
import { viewOrNull, withView } from '../view.ts';

export interface StartOptions {
  readonly skipControl?: string;
}

export async function start(
  context: Context,
  names: readonly string[],
  options: StartOptions = {},
): Promise<number> {
  const { environment } = context;
  const home = context.home();
  const { nodes, projects, budget } = await loadForWork(context, home, names);
  await refuseUnplanned(home, projects);
  const wanted = projects.map(({ config }) => config.name);
  const run = { home, nodes, projects, budget, wanted, skip: skipOf(options, environment.user) };
  return orderingController(context, home, () => runOrWatch(context, run));
}

interface Run extends Served {
  readonly projects: readonly LoadedProject[];
  readonly budget: Work['budget'];
}

async function runOrWatch(context: Context, run: Run): Promise<number> {
  const { home, nodes, projects, budget, wanted, skip } = run;
  const { environment, output } = context;
  if ((await aboutController(homePaths(home).socket))?.kind === 'serve') return watchServed(context, run);
  const kept: Event[] = [];
  const screen = await screenFor(context, wanted);
  const stop = interruption();
  const { openSession } = await import('../../controller/open-session.ts');
  let session: Session | null = null;
  let alerts: AlertWatch | null = null;
  try {
    session = await openSession({
      home,
      nodes,
      projects,
      budget,
      onEvents: (events, state) => {
        kept.push(...events.filter(keepForSummary));
        alerts?.note(events, state);
        screen.events(events, state);
      },
      onNote: (note) => screen.note(note),
      again: async (project) =>
        session === null || !wanted.includes(project)
          ? {
              ok: false,
              code: 'E_CONTROLLER_RUNNING',
              message: `it runs ${wanted.join(', ')} and nothing else`,
            }
          : takeAgain(session, home, project),
    });
    const running = session;
    // What happens is on the screen already; the other sinks may be where nobody looks at it.
    const { AlertWatch } = await import('../../controller/alert-watch.ts');
    const onNote = (note: Note): void => screen.note(note);
    alerts = new AlertWatch({ home, session, variable: secretVariable, onNote, showsAlerts: false });
    alerts.follow((await loadAlerts(home)).settings);
    screen.watch(() => running.snapshot());
    for (const project of wanted) await running.command({ verb: 'start', project, ...skip });
    waitsForNodes(running, screen, wanted);
    const stranded = running.until.stranded((state) => runsNowhere(state, wanted));
    const settled = await Promise.race([running.until.settled(wanted), stop.asked, stranded]);
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
    const exit = conclude(context, { state: running.state, events: kept, nodes, wanted, settled });
    noteBudgets(context, running.snapshot(), wanted);
    refuseFailedControls(running.snapshot(), wanted);
    refuseChangedContract(running.state, wanted);
    return exit;
  } finally {
    stop.forget();
    await screen.end();
    alerts?.stop();
    await session?.detach();
  }
}

/** The project as it is on disk now; what was fed is taken up. What is wrong with it changes nothing. */
async function takeAgain(session: Session, home: string, project: ProjectName): Promise<Reply> {
  // Whoever has raised what all projects may spend asks for this too.
  const settings = await loadHomeConfig(home);
  if (settings.problems.every(({ severity }) => severity === 'warning'))
    session.allow(budgetRules(settings.config));
  const { config, specs, problems } = await loadProject(home, project);
  const error = problems.find(({ severity }) => severity === 'error');
  if (error !== undefined) {
    const { code, file, line, col, message } = error;
    return { ok: false, code, message: `${file}:${line}:${col}: ${message}` };
  }
  if (config === null)
    return { ok: false, code: 'E_PROJECT_NO_CONFIG', message: `${project} cannot be read` };
  await session.take({ config, specs });
  return { ok: true, notes: [] };
}

/** @throws DispatchError E_PLAN_MISSING, E_PLAN_STALE; nothing was started. */
async function refuseUnplanned(home: string, projects: readonly LoadedProject[]): Promise<void> {
  for (const { config, specs } of projects) {
    const problem = await planProblem(
      home,
      config,
      specs.map(({ spec }) => spec),
    );
    if (problem === null) continue;
    const { code, message, file, fix } = problem;
    throw new DispatchError(code, message, { where: file, ...(fix === undefined ? {} : { fix }) });
  }
}

/** How long a served home may be without its controller before watching ends; a supervisor starts it again sooner. */
const GONE_MS = 60_000;

/** Between two questions to the controller, milliseconds. */
const ASK_MS = 1000;

function withTrials(snapshot: Snapshot, controls: NonNullable<Snapshot['controls']>): Snapshot {
  return { ...snapshot, controls: new Map([...(snapshot.controls ?? []), ...controls]) };
}

interface Served {
  readonly home: string;
  readonly nodes: readonly NodeConfig[];
  readonly wanted: readonly ProjectName[];
  readonly skip: { readonly skipControl?: string };
}

/** Hands the projects to the controller that keeps the home. From then on this process only looks. */
async function watchServed(context: Context, { home, nodes, wanted, skip }: Served): Promise<number> {
  const { environment, output } = context;
  const { socket } = homePaths(home);
  const since = (await viewOrNull(context, async ({ eventCount }) => eventCount)) ?? 0;
  for (const project of wanted) {
    const reply = await handToController(socket, { project, ...skip });
    if (reply === null) throw gone(home);
    if (!reply.ok) throw new DispatchError(reply.code, reply.message, { where: `specs/${project}` });
  }
  const screen = await screenFor(context, wanted);
  const stop = interruption();
  try {
    return await withView(context, async (view) => {
      screen.watch(() => view.snapshot() ?? view.assumed());
      let settled: Settlement | null = null;
      // Only the controller knows which gates have failed their trial.
      let controls: NonNullable<Snapshot['controls']> = new Map();
      const asking = setInterval(() => {
        void aboutController(socket).then((about) => {
          if (about !== null) controls = new Map(about.controls);
        });
      }, ASK_MS).unref();
      const { end, events } = await follow({
        view,
        since,
        screen,
        stop: stop.asked,
        over: () => {
          const snapshot = view.snapshot();
          settled = snapshot === null ? null : settlement(withTrials(snapshot, controls), wanted, Date.now());
          return settled !== null;
        },
        patienceMs: GONE_MS,
      }).finally(() => clearInterval(asking));
      if (end === 'gone') throw gone(home);
      await screen.end(settled !== null && isComplete(settled));
      if (end !== 'over' || settled === null) {
        output.note(unwatchedText(wanted, homeFlag(environment, home)));
        return end === 'over' ? EXIT.ok : exitOfSignal(end);
      }
      const exit = conclude(context, { state: view.state, events, nodes, wanted, settled });
      noteBudgets(context, view.assumed(), wanted);
      refuseFailedControls({ controls }, wanted);
      refuseChangedContract(view.state, wanted);
      return exit;
    });
  } finally {
    stop.forget();
    await screen.end();
  }
}

function gone(home: string): DispatchError {
  return new DispatchError('E_CONTROLLER_GONE', 'the controller of this home went away', {
    where: home,
    fix: 'dispatch tunnels status   (or `dispatch serve`, or `dispatch start` again without one)',
  });
}

function conclude(
  context: Context,
  run: {
    readonly state: State;
    readonly events: readonly Event[];
    readonly nodes: readonly NodeConfig[];
    readonly wanted: readonly ProjectName[];
    readonly settled: Settlement;
  },
): number {
  const { state, events, nodes, wanted, settled } = run;
  summarise(context, { state, events, projects: wanted, slots: slotsOf(nodes) });
  if (isComplete(settled)) return EXIT.ok;
  if (allMarked(nodes, state)) {
    const names = nodes.map(({ name }) => name).join(' ');
    context.output.note(
      `every node is cordoned or draining, so nothing starts: dispatch nodes uncordon ${names}`,
    );
  }
  return EXIT.unfinished;
}

/** What is left to start may wait for money. */
function noteBudgets({ output }: Context, snapshot: Snapshot, projects: readonly ProjectName[]): void {
  for (const line of alertLines(budgetAlerts(snapshot, new Set(projects), Date.now())))
    output.note(safeLine(line));
}

function skipOf({ skipControl }: StartOptions, user: string): { skipControl?: string } {
  return skipControl === undefined ? {} : { skipControl: `${user}: ${skipControl}` };
}

/** @throws DispatchError when a gate of these projects has not shown that it can judge: no new work was started. */
function refuseFailedControls(
  { controls }: Pick<Snapshot, 'controls'>,
  projects: readonly ProjectName[],
): void {
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

/** @throws DispatchError when work of these projects waits for a person's word on their contract. */
function refuseChangedContract(state: State, projects: readonly ProjectName[]): void {
  for (const name of projects) {
    const project = state.projects.get(name);
    const alert =
      project === undefined
        ? undefined
        : alertsOf(state, project).find(({ code }) => code === 'E_CONTRACT_CHANGED');
    const waits = [...state.tasks.values()].some(
      ({ spec, progress }) => spec.project === name && progress.at === 'open',
    );
    if (alert === undefined || !waits) continue;
    throw new DispatchError(alert.code, `${name}: ${alert.message}`, {
      where: `specs/${name}`,
      ...(alert.fix === null ? {} : { fix: alert.fix }),
    });
  }
}

/** Attempts live where nobody answers now: they go on, and so does this verb. */
function waitsForNodes(session: Session, screen: Screen, projects: readonly ProjectName[]): void {
  const message = 'none can be reached; attempts run there, so trying on until one is';
  const fix = 'dispatch doctor says what is wrong';
  session.until.nodesTried().then(
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

function unwatchedText(projects: readonly ProjectName[], flag: string): string {
  const names = projects.join(' ');
  return [
    'no longer watching; the controller goes on with it.',
    `  dispatch start ${names}${flag}    watch again`,
    `  dispatch status${flag}    look`,
    `  dispatch cancel --all${flag}    stop the work`,
  ].join('\n');
}
