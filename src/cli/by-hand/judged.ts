/** What commands judge, by the queue's own rules: the merged tree, or what an area may see of it (see `model/area.ts`). */
import type { ScratchHub } from '../../git/scratch-hub.ts';
import { bordersOf, isAreasAlone, touchedBy } from '../../merge/areas.ts';
import type { Area } from '../../model/area.ts';
import type { CommitId } from '../../model/ids.ts';
import type { ProjectConfig, TaskSpec } from '../../model/spec.ts';

export interface Judged {
  readonly verify: string;
  /** Name of the area whose view is judged; null: the whole tree is. */
  readonly area: string | null;
  readonly commit: CommitId;
  readonly tree: string;
}

interface Branch {
  readonly base: CommitId;
  readonly head: CommitId;
  /** What comes of it on integration. */
  readonly merged: { readonly commit: CommitId; readonly tree: string };
}

/** All that must be green before the branch may land. @param own the command of its task. */
export async function judgedOfMerge(
  hub: ScratchHub,
  { areas = [], verify }: ProjectConfig,
  spec: TaskSpec,
  own: string,
  { base, head, merged }: Branch,
): Promise<Judged[]> {
  const whole = { commit: merged.commit, tree: merged.tree, verify: own, area: null };
  if (areas.length === 0) return [whole];
  const brings = await hub.changedBetween(hub.integration, merged.commit);
  // One that is in integration already brings nothing any more; what it changed then is what it is about.
  const paths = brings.length > 0 ? brings : await hub.changedBetween(base, head);
  const { touched, within } = touchedBy(paths, areas);
  const met = areas.filter(({ name }) => touched.includes(name));
  const projected = await judgedOfAreas(hub, areas, met, merged.commit);
  const alone = isAreasAlone(within, met[0]?.verify, { own: spec.verify, project: verify });
  return alone ? projected : [whole, ...projected];
}

/** What the commands of some areas judge of a commit. */
export async function judgedOfAreas(
  hub: ScratchHub,
  all: readonly Area[],
  some: readonly Area[],
  commit: CommitId,
): Promise<Judged[]> {
  if (some.length === 0) return [];
  const names = some.map(({ name }) => name);
  const projections = await hub.project(commit, names, bordersOf(all).sees);
  return some.flatMap(({ name, verify }) =>
    projections.filter((one) => one.name === name).map((one) => ({ ...one, verify, area: name })),
  );
}
