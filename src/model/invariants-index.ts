/** What the indexes of a state must say, held against what they are made of; part of `invariants`. */
import { indexesOf } from './indexes.ts';
import type { State } from './state.ts';

export function indexViolations(state: State): string[] {
  const right = indexesOf(state.tasks, state.attempts);
  const found = [
    ...sameSets('startable', state.startable, right.startable),
    ...sameSets('active', state.active, right.active),
    ...sameSets('locked', state.locked, right.locked),
    ...sameMaps('dependents', state.dependents, right.dependents),
    ...sameMaps('live', state.live, right.live),
  ];
  for (const token of state.fenced) {
    const phase = state.attempts.get(token)?.phase.is;
    if (phase !== 'fenced') found.push(`fenced: ${token} is ${phase ?? 'unknown'}`);
  }
  return found;
}

function sameMaps(
  name: string,
  kept: ReadonlyMap<string, ReadonlySet<string>>,
  right: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  const none: ReadonlySet<string> = new Set();
  return [...new Set([...kept.keys(), ...right.keys()])].flatMap((key) =>
    sameSets(`${name} of ${key}`, kept.get(key) ?? none, right.get(key) ?? none),
  );
}

function sameSets(name: string, kept: ReadonlySet<string>, right: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const item of right) if (!kept.has(item)) found.push(`index ${name}: ${item} is missing`);
  for (const item of kept) if (!right.has(item)) found.push(`index ${name}: ${item} does not belong there`);
  return found;
}
