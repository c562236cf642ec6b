/** What an agent says of its own work, for a person who looks at its task. */
import type { Attempt } from '../model/attempt.ts';
import type { Task } from '../model/task.ts';
import { type AgentWord, notesByAttempt, wordOf } from '../report/notes.ts';
import { safeText } from './render/safe-text.ts';
import type { HomeView } from './view.ts';

/** null: it said nothing. */
export async function wordOfAttempt(
  { reader }: HomeView,
  { key, spec }: Task,
  attempt: Attempt,
): Promise<AgentWord | null> {
  return wordOf(notesByAttempt(await reader.eventsOf(key)), attempt, spec.id);
}

/** Plan and evidence, each under a line that says whose word it is; fit for a terminal. */
export function wordLines({ n, plan, evidence, ticked }: AgentWord): string[] {
  const met = ticked === null ? '' : ` (${ticked.met} of ${ticked.of} ticked)`;
  return [
    ...quoted(`plan of the agent of attempt ${n}:`, plan),
    ...quoted(`its evidence and assessment${met}; no gate believes it:`, evidence),
  ];
}

/** Each line is marked, so that none can pass for one of ours. */
function quoted(title: string, text: string | null): string[] {
  if (text === null) return [];
  return [
    title,
    ...safeText(text)
      .split('\n')
      .map((line) => `| ${line}`),
  ];
}
