/**
 * Shorter waits and more patience in a copy of the built programs. Faults come here a hundred times as densely as in life:
 * with the figures of the product a run would wait out back-offs most of its time, and give up nodes and tasks that were
 * hurt so often on purpose, which is what it must do, and not what is asked here. Nothing but these figures is changed.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names of constants as they stand in the bundles, and what they become. Milliseconds, and counts of failures. */
const FIGURES: Readonly<Record<string, string>> = {
  BACKOFF: '{ minMs: 50, maxMs: 1000, authMs: 60000, authMaxMs: 1800000 }',
  ATTEMPT_BACKOFF: '200',
  ATTEMPT_BACKOFF_MAX: '2000',
  LOSS_BACKOFF: '100',
  EFFECT_BACKOFF: '50',
  EFFECT_BACKOFF_MAX: '1000',
  SHUN_MS: '1000',
  MAX_LOSSES: '50',
  MAX_GATE_BREAKS: '30',
  MAX_START_TRIES: '50',
  DEGRADE_AT: '100',
  RESTART_AT: '200',
  DEGRADED: '20',
  RESTART: '100',
};

/** @param dist built programs, which are changed. @throws Error when a constant has another name now. */
export function hurry(dist: string): void {
  const left = new Set(Object.keys(FIGURES));
  const files = [
    join(dist, 'dispatch.js'),
    ...readdirSync(join(dist, 'chunks')).map((name) => join(dist, 'chunks', name)),
  ];
  for (const file of files) {
    const before = readFileSync(file, 'utf8');
    const after = before.replaceAll(/^var (?<name>[A-Z_]+) = [^;]+;$/gmu, (line, name: string) => {
      const value = FIGURES[name];
      if (value === undefined) return line;
      left.delete(name);
      return `var ${name} = ${value};`;
    });
    if (after !== before) writeFileSync(file, after);
  }
  if (left.size > 0) throw new Error(`no such constants in the built programs: ${[...left].join(', ')}`);
}
