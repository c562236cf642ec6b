/**
 * After a change of the schema: `UPDATE_SCHEMA=1 npx vitest run test/store/schema.test.ts` writes schema.sql anew, and
 * for a new version number also its three samples. `rm test/store/samples/v1*.sql` first while version 1 is not released.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { AttemptKind, AttemptPhase, Outcome, Step } from '../../src/model/attempt.ts';
import type { NodeState, State } from '../../src/model/state.ts';
import type { Delivery, Progress } from '../../src/model/task.ts';
import { MIGRATIONS } from '../../src/store/sqlite/migrations/index.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { openReader } from '../../src/store/sqlite/reader.ts';
import { History } from '../model/history.ts';
import { dumpOf, schemaOf } from './dump.ts';
import { openStore, raw, storeFile } from './scratch.ts';

const UPDATE = process.env.UPDATE_SCHEMA === '1';
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** The members of the unions, written out so that the compiler refuses a missing or an unknown one. */
const PROGRESS: Record<Progress['at'], true> = {
  open: true,
  attempt: true,
  finished: true,
  review: true,
  queued: true,
  gating: true,
  landing: true,
  parked: true,
  merged: true,
  reverted: true,
  failed: true,
  cancelled: true,
};
const PHASE: Record<AttemptPhase['is'], true> = { claimed: true, running: true, ended: true, fenced: true };
const KIND: Record<AttemptKind['kind'], true> = { work: true, gate: true };
const STEP: Record<Step, true> = { prepare: true, agent: true, gates: true, verify: true };
const OUTCOME: Record<Outcome['kind'], true> = {
  done: true,
  refused: true,
  failed: true,
  timeout: true,
  overspent: true,
  cancelled: true,
  lost: true,
};
const MARK: Record<NodeState['mark'], true> = { none: true, cordon: true, drain: true };
/** What a sample must hold to be worth something. */
const NEEDED = ['open', 'attempt', 'queued', 'gating', 'merged', 'failed', 'cancelled'] as const;
const DELIVERY: Record<Delivery['at'], true> = {
  draining: true,
  preparing: true,
  gating: true,
  pushing: true,
};

describe('the schema', () => {
  it.each([
    ['tasks', 'at', PROGRESS],
    ['attempts', 'phase', PHASE],
    ['attempts', 'kind', KIND],
    ['attempts', 'step', STEP],
    ['attempts', 'outcome', OUTCOME],
    ['nodes', 'mark', MARK],
    ['projects', 'delivery_at', DELIVERY],
  ])('allows in %s.%s exactly the members of the union', async (table, column, union) => {
    const db = await freshDatabase();
    const sql = db
      .prepare<[string], string>('SELECT sql FROM sqlite_schema WHERE name = ?')
      .pluck()
      .get(table);
    const list = new RegExp(`CHECK \\(${column} IN \\(([^)]*)\\)\\)`).exec(sql ?? '')?.[1];
    const members = [...(list ?? '').matchAll(/'([^']*)'/g)].map((match) => match[1]);
    expect(members.toSorted()).toEqual(Object.keys(union).toSorted());
  });

  it('is the one in schema.sql', async () => {
    const schema = schemaOf(await freshDatabase());
    if (UPDATE) writeFileSync(here('schema.sql'), schema);
    expect(schema).toBe(readFileSync(here('schema.sql'), 'utf8'));
  });

  it('has STRICT tables only', async () => {
    const db = await freshDatabase();
    const loose = `SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite%'`;
    expect(db.prepare(loose).all()).toEqual([]);
  });
});

/**
 * Runs that are kept for ever, for each version: one of everything, one in which much landed, was taken back and delivered,
 * and one in which nodes were lost and keys refused.
 */
const RUNS: Readonly<Record<string, (state: State) => boolean>> = {
  '': hasAll,
  '-landings': hasLandings,
  '-losses': hasLosses,
};
const SAMPLES = MIGRATIONS.flatMap((_, index) => Object.keys(RUNS).map((run) => `v${index + 1}${run}`));

describe('a store written by an older version', () => {
  it('has three samples of each version', async () => {
    for (const [run, holds] of Object.entries(RUNS)) {
      const newest = here(`samples/v${MIGRATIONS.length}${run}.sql`);
      if (UPDATE && !existsSync(newest)) writeFileSync(newest, await newSample(holds));
    }
    for (const sample of SAMPLES) expect(existsSync(here(`samples/${sample}.sql`)), sample).toBe(true);
  });

  it.each(SAMPLES)('opens with the data of %s, and its log gives the same state', async (sample) => {
    const file = storeFile();
    raw(file).exec(readFileSync(here(`samples/${sample}.sql`), 'utf8'));
    const store = await openStore(file);
    const state = await store.load();
    expect(await store.replayCheck()).toEqual([]);
    expect(RUNS[sample.replace(/^v\d+/u, '')]?.(state)).toBe(true);
    const [first] = state.tasks.keys();
    if (first !== undefined) expect(await store.specText(first)).toEqual(expect.any(String));
    const lease = await store.acquire('laptop', 7, 1000);
    expect(lease.epoch).toBeGreaterThan(1);
    expect(await store.commit(lease, [], state)).toBeGreaterThan(100);
    const reader = await openReader(file);
    expect(await reader.load()).toEqual(state);
    await reader.close();
  });
});

async function freshDatabase(): Promise<Database.Database> {
  const file = storeFile();
  const store = await openSqliteStore(file);
  await store.close();
  return raw(file);
}

/** The first random history that has what the test looks for. */
async function newSample(holds: (state: State) => boolean): Promise<string> {
  for (let seed = 1; ; seed += 1) {
    const history = new History();
    const steps = Array.from({ length: 200 }, (_, step) => history.step(seed * 104_729 + step * 7919));
    if (!holds(history.state)) continue;
    const file = storeFile();
    const store = await openSqliteStore(file);
    const lease = await store.acquire('laptop', 7, 1_700_000_000_000);
    await store.commit(lease, steps.flat(), history.state);
    await store.close();
    return dumpOf(raw(file));
  }
}

function hasAll(state: State): boolean {
  const at = new Set([...state.tasks.values()].map(({ progress }) => progress.at));
  const phases = new Set([...state.attempts.values()].map(({ phase }) => phase.is));
  return (
    NEEDED.every((name) => at.has(name)) && Object.keys(PHASE).every((name) => phases.has(name as never))
  );
}

function hasLandings(state: State): boolean {
  const tasks = [...state.tasks.values()];
  const count = (at: Progress['at']): number => tasks.filter(({ progress }) => progress.at === at).length;
  const delivered = [...state.projects.values()].some((project) => project.delivered !== null);
  return (
    delivered && count('merged') >= 3 && count('reverted') >= 1 && count('gating') + count('queued') >= 1
  );
}

function hasLosses(state: State): boolean {
  const phases = [...state.attempts.values()].map(({ phase }) => phase);
  const late = phases.some((phase) => phase.is === 'fenced' && phase.late !== undefined);
  const kept = phases.some((phase) => 'kept' in phase && phase.kept !== undefined);
  const lost = [...state.tasks.values()].some(({ losses }) => losses > 0);
  return late && kept && lost && state.fenced.size > 0 && state.credentials.size > 0;
}
