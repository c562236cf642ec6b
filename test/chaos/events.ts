/** What the store says has happened, for figures: the log of events of the arena's home. */
import { homePaths } from '../../src/controller/paths.ts';
import type { Event } from '../../src/model/event.ts';
import { openReader } from '../../src/store/sqlite/reader.ts';
import type { Arena } from './arena.ts';

export async function eventsOf({ home }: Arena): Promise<Event[]> {
  const reader = await openReader(homePaths(home.dir).database);
  try {
    return [...(await reader.events(0, 10_000_000))];
  } finally {
    await reader.close();
  }
}

/** When each agent's work was in the controller's hands: its end was told, and its result fetched where it had one. */
export function collectedAt(events: readonly Event[]): Map<string, number> {
  const at = new Map<string, number>();
  const agents = new Set<string>();
  for (const event of events) {
    const { fact } = event;
    switch (fact.type) {
      case 'attempt.claimed':
        if (fact.work.kind === 'work') agents.add(fact.token);
        break;
      case 'attempt.ended':
      case 'candidate.accepted':
      case 'candidate.refused':
        if (agents.has(fact.token)) at.set(fact.token, event.at);
        break;
      default:
    }
  }
  return at;
}
