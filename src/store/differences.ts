/** Compares two states field by field: the one that the events give and the one that the tables hold. */
import type { State } from '../model/state.ts';
import type { ReplayDifference } from './port.ts';

/** Every field in which the two differ, tables in the order of their foreign keys. Empty = equal. */
export function differences(fromEvents: State, stored: State): ReplayDifference[] {
  return [
    ...compare('state', 'epoch', fromEvents.epoch, stored.epoch),
    ...compareTable('projects', fromEvents.projects, stored.projects),
    ...compareTable('nodes', fromEvents.nodes, stored.nodes),
    ...compareTable('credentials', fromEvents.credentials, stored.credentials),
    ...compareTable('alerts', fromEvents.alerts, stored.alerts),
    ...compareTable('tasks', fromEvents.tasks, stored.tasks),
    ...compareTable('attempts', fromEvents.attempts, stored.attempts),
    ...compareFenced(fromEvents.fenced, stored.fenced),
  ];
}

function compareTable(
  table: string,
  fromEvents: ReadonlyMap<string, unknown>,
  stored: ReadonlyMap<string, unknown>,
): ReplayDifference[] {
  const found: ReplayDifference[] = [];
  for (const [key, entity] of fromEvents) {
    const other = stored.get(key);
    if (other !== undefined && isSameText(entity, other)) continue;
    if (other !== undefined) found.push(...compare(`${table} ${key}`, '', entity, other));
    else found.push({ what: `${table} ${key}`, field: 'row', fromEvents: entity, stored: null });
  }
  for (const [key, entity] of stored) {
    if (!fromEvents.has(key))
      found.push({ what: `${table} ${key}`, field: 'row', fromEvents: null, stored: entity });
  }
  // Ties are broken by order of arrival, so rows in another order are another state.
  return found.length > 0 ? found : compare(table, 'order', [...fromEvents.keys()], [...stored.keys()]);
}

function compareFenced(fromEvents: ReadonlySet<string>, stored: ReadonlySet<string>): ReplayDifference[] {
  return [...new Set([...fromEvents, ...stored])].flatMap((token) =>
    compare(`attempts ${token}`, 'unconfirmed', fromEvents.has(token), stored.has(token)),
  );
}

/** Equal for certain, and nearly always when they are equal: members in another order are for `compare`. */
function isSameText(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Goes down plain objects; anything else is compared as a whole, by its JSON. */
function compare(what: string, field: string, fromEvents: unknown, stored: unknown): ReplayDifference[] {
  if (isRecord(fromEvents) && isRecord(stored)) {
    const names = new Set([...Object.keys(fromEvents), ...Object.keys(stored)]);
    return [...names].flatMap((name) =>
      compare(what, field === '' ? name : `${field}.${name}`, fromEvents[name], stored[name]),
    );
  }
  if (Object.is(fromEvents, stored) || JSON.stringify(fromEvents) === JSON.stringify(stored)) return [];
  return [{ what, field, fromEvents: fromEvents ?? null, stored: stored ?? null }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
