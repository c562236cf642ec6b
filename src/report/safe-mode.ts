import type { ProjectName } from '../model/ids.ts';
import { formatDuration } from '../model/time.ts';
import type { SafeMode } from '../schedule/safe-mode.ts';

/** `safe mode, no new work of web starts: the hub of web fails: …`. @param project null: any. */
export function safeModeText({ part, reason }: SafeMode, project: ProjectName | null): string {
  const what = project === null ? 'no new work starts' : `no new work of ${project} starts`;
  return `safe mode, ${what}: ${part} ${part === 'orders' ? 'cannot be made' : 'does not work'}: ${reason}`;
}

/** A line for each, with how long it has lasted. @param now wall clock, milliseconds. */
export function safeModeLines(
  safe: readonly (readonly [ProjectName | null, SafeMode])[],
  now: number,
): string[] {
  return safe.flatMap(([project, mode]) => [
    `${safeModeText(mode, project)} (for ${formatDuration(Math.max(0, now - mode.since))})`,
    'it ends by itself with the first success; what keeps it from that: dispatch doctor',
  ]);
}
