/** When no node can be reached: whether a verb has anything to wait for, and what it says if it has not. */
import type { Session } from '../../controller/session.ts';
import { DispatchError } from '../../model/error.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { NodeConfig } from '../../model/spec.ts';
import type { State } from '../../model/state.ts';
import { named } from './note-text.ts';

/** No attempt of these projects lives on any node: nothing will happen until one is reached. */
export function runsNowhere({ live, attempts }: State, projects: readonly ProjectName[]): boolean {
  for (const tokens of live.values()) {
    for (const token of tokens) {
      const task = attempts.get(token)?.task;
      if (projects.some((project) => task?.startsWith(`${project}/`) === true)) return false;
    }
  }
  return true;
}

/** What a collect of the project needs next is a gate, and gates run on nodes. */
export function gateWaits(state: State, project: ProjectName): boolean {
  const delivery = state.projects.get(project)?.delivery;
  if (delivery?.at === 'gating') return delivery.gate === null;
  const gating = [...state.active].flatMap((key) => {
    const task = state.tasks.get(key);
    return task?.spec.project === project && task.progress.at === 'gating' ? task.progress : [];
  });
  return gating.length > 0 && gating.every(({ gate }) => gate === null);
}

/** Each node with its reason. */
export function noNodeReached(session: Session, nodes: readonly NodeConfig[], again: string): DispatchError {
  const troubles = nodes.map(({ name }) => ({ name, problem: session.troubles.get(name) }));
  const reasons = troubles.map(({ name, problem }) =>
    [named(name, problem?.message ?? 'not reached'), problem?.why].filter(Boolean).join(': '),
  );
  const fixes = troubles.flatMap(({ problem }) => (problem?.fix === undefined ? [] : [problem.fix]));
  return new DispatchError(
    'E_NO_NODE_REACHED',
    nodes.length === 1
      ? 'the only node cannot be reached'
      : `none of the ${nodes.length} nodes can be reached`,
    {
      where: 'nodes.json',
      why: reasons.join('\n'),
      fix: [...new Set([...fixes, `dispatch doctor   (looks closer); then again: ${again}`])].join('\n'),
    },
  );
}
