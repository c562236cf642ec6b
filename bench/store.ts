/**
 * What the store costs: `npx tsx bench/store.ts [tasks]`. Durable events per second in commits of 1, 10 and 100 against
 * the bare durable write of the same machine (so that figures of two machines compare as ratios), load() of a store of
 * that many tasks, replayCheck, file size, and memory. The file is made where the command is run.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Fact, NewEvent } from '../src/model/event.ts';
import { evolve } from '../src/model/evolve.ts';
import type { CommitId, NodeName, ProjectName, TaskId, TaskKey, Token } from '../src/model/ids.ts';
import { violations, watch } from '../src/model/invariants.ts';
import type { TaskSpec } from '../src/model/spec.ts';
import { emptyState, type State } from '../src/model/state.ts';
import { openReader } from '../src/store/sqlite/reader.ts';
import { openSqliteStore } from '../src/store/sqlite/open.ts';
import { config } from '../test/model/builder.ts';

const PROJECT = 'bench' as ProjectName;
const NODES = Array.from({ length: 4 }, (_, index) => `node-${index}` as NodeName);
const BASE = '0'.repeat(40) as CommitId;
const tasks = Number(process.argv[2] ?? 10_000);
const directory = mkdtempSync(join(process.cwd(), '.bench-store-'));

try {
  console.log(`tasks: ${tasks}   node ${process.version}   ${process.platform}-${process.arch}`);
  console.log(`a bare 4 KiB append and fdatasync: ${format(bareSync())} per second`);
  for (const file of [':memory:', 'file']) {
    for (const size of [1, 10, 100]) await benchCommits(file, size);
  }
  await benchLoad();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** Durable appends per second without any database: the floor of a commit. */
function bareSync(): number {
  const fd = openSync(join(directory, 'bare'), 'w');
  const block = Buffer.alloc(4096, 1);
  const started = performance.now();
  let count = 0;
  while (performance.now() - started < 1000) {
    writeSync(fd, block);
    fdatasyncSync(fd);
    count += 1;
  }
  closeSync(fd);
  return (count * 1000) / (performance.now() - started);
}

/** The life of tasks from the claim to the merge, in commits of `size` events. */
async function benchCommits(where: string, size: number): Promise<void> {
  const path = where === ':memory:' ? where : join(directory, `commits-${size}.db`);
  const store = await openSqliteStore(path);
  const lease = await store.acquire('bench', process.pid, 0);
  const state = emptyState();
  const count = Math.min(tasks, where === ':memory:' ? 2000 : size * 150);
  await store.commit(lease, apply(state, setUp(count)), state);
  const events = lives(state, 0, count);
  const started = performance.now();
  let done = 0;
  for (let from = 0; from < events.length && performance.now() - started < 4000; from += size) {
    const group = events.slice(from, from + size);
    await store.commit(lease, apply(state, group), state);
    done += group.length;
  }
  const seconds = (performance.now() - started) / 1000;
  const label = where === ':memory:' ? 'in memory ' : 'durable   ';
  const each = ((seconds * 1e6) / (done / size)).toFixed(0);
  console.log(
    `${label} commits of ${String(size).padStart(3)}: ${format(done / seconds).padStart(7)} events per second, ${each} µs a commit`,
  );
  await store.close();
}

async function benchLoad(): Promise<void> {
  const path = join(directory, 'load.db');
  const store = await openSqliteStore(path);
  const lease = await store.acquire('bench', process.pid, 0);
  const state = emptyState();
  const added = setUp(tasks);
  const check = watch(state);
  let checking = 0;
  let count = 0;
  const commit = async (facts: readonly Fact[]) => {
    const events = apply(state, facts);
    const before = performance.now();
    const broken = check(events);
    checking += performance.now() - before;
    if (broken.length > 0) throw new Error(broken.join('\n'));
    await store.commit(lease, events, state);
    count += events.length;
  };
  await commit(added);
  for (let from = 0; from < tasks; from += 100) await commit(lives(state, from, Math.min(100, tasks - from)));
  await store.close();
  const bytes = statSync(path).size;
  console.log(
    `file: ${(bytes / 2 ** 20).toFixed(1)} MiB for ${tasks} merged tasks, ${count} events: ${(bytes / count).toFixed(0)} bytes an event`,
  );
  console.log(`watch(): ${((checking * 1000) / count).toFixed(1)} µs an event`);
  await time('violations()', async () => violations(state));

  const reader = await openReader(path);
  for (let run = 0; run < 3; run += 1) await time(`load() ${run + 1}`, () => reader.load());
  await time('replayCheck()', () => reader.replayCheck());
  await time('specText()', () => reader.specText(`${PROJECT}/T${tasks - 1}` as TaskKey));
  await reader.close();
  globalThis.gc?.();
  console.log(`memory: ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB resident`);
}

async function time(name: string, work: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  await work();
  console.log(`${name}: ${(performance.now() - started).toFixed(1)} ms`);
}

function apply(state: State, facts: readonly Fact[]): NewEvent[] {
  return facts.map((fact, index) => {
    const event: NewEvent = { at: 1_700_000_000_000 + index, epoch: 1, fact, source: sourceOf(state, fact) };
    evolve(state, { seq: 0, ...event });
    return event;
  });
}

function sourceOf(state: State, fact: Fact): NewEvent['source'] {
  if (fact.type !== 'attempt.running' && fact.type !== 'attempt.ended') return null;
  const node = state.attempts.get(fact.token)?.node;
  if (node === undefined) return null;
  return { node, journal: 'a'.repeat(32), seq: (state.nodes.get(node)?.cursor ?? 0) + 1 };
}

function setUp(count: number): Fact[] {
  const project = config({ name: PROJECT, repo: '../bench' });
  const facts: Fact[] = [
    { type: 'controller.acquired', host: 'bench', pid: 1 },
    { type: 'project.configured', config: project },
    { type: 'project.based', project: PROJECT, integration: BASE },
  ];
  const text = 'The body of a specification of ordinary length. '.repeat(40);
  for (let index = 0; index < count; index += 1)
    facts.push({ type: 'task.added', spec: specOf(index), text });
  return facts;
}

function specOf(index: number): TaskSpec {
  return {
    project: PROJECT,
    id: `T${index}` as TaskId,
    title: `Task number ${index}`,
    priority: 2,
    dependsOn: index % 3 === 2 ? [`T${index - 1}` as TaskId] : [],
    modifies: [`src/module-${index}/**`, `test/module-${index}/**`],
    expands: [],
    executor: 'shell',
    verify: 'make test',
    timeoutMs: 60_000,
    retries: 3,
    review: false,
    budgetTokens: null,
    estimateMs: null,
    digest: 'd'.repeat(64),
    file: `specs/bench/T${index}.md`,
  };
}

function lives(state: State, from: number, count: number): Fact[] {
  let onto = state.projects.get(PROJECT)?.integration ?? BASE;
  const facts: Fact[] = [];
  for (let index = from; index < from + count; index += 1) {
    const token = hex(index, 32) as Token;
    const head = hex(index + 0x1000000, 40) as CommitId;
    const commit = hex(index + 0x2000000, 40) as CommitId;
    const tree = hex(index + 0x3000000, 40);
    const node = NODES[index % NODES.length] ?? ('node-0' as NodeName);
    const task = `${PROJECT}/T${index}` as TaskKey;
    const usage = { inputTokens: 1200, outputTokens: 300, cachedTokens: null, costUsd: null };
    facts.push(
      { type: 'attempt.claimed', token, task, n: 1, work: { kind: 'work' }, node, base: onto },
      { type: 'attempt.running', token },
      { type: 'attempt.ended', token, outcome: { kind: 'done', head, rounds: 1, usage } },
      { type: 'candidate.accepted', token, head, changed: 3 },
      { type: 'merge.prepared', token, onto, commit, tree, aside: false },
      { type: 'merge.passed', token, tree, below: [] },
      { type: 'merge.landed', token, commit, onto },
    );
    onto = commit;
  }
  return facts;
}

/** Spread over the whole range, as random tokens are. */
function hex(number: number, length: number): string {
  return (
    (Math.imul(number, 2_654_435_761) >>> 0)
      .toString(16)
      .padStart(8, '0')
      .padEnd(length - 8, '0') + number.toString(16).padStart(8, '0')
  );
}

function format(number: number): string {
  return Math.round(number).toLocaleString('en');
}
