/**
 * Whether the target still has what it had is looked at when a project starts, after each landing, and by each collect. A
 * target that lost something stops the line until a person decides, or until it has it again.
 */
import type { ProjectName } from '../model/ids.ts';
import type { Project } from '../model/task.ts';
import type { Reply } from './commands.ts';
import type { Input } from './door.ts';
import type { Turn } from './turn.ts';

/** Between two looks at a target that lost something, milliseconds. */
const AGAIN_MS = 60_000;

export function looked(turn: Turn, input: Extract<Input, { is: 'looked' }>): void {
  const { looks } = turn.memory;
  const { project: name, lost } = input;
  const hold = turn.state.projects.get(name)?.hold;
  if (hold === undefined) return;
  // A person has decided meanwhile: that look is still to come.
  if (lost !== null && lost !== 'unknown' && looks.get(name) === lost.now) return;
  looks.delete(name);
  if (lost === 'unknown') {
    if (hold?.lost !== undefined) lookAgain(turn, input);
    return;
  }
  if (lost === null) {
    if (hold?.lost !== undefined) turn.record({ type: 'queue.released', project: name, by: 'dispatch' });
    return;
  }
  const { was, now, reason } = lost;
  if (hold === null || hold.lost?.was !== was || hold.lost.now !== now)
    turn.record({ type: 'queue.held', project: name, by: 'dispatch', reason, lost: { was, now } });
  lookAgain(turn, input);
}

/** It may be brought back at any time. */
function lookAgain(turn: Turn, { project, key }: Extract<Input, { is: 'looked' }>): void {
  const { looks, retries } = turn.memory;
  looks.set(project, null);
  const at = turn.now + AGAIN_MS;
  retries.set(key, { tries: 1, at });
  turn.wakeAt(at);
}

/** As soon as may be; what a person has said of it is not forgotten. */
export function wantLook({ memory }: Turn, project: ProjectName): void {
  if (!memory.looks.has(project)) memory.looks.set(project, null);
}

/** A person lets the line go on. @returns null: nothing was lost. */
export function acceptTarget(turn: Turn, { name, hold }: Project, accept: boolean): Reply | null {
  const lost = hold?.lost;
  if (lost === undefined) return null;
  if (!accept) {
    const message = `${hold?.reason}; dispatch queue release ${name} --accept-target takes it as it is (dispatch explain E_TARGET_REWOUND)`;
    return { ok: false, code: 'E_TARGET_REWOUND', message };
  }
  turn.memory.looks.set(name, lost.now);
  turn.memory.retries.delete(`look:${name}`);
  return null;
}
