import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Rooms, and single files of mixed rooms, that must give the same answer for the same arguments, always. */
const PURE = [
  'src/model',
  'src/protocol',
  'src/spec',
  'src/plan',
  'src/contract',
  'src/schedule',
  'src/report',
  'src/gates',
  'src/split',
  'src/review',
  'src/feed/decide.ts',
  'src/alerts/causes.ts',
  'src/alerts/figures.ts',
  'src/alerts/measures.ts',
  'src/alerts/message.ts',
  'src/alerts/pending.ts',
  'src/alerts/sinks/bodies.ts',
  'src/feed/names.ts',
  'src/models/json-in-text.ts',
  'src/merge/order.ts',
  'src/merge/delivery-commands.ts',
  'src/merge/queue',
  'src/controller/alerts.ts',
  'src/controller/core.ts',
  'src/controller/commands.ts',
  'src/controller/contract.ts',
  'src/controller/control.ts',
  'src/controller/control-run.ts',
  'src/controller/control-watch.ts',
  'src/controller/deliveries.ts',
  'src/controller/from-hub.ts',
  'src/controller/from-node.ts',
  'src/controller/marks.ts',
  'src/controller/memory.ts',
  'src/controller/needs.ts',
  'src/controller/node-words.ts',
  'src/controller/policy.ts',
  'src/controller/queue.ts',
  'src/controller/queue-record.ts',
  'src/controller/reconcile.ts',
  'src/backup/manifest.ts',
  'src/backup/retain.ts',
  'src/controller/settle.ts',
  'src/controller/stackable.ts',
  'src/controller/tend.ts',
  'src/controller/test-counts.ts',
  'src/controller/turn.ts',
];
/** The edges of pure rooms: the only files there that read a disk. */
const EDGES = new Set(['src/spec/load.ts']);

const FORBIDDEN: [what: string, pattern: RegExp][] = [
  // `new Date(at)` only turns a number into a calendar; every other use asks what time it is.
  ['a clock', /\bDate\.(?!UTC\b|parse\b)|\bnew Date\(\s*\)|(?<!new )\bDate\(|\bperformance\./],
  ['timers', /\bset(?:Timeout|Interval|Immediate)\b/],
  ['randomness', /\bMath\.random\b|\brandom(?:Bytes|UUID)\b|\bcrypto\.getRandomValues\b/],
  ['I/O', /from 'node:(?!crypto'|module'|path'|path\/posix'|util')[^']+'/],
  ['a log', /\bconsole\./],
  ['the process', /\bprocess\./],
  ['the network', /\bfetch\(/],
];

describe('pure rooms', () => {
  for (const path of PURE.flatMap(sources)) {
    test(`${path} has no clock, randomness, I/O or log`, () => {
      const code = withoutComments(readFileSync(path, 'utf8'));
      const found = FORBIDDEN.filter(([, pattern]) => pattern.test(code)).map(([what]) => what);
      expect(found).toEqual([]);
    });
  }
});

function sources(path: string): string[] {
  if (path.endsWith('.ts')) return exists(path) ? [path] : [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((name) => name.endsWith('.ts') && !EDGES.has(name))
    .toSorted();
}

function exists(path: string): boolean {
  const at = path.lastIndexOf('/');
  return readdirSync(path.slice(0, at)).includes(path.slice(at + 1));
}

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1');
}
