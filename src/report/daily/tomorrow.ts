/** What to type tomorrow, most useful first: what stops everybody, then what waits for a person, then what else goes on. */
import type { NodeName } from '../../model/ids.ts';
import type { NodeConfig } from '../../model/spec.ts';
import type { State } from '../../model/state.ts';
import type { Capacity } from '../advice.ts';
import type { NextStep, ProjectDay } from './model.ts';

/** Single tasks named for each project; `status` has the others. */
const TASKS_NAMED = 2;

export function nextSteps({
  projects,
  state,
  capacity,
  fleet,
  connected,
}: {
  readonly projects: readonly ProjectDay[];
  readonly state: State;
  readonly capacity: Capacity;
  readonly fleet: readonly NodeConfig[];
  readonly connected: ReadonlySet<NodeName>;
}): NextStep[] {
  return [
    ...projects.flatMap((day) => stops(day, state)),
    ...projects.flatMap((day) => collects(day, state)),
    ...projects.flatMap(reviews),
    ...projects.flatMap(mends),
    ...projects.flatMap(starts),
    ...machines(capacity, fleet, connected),
  ];
}

function stops({ project, alerts }: ProjectDay, state: State): NextStep[] {
  const hold = state.projects.get(project)?.hold ?? null;
  const release = `dispatch queue release ${project}`;
  return [
    ...alerts.flatMap(({ fix, message }): NextStep[] =>
      fix === null || fix === release ? [] : [{ do: 'alert', command: fix, project, message }],
    ),
    ...(hold === null ? [] : [{ do: 'release' as const, command: release, reason: hold.reason }]),
  ];
}

function reviews({ waiting }: ProjectDay): NextStep[] {
  return waiting
    .filter(({ what }) => what === 'review' || what === 'found')
    .slice(0, TASKS_NAMED)
    .map(({ command, task, reason }) => ({ do: 'review', command, task, reason }));
}

function mends({ project, waiting }: ProjectDay): NextStep[] {
  return waiting
    .filter(({ what }) => what !== 'review' && what !== 'found')
    .slice(0, TASKS_NAMED)
    .map(({ task, command, reason }) => ({
      do: 'mend',
      command: `dispatch logs ${project}/${task}`,
      next: command,
      task,
      reason,
    }));
}

function collects({ project, target, delivery, standing }: ProjectDay, state: State): NextStep[] {
  if ((state.projects.get(project)?.config.repo ?? null) === null || delivery.is === 'running') return [];
  const count = delivery.is === 'landed' ? delivery.pending : standing.merged;
  return count === 0 ? [] : [{ do: 'collect', command: `dispatch collect ${project}`, target, count }];
}

function starts({ project, standing }: ProjectDay): NextStep[] {
  const count = standing.agents + standing.gates + standing.slots + standing.tasks;
  return count === 0 ? [] : [{ do: 'start', command: `dispatch start ${project}`, count }];
}

function machines(
  { advice }: Capacity,
  fleet: readonly NodeConfig[],
  connected: ReadonlySet<NodeName>,
): NextStep[] {
  const away = fleet.filter(({ name, slots }) => slots > 0 && !connected.has(name)).map(({ name }) => name);
  const reach: NextStep[] =
    away.length === 0
      ? []
      : [{ do: 'reach', command: `dispatch nodes probe ${away.join(' ')}`, nodes: away }];
  const add = advice.flatMap((one): NextStep[] =>
    one.advise === 'add-nodes'
      ? [
          {
            do: 'add-nodes',
            command: `dispatch nodes add <ssh alias> --slots ${one.slotsEach}`,
            nodes: one.nodes,
          },
        ]
      : [],
  );
  return [...reach, ...add];
}
