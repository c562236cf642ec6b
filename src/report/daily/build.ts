/** From what was counted, and the state at the end, to the report. */
import type { Event } from '../../model/event.ts';
import type { NodeName, ProjectName, TaskKey } from '../../model/ids.ts';
import type { Step } from '../../model/attempt.ts';
import type { State } from '../../model/state.ts';
import type { Project } from '../../model/task.ts';
import type { Axis } from './axis.ts';
import { capacityOf } from '../advice.ts';
import { buildReport } from '../build.ts';
import { flakyGates } from '../flaky.ts';
import type { Report } from '../model.ts';
import { failuresOf, gateTimes, retriesOf, spendingOf } from './attempts-of-day.ts';
import { kindRates } from './first-rounds.ts';
import type { DailyOptions, NodeTally } from './fold.ts';
import { lanesOf } from './lanes.ts';
import type {
  AlertDay,
  Bucket,
  DailyReport,
  FleetDay,
  FlakyDay,
  NodeDay,
  ProjectDay,
  Standing,
} from './model.ts';
import type { Price } from './money.ts';
import type { Noted } from './noted.ts';
import { nextSteps } from './tomorrow.ts';
import { endedIn, type Window } from './window.ts';

export interface Folded {
  readonly options: DailyOptions;
  readonly price: Price;
  readonly until: number;
  /** At the end. */
  readonly state: State;
  readonly connected: ReadonlySet<NodeName>;
  readonly windows: {
    readonly main: Window;
    readonly before: Window;
    readonly trend: readonly { readonly date: string; readonly window: Window }[];
  };
  /** The first event of all; null: there is none. */
  readonly firstAt: number | null;
  readonly axis: Axis;
  readonly buckets: readonly Bucket[];
  readonly bucketMs: number;
  readonly noted: Noted;
  readonly nodes: ReadonlyMap<NodeName, NodeTally>;
  readonly steps: Readonly<Record<Step, number>>;
  readonly firstSeen: ReadonlyMap<NodeName, { readonly at: number; readonly doneAt: number | null }>;
  /** The last word on each project's delivery. */
  readonly deliveries: readonly Event[];
  readonly conflicted: ReadonlySet<TaskKey>;
  readonly blind: { readonly asleep: number; readonly absent: number };
  readonly restarts: number;
  readonly events: number;
}

export function buildDay(folded: Folded): DailyReport {
  const { options, state, until, windows, noted, price } = folded;
  const { period, nodes } = options;
  const ended = endedIn(state, windows.main);
  const slots = nodes.reduce((sum, node) => sum + node.slots, 0);
  const reports = [...state.projects.values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((project) => ({
      project,
      report: buildReport({ state, events: folded.deliveries, project, slots, now: until }),
    }));
  const days = reports.map(({ project, report }) => projectDay(project, report, folded));
  const loud = days.filter(isWorthTelling);
  const trend = windows.trend.filter(({ window }) => isInLog(window, folded));
  const capacity = capacityOf({
    state,
    fleet: { nodes, connected: folded.connected },
    conflicted: folded.conflicted,
    projects: null,
    now: until,
  });
  const begun = period.kind === 'day' ? 1 : Math.max(1, trend.length);
  return {
    period,
    until,
    measures: windows.main.measures(state, price, begun),
    before: isInLog(windows.before, folded) ? windows.before.measures(state, price, begunIn(folded)) : null,
    trend: trend.map(({ date, window }) => ({ date, measures: window.measures(state, price) })),
    alerts: alertsOfDay(state, period.from),
    projects: loud,
    quiet: days.filter((day) => !loud.includes(day)).map(({ project }) => project),
    failures: failuresOf(ended, noted),
    retries: retriesOf(state, ended, windows.main),
    flaky: flakyOf(reports, noted),
    gates: gateTimes(state, windows.main),
    steps: folded.steps,
    fleet: fleetDay(folded),
    timeline:
      period.kind === 'day' ? lanesOf(state, { period, axis: folded.axis, until }) : { lanes: [], more: 0 },
    axis: folded.axis,
    spending: spendingOf(state, ended, price, noted),
    pricesAsOf: options.prices?.asOf ?? null,
    specs: kindRates(ended, state),
    person: windows.main.acts.sum(),
    capacity,
    tomorrow: nextSteps({ projects: days, state, capacity, fleet: nodes, connected: folded.connected }),
    events: folded.events,
  };
}

/** Those that were over before the period are another report's. */
function alertsOfDay({ alerts }: State, from: number): AlertDay[] {
  return [...alerts.values()]
    .filter(({ resolved }) => resolved === null || resolved.at >= from)
    .map(({ level, key, about, message, since, resolved }): AlertDay => {
      return { level, key, about, message, since, is: resolved === null ? 'open' : 'over' };
    })
    .toSorted(
      (a, b) =>
        Number(a.is === 'over') - Number(b.is === 'over') ||
        (a.level < b.level ? -1 : a.level > b.level ? 1 : 0),
    );
}

function begunIn({ options }: Folded): number {
  return options.period.kind === 'day' ? 1 : 7;
}

/** The log had begun, and the span too. */
function isInLog({ from, to }: Window, { firstAt, until }: Folded): boolean {
  return firstAt !== null && firstAt < to && from < until;
}

function projectDay(
  project: Project,
  report: Report,
  { noted, state }: Pick<Folded, 'noted' | 'state'>,
): ProjectDay {
  const { waiting, alerts, delivery, target } = report;
  const kept = noted.projects.get(project.name);
  return {
    project: project.name,
    target,
    standing: standingOf(project.name, report, state),
    merged: kept?.merged ?? [],
    refusals: kept?.refusals ?? [],
    failed: kept?.failed ?? [],
    conflicts: kept?.conflicts ?? [],
    reverted: kept?.reverted ?? [],
    delivered: kept?.delivered ?? 0,
    waiting,
    alerts,
    delivery,
  };
}

/** Who has the next move on each task. */
function standingOf(project: ProjectName, { tasks }: Report, state: State): Standing {
  const standing = {
    total: tasks.length,
    merged: 0,
    you: 0,
    agents: 0,
    gates: 0,
    slots: 0,
    tasks: 0,
    out: 0,
  };
  for (const { id, status } of tasks) {
    const progress = state.tasks.get(`${project}/${id}` as TaskKey)?.progress;
    standing[moverOf(status, progress?.at === 'parked')] += 1;
  }
  return standing;
}

function moverOf(
  status: Report['tasks'][number]['status'],
  parked: boolean,
): Exclude<keyof Standing, 'total'> {
  switch (status) {
    case 'merged':
      return 'merged';
    case 'review':
    case 'failed':
    case 'reverted':
      return 'you';
    case 'conflict':
      return parked ? 'you' : 'agents';
    case 'running':
      return 'agents';
    case 'gating':
      return 'gates';
    case 'ready':
      return 'slots';
    case 'waiting':
    case 'locked':
    case 'blocked':
      return 'tasks';
    case 'cancelled':
      return 'out';
  }
}

function isWorthTelling(day: ProjectDay): boolean {
  const { standing, waiting, alerts, delivered } = day;
  const lists = [day.merged, day.refusals, day.failed, day.conflicts, day.reverted, waiting, alerts];
  const open = standing.total - standing.merged - standing.out;
  return lists.some(({ length }) => length > 0) || delivered > 0 || open > 0;
}

function flakyOf(reports: readonly { project: Project }[], noted: Noted): FlakyDay[] {
  return reports
    .flatMap(({ project }) => {
      const today = noted.flakes.get(project.name);
      return flakyGates(project).flatMap((gate): FlakyDay[] => {
        const times = today?.get(gate.verify) ?? 0;
        return times === 0 ? [] : [{ ...gate, project: project.name, today: times }];
      });
    })
    .toSorted((a, b) => b.today - a.today || b.rate - a.rate);
}

function fleetDay(folded: Folded): FleetDay {
  const { options, windows, buckets, blind } = folded;
  const known = new Map(options.nodes.map(({ name, slots }) => [name, slots]));
  const names = [...new Set([...known.keys(), ...folded.nodes.keys()])];
  const nodes = names.map((node): NodeDay => {
    const tally = folded.nodes.get(node) ?? NOTHING;
    return { node, slots: known.get(node) ?? null, ...tally };
  });
  return {
    nodes: nodes
      .filter(({ slots, attempts, usedMs }) => slots !== null || attempts > 0 || usedMs > 0)
      .toSorted((a, b) => b.usedMs - a.usedMs),
    buckets,
    bucketMs: folded.bucketMs,
    asleepMs: blind.asleep,
    absentMs: blind.absent,
    restarts: folded.restarts,
    onboarded: [...folded.firstSeen].flatMap(([node, { at, doneAt }]) =>
      windows.main.has(at)
        ? { node, connectedAt: at, tookMs: doneAt === null ? null : Math.max(0, doneAt - at) }
        : [],
    ),
  };
}

const NOTHING: NodeTally = { usedMs: 0, availableMs: 0, awayMs: 0, peak: 0, attempts: 0, outages: 0 };
