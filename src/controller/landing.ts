import type { ProjectName } from '../model/ids.ts';
import { activeOf } from './memory.ts';
import type { Turn } from './turn.ts';

/** A landing has been decided for the project, and what came of it has not been reported yet. */
export function isLanding(turn: Turn, project: ProjectName): boolean {
  for (const key of activeOf(turn.state, project)) {
    if (turn.state.tasks.get(key)?.progress.at === 'landing') return true;
  }
  return false;
}
