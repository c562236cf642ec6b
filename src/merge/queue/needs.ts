/**
 * What has to be green before a merged tree may land: commands on the whole tree, and those of areas on what the areas
 * see of it (see `model/area.ts`). All that lies below on the stack lands as this tree, so what it needs is needed here
 * as well: on this tree where it is the whole that is judged. A projection that this merge left as it was is judged where
 * it was changed last, lower on the stack; so gates of several areas of one stack hang on several branches, run side by
 * side, and a red one is held against a branch that changed what was red.
 */
import { isAreasAlone } from '../areas.ts';
import { commandsFor, evidenceKey, environmentOf, isProved } from '../../model/evidence.ts';
import type { CommitId, Token } from '../../model/ids.ts';
import type { State } from '../../model/state.ts';
import type { Gating, Project, Task } from '../../model/task.ts';

export interface Need {
  readonly verify: string;
  /** Name of the area whose projection is judged; null: the whole tree is. */
  readonly area: string | null;
  readonly commit: CommitId;
  readonly tree: string;
  /** The branch whose merge made that tree: its gate, and its fault when it is red. */
  readonly host: Token;
}

/** What the branch itself needs, and again what was red on its tree in the environment that the project has now. */
export function needsOf(task: Task, progress: Gating, project: Project, all: State['tasks']): Need[] {
  const { token: host, commit, tree, red, areas } = progress;
  const { config } = project;
  const projected = (areas?.touched ?? []).flatMap((one): Need[] => {
    const area = config.areas?.find(({ name }) => name === one.area);
    return area === undefined ? [] : [{ verify: area.verify, host, ...one }];
  });
  const [only] = projected;
  const asked = { own: task.spec.verify, project: config.verify };
  const alone = isAreasAlone(areas?.within === true, only?.verify, asked) && progress.undo === undefined;
  const commands = alone ? [] : commandsFor(task, project, all.values());
  const again = red?.environment === environmentOf(config) ? [red.verify] : [];
  const known = new Set([...commands, ...projected.map(({ verify }) => verify)]);
  const whole = [...commands, ...again.filter((verify) => !known.has(verify))];
  return [...whole.map((verify): Need => ({ verify, area: null, commit, tree, host })), ...projected];
}

/** What a stack needs whose top needs `own`, where what is below the top needs `below`. */
export function stackNeeds(below: readonly Need[], own: readonly Need[], { token, ...top }: Gating): Need[] {
  const same = (one: Need) => (other: Need) => one.area === other.area && one.verify === other.verify;
  const { commit, tree } = top;
  const kept = below.map((one): Need => {
    if (one.area === null) return { ...one, commit, tree, host: token };
    return own.find(same(one)) ?? one;
  });
  return [...kept, ...own.filter((one) => !kept.some(same(one)))];
}

/** Those that no gate has found green yet: the one that was red first, because its answer decides most. */
export function openNeeds(project: Project, needs: readonly Need[], red: Gating['red']): Need[] {
  const open = needs.filter(({ tree, verify }) => !isProved(project, tree, verify));
  const first = open.filter(({ verify }) => verify === red?.verify);
  return [...first, ...open.filter((need) => !first.includes(need))];
}

/** What gates of these branches are at work on, as `evidenceKey` names it. */
export function underWay(state: State, merges: readonly { readonly progress: Gating }[]): Set<string> {
  const keys = new Set<string>();
  for (const { progress } of merges) {
    const work = progress.gate === null ? undefined : state.attempts.get(progress.gate)?.work;
    if (work?.kind === 'gate') keys.add(evidenceKey(work.subject.tree, work.subject));
  }
  return keys;
}
