import type { ProjectConfig, TaskSpec } from '../model/spec.ts';
import type { GateRules } from './judge.ts';

/** What a task's branch is judged by, from its spec and its project. */
export function gateRules(
  { modifies, expands }: Pick<TaskSpec, 'modifies' | 'expands'>,
  { allowedExtras, protectedPaths, placeholderAllow, gates }: ProjectConfig,
): GateRules {
  return { modifies, expands, allowedExtras, protectedPaths, placeholderAllow, gates };
}
