/** No new work starts because a part of the controller does not work; what is done is still collected, gated and landed. */
import type { ProjectName } from '../model/ids.ts';
import type { Snapshot } from './snapshot.ts';

export interface SafeMode {
  /** The part that fails: `the hub of web`, `orders`. */
  readonly part: string;
  /** What it said last. */
  readonly reason: string;
  /** Wall clock, milliseconds. */
  readonly since: number;
}

/** What keeps new work of the project from starting; null: nothing of the kind. */
export function safeModeOf({ safe }: Pick<Snapshot, 'safe'>, project: ProjectName): SafeMode | null {
  return safe?.get(project) ?? safe?.get(null) ?? null;
}
