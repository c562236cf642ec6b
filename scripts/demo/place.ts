/** Where the demo keeps everything, and what it is called. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const DEMO = process.env.DISPATCH_DEMO_DIR ?? join(ROOT, '.demo');
export const HOME = join(DEMO, 'home');
export const PROJECT = 'clawmarketing';
/** The example whose specs and agents are played. */
export const EXAMPLE = join(ROOT, 'specs', PROJECT);
export const REPOSITORY = join(DEMO, `${PROJECT}.git`);
export const ALIAS = 'demo-node';
export const NODES = ['laptop', ALIAS] as const;

export function nodeRoot(node: string): string {
  return join(DEMO, 'nodes', node);
}
