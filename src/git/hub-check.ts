import { HUB_ENV, isHub } from './hub-dir.ts';
import { INTEGRATION } from './refs.ts';
import { git } from './run.ts';

/**
 * Reads every commit that the hub has a name for, and the tree of integration: seconds for a large one, and nothing changes.
 * @returns what git says is wrong; null: nothing, or there is no hub yet.
 */
export async function damageOf(dir: string): Promise<string | null> {
  if (!isHub(dir)) return null;
  const hub = { gitDir: dir, env: HUB_ENV };
  try {
    await git(['rev-list', '--quiet', '--all'], hub);
    await git(['rev-parse', '--verify', '-q', `${INTEGRATION}^{tree}`], { ...hub, okCodes: [0, 1] });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
