/** What becomes of a node that does not answer, and of what it holds. */
import { describe, expect, test } from 'vitest';
import { Core } from '../../src/controller/core.ts';
import type { Effect, Input } from '../../src/controller/door.ts';
import type { Outcome } from '../../src/model/attempt.ts';
import type { Fact } from '../../src/model/event.ts';
import { nodeName, type NodeName, projectName, type Token } from '../../src/model/ids.ts';
import type { NodeConfig, NodeReach } from '../../src/model/spec.ts';
import { emptyState } from '../../src/model/state.ts';
import type { InventoryEntry, JournalFact } from '../../src/protocol/messages.ts';
import { silenceLines } from '../../src/report/silence.ts';
import { lateResults, unheardLines } from '../../src/report/late.ts';
import { why } from '../../src/schedule/why.ts';
import { commit, config, key, node, spec } from '../schedule/world.ts';

const MINUTE = 60_000;
const [A, B, HERE] = [nodeName('a'), nodeName('b'), nodeName('here')];
const P = projectName('p');
const SSH: NodeReach = { by: 'ssh', target: 'x', transport: 'auto', socket: null, configFile: null };
const far = (name: string, over: Partial<NodeConfig> = {}) =>
  node(name, { reach: SSH, leaseMs: 30 * MINUTE, slots: 2, ...over });
const near = (name: string) => node(name, { leaseMs: 30 * MINUTE, slots: 2 });

describe('the lease of a node that does not answer', () => {
  test('runs from the moment at which it was missed: suspect at half, lost at the end, and not a moment before', () => {
    const fleet = new Fleet([far('a'), far('b')], ['S01']);
    fleet.down(A);
    expect(fleet.passes(14 * MINUTE)).toEqual([]);
    expect(fleet.passes(MINUTE)).toEqual([{ type: 'node.suspected', node: A, silentMs: 15 * MINUTE }]);
    expect(fleet.passes(14 * MINUTE + 59_000)).toEqual([]);
    expect(fleet.task('S01')).toMatchObject({ n: 1, progress: { at: 'attempt' } });
    expect(fleet.passes(1000).map(({ type }) => type)).toEqual([
      'attempt.fenced',
      'node.lost',
      'task.backedoff',
      'attempt.claimed',
    ]);
    expect(fleet.task('S01')).toMatchObject({ n: 2, failures: 0, losses: 0 });
    expect(fleet.attemptOf('S01')?.node).toBe(B);
  });

  test('is renewed by every connection, and begins anew after it', () => {
    const fleet = new Fleet([far('a'), far('b')], ['S01']);
    fleet.down(A);
    fleet.passes(29 * MINUTE);
    fleet.up(A, [fleet.running('S01')]);
    expect(fleet.core.state.nodes.get(A)?.silence).toBeNull();
    fleet.down(A);
    fleet.passes(29 * MINUTE);
    expect(fleet.task('S01').n).toBe(1);
  });

  test.each<[string, Input]>([
    ['sleep', { is: 'woke', sleptMs: 10 * 3_600_000 }],
    ['a wall clock that is set forward', { is: 'tick' }],
  ])('is not charged for %s', (_, input) => {
    const fleet = new Fleet([far('a'), far('b')], ['S01']);
    fleet.down(A);
    fleet.passes(14 * MINUTE);
    fleet.now += 10 * 3_600_000;
    expect(fleet.turn(input).filter(({ type }) => type.startsWith('node.'))).toEqual([]);
    expect(fleet.core.memory.silent.get(A)).toBe(14 * MINUTE);
  });

  test('goes on after sleep only when somebody answers and the node was tried again in vain', () => {
    const fleet = new Fleet([far('a'), far('b')], ['S01']);
    fleet.down(A);
    fleet.passes(14 * MINUTE);
    fleet.turn({ is: 'woke', sleptMs: 3_600_000 });
    expect(fleet.passes(40 * MINUTE)).toEqual([]);
    fleet.turn({ is: 'node.alive', node: B });
    expect(fleet.passes(40 * MINUTE)).toEqual([]);
    fleet.down(A);
    expect(fleet.passes(MINUTE)).toMatchObject([{ type: 'node.suspected', silentMs: 15 * MINUTE }]);
  });

  test('stands still while no machine over the network answers, and after that until it was tried in vain', () => {
    const fleet = new Fleet([near('here'), far('a'), far('b')], ['S01', 'S02', 'S03', 'S04', 'S05', 'S06']);
    fleet.down(A);
    fleet.down(B);
    expect(fleet.passes(2 * 60 * MINUTE)).toEqual([]);
    fleet.up(B, [...(fleet.core.state.live.get(B) ?? [])]);
    expect(fleet.passes(2 * 60 * MINUTE)).toEqual([]);
    fleet.down(A);
    expect(fleet.passes(15 * MINUTE)).toMatchObject([{ type: 'node.suspected', node: A }]);
  });

  test('decides alone where the fleet has one machine over the network and somewhere else to start', () => {
    const fleet = new Fleet([far('a'), near('here')], ['S01', 'S02']);
    fleet.down(A);
    expect(fleet.lost(fleet.passes(30 * MINUTE))).toEqual([A]);
    expect(fleet.attemptOf('S01')?.node).toBe(HERE);
  });

  test('never ends where there is nowhere else to start', () => {
    const fleet = new Fleet([far('a')], ['S01']);
    fleet.down(A);
    expect(fleet.passes(5 * 60 * MINUTE)).toEqual([]);
  });

  test('never ends by itself where nodes.json says never; the node is suspect all the same', () => {
    const fleet = new Fleet([far('a', { leaseMs: null }), far('b')], ['S01']);
    fleet.down(A);
    expect(fleet.passes(5 * 60 * MINUTE)).toMatchObject([{ type: 'node.suspected' }]);
    expect(fleet.task('S01').n).toBe(1);
  });

  test('is granted anew by the next controller, which knows nothing of the time in between', () => {
    const fleet = new Fleet([far('a'), far('b')], ['S01']);
    fleet.down(A);
    fleet.passes(29 * MINUTE);
    fleet.restart();
    fleet.up(B);
    // It is tried for the first time, and nobody knows yet whether it answers.
    expect(fleet.passes(MINUTE)).toEqual([]);
    fleet.down(A);
    expect(fleet.passes(29 * MINUTE)).toEqual([]);
    expect(fleet.lost(fleet.passes(MINUTE))).toEqual([A]);
  });

  test('runs for a node with work that is not in nodes.json any more', () => {
    const fleet = new Fleet([far('a'), far('b')], ['S01']);
    fleet.core.setNodes([far('b')]);
    fleet.restart();
    fleet.up(B);
    expect(fleet.core.state.live.get(A)?.size).toBe(1);
    fleet.core.setNodes([far('b'), far('c')]);
    fleet.up(nodeName('c'));
    fleet.passes(MINUTE);
    expect(fleet.lost(fleet.passes(30 * MINUTE))).toEqual([A]);
  });
});

describe('a gate on a node that is suspect', () => {
  test('runs elsewhere at once, and its word does not count any more; the work there waits', () => {
    const fleet = new Fleet([far('a'), far('b')], ['S01', 'S02', 'S03'], { repo: '/srv/p.git' });
    const gate = fleet.gated('S01');
    const on = fleet.core.state.attempts.get(gate)?.node as NodeName;
    fleet.down(on);
    const facts = fleet.passes(15 * MINUTE);
    expect(facts.map(({ type }) => type)).toEqual(['node.suspected', 'attempt.fenced', 'attempt.claimed']);
    const progress = fleet.task('S01').progress;
    const next = progress.at === 'gating' ? progress.gate : null;
    expect(next).not.toBe(gate);
    expect(fleet.core.state.attempts.get(next as Token)?.node).not.toBe(on);
    expect([...(fleet.core.state.live.get(on) ?? [])].length).toBeGreaterThan(0);
  });
});

describe('a node that comes back after its lease', () => {
  test('is used at once, is told to stop what was given up, and its late result is kept and not merged', () => {
    const fleet = new Fleet([far('a'), far('b')], ['S01'], { repo: '/srv/p.git' });
    const token = fleet.running('S01');
    fleet.down(A);
    fleet.passes(30 * MINUTE);
    const second = fleet.attemptOf('S01')?.token;
    expect(unheardLines(fleet.core.state, () => true)).toEqual([
      'p/S01 attempt 1 on a was given up: a was lost (silent for 30m 00s); nothing has been heard of it since',
    ]);
    fleet.up(A, [token]);
    expect(fleet.core.state.nodes.get(A)?.silence).toBeNull();
    expect(fleet.effects.get(`cancel:${token}`)).toMatchObject({ node: A });
    fleet.turn({ is: 'cancelled', key: `cancel:${token}`, token, state: 'ended' });
    const head = commit(77);
    const late = fleet.news(A, { type: 'attempt.ended', token, outcome: done(head) });
    expect(late).toMatchObject([{ type: 'attempt.late', token, what: 'ended: done' }]);
    expect(fleet.effects.get(`collect:${token}`)).toMatchObject({ head });
    const kept = { is: 'collected', key: `collect:${token}`, token, head, changed: 1, findings: [] } as const;
    expect(fleet.turn(kept)).toEqual([{ type: 'attempt.kept', token, head }]);
    expect(fleet.turn(kept)).toEqual([]);
    expect(fleet.task('S01').progress).toMatchObject({ at: 'attempt', token: second });
    expect(lateResults(fleet.core.state, () => true)).toMatchObject([
      { task: key('p', 'S01'), n: 1, node: A, kept: { commit: head, ref: `refs/cand/${token}` } },
    ]);
    expect(fleet.effects.get(`forget:${token}`)).toBeDefined();
  });

  test('work that had finished and was not fetched is done again, and the branch is kept when it comes', () => {
    const fleet = new Fleet([far('a'), far('b')], ['S01'], { repo: '/srv/p.git' });
    const token = fleet.running('S01');
    const head = commit(78);
    fleet.news(A, { type: 'attempt.ended', token, outcome: done(head) });
    fleet.down(A);
    const cut = { code: 'E_NODE_DISCONNECTED', message: 'cut' };
    fleet.turn({ is: 'effect.failed', key: `collect:${token}`, problem: cut });
    fleet.passes(30 * MINUTE);
    expect(fleet.task('S01')).toMatchObject({ n: 2, failures: 0, losses: 0 });
    fleet.effects.clear();
    fleet.up(A, [], [{ ...entry(token), state: 'ended', outcome: done(head) }]);
    expect(fleet.effects.get(`collect:${token}`)).toMatchObject({ head });
    fleet.turn({ is: 'collected', key: `collect:${token}`, token, head, changed: 1, findings: [] });
    expect(fleet.task('S01').progress).toMatchObject({ at: 'attempt' });
    expect(lateResults(fleet.core.state, () => true)).toMatchObject([{ n: 1, kept: { commit: head } }]);
  });
});

describe('a person who knows that a machine is gone', () => {
  const gone = { is: 'command', command: { verb: 'expire', node: A, by: 'ana' } } as const;

  test('ends its lease at once, whoever else answers', () => {
    const fleet = new Fleet([far('a'), far('b')], ['S01']);
    fleet.down(A);
    fleet.down(B);
    expect(fleet.lost(fleet.turn(gone))).toEqual([A]);
    expect(fleet.task('S01')).toMatchObject({ n: 1, progress: { at: 'open' } });
    fleet.up(B);
    expect(fleet.attemptOf('S01')?.node).toBe(B);
  });

  test('is refused for one that is connected, or never was', () => {
    const fleet = new Fleet([far('a'), far('b')], ['S01']);
    expect(fleet.turn(gone)).toEqual([]);
    expect(fleet.reply).toMatchObject({ ok: false, code: 'E_WRONG_STATE' });
    fleet.turn({ is: 'command', command: { verb: 'expire', node: nodeName('z'), by: 'ana' } });
    expect(fleet.reply).toMatchObject({ ok: false, code: 'E_NOT_FOUND' });
  });
});

describe('what is said of a silent node', () => {
  test('names it, for how long, and what comes of it and when', () => {
    const fleet = new Fleet([far('a'), far('b')], ['S01']);
    fleet.down(A);
    fleet.passes(4 * MINUTE);
    const silence = { node: A, silentMs: 4 * MINUTE, leaseMs: 30 * MINUTE, counts: true };
    expect(why(fleet.core.snapshot(), fleet.task('S01'), fleet.now)).toEqual([
      { why: 'silent', node: A, silence },
    ]);
    expect(silenceLines(fleet.core.snapshot())).toEqual([
      'a has been silent for 4m 00s; what it holds starts elsewhere in 26m 00s unless a is heard of',
    ]);
    fleet.down(B);
    expect(silenceLines(fleet.core.snapshot())).toEqual([
      'a has been silent for 4m 00s; no other machine answers, so its lease of 30m 00s stands still',
    ]);
  });
});

function done(head: Extract<Outcome, { kind: 'done' }>['head']): Outcome {
  return { kind: 'done', head, rounds: 1, usage: null };
}

function entry(token: Token): InventoryEntry {
  return { token, project: P, task: spec('p', 'x').id, n: 1, state: 'running', outcome: null, logBytes: 0 };
}

/** Several nodes, all connected at first, and one project whose first attempts go to the first of them. */
class Fleet {
  core = new Core(emptyState(), { epoch: 1, random: () => this.#bytes() });
  readonly effects = new Map<string, Effect>();
  reply: unknown = null;
  now = 1_700_000_000_000;
  readonly #nodes: readonly NodeConfig[];
  #tokens = 0;
  #seq = 0;
  #epoch = 1;

  constructor(nodes: readonly NodeConfig[], ids: readonly string[], over: { repo?: string } = {}) {
    this.#nodes = nodes;
    this.core.setNodes(nodes);
    const { repo = null } = over;
    const specs = ids.map((id) => ({
      spec: spec('p', id, repo === null ? { modifies: [] } : {}),
      text: '',
    }));
    this.turn({ is: 'command', command: { verb: 'load', config: config('p', { repo }), specs } });
    if (repo !== null) this.turn({ is: 'based', key: 'base:p', project: P, integration: commit(1) });
    this.turn({ is: 'command', command: { verb: 'start', project: P } });
    for (const { name } of nodes) this.up(name);
    for (const attempt of this.core.state.attempts.values()) this.#runs(attempt.token, attempt.node);
  }

  turn(input: Input): readonly Fact[] {
    this.now += 1;
    const { events, effects, replies } = this.core.turn([input], this.now);
    for (const effect of effects) this.effects.set(effect.key, effect);
    if (replies.length > 0) this.reply = replies.at(-1);
    return events.map(({ fact }) => fact);
  }

  /** So much time passes with the controller awake, in looks of a minute at most. */
  passes(span: number): readonly Fact[] {
    const facts: Fact[] = [];
    for (let left = span; left > 0; left -= MINUTE) {
      const ms = Math.min(left, MINUTE);
      this.now += ms;
      facts.push(...this.turn({ is: 'awake', ms }));
    }
    return facts;
  }

  /** Another controller takes over, and knows no more than the state. */
  restart(): void {
    this.#epoch += 1;
    const before = this.core;
    this.core = new Core(before.state, { epoch: this.#epoch, random: () => this.#bytes() });
    this.core.setNodes(
      this.#nodes.filter(({ name }) => name !== A || before.snapshot().nodes.some((one) => one.name === A)),
    );
    this.turn({ is: 'acquired', host: 'h', pid: this.#epoch });
    this.turn({ is: 'command', command: { verb: 'start', project: P } });
  }

  up(on: NodeName, running: readonly Token[] = [], ended: readonly InventoryEntry[] = []): void {
    const welcome = {
      protocol: 1,
      program: 'x',
      bootId: 'b',
      journal: `disk-${on}`,
      seq: 0,
      platform: 'linux',
      epoch: 1,
    };
    this.turn({ is: 'node.up', node: on, welcome, inventory: [...running.map(entry), ...ended] });
  }

  /** It is tried in vain; the look after that, which began before, is not charged for. */
  down(on: NodeName): void {
    this.turn({ is: 'node.down', node: on, reason: 'no answer' });
    this.turn({ is: 'awake', ms: MINUTE });
  }

  news(on: NodeName, fact: JournalFact): readonly Fact[] {
    this.#seq += 1;
    const entries = [{ seq: this.#seq, at: 0, ...fact }];
    return this.turn({ is: 'node.news', node: on, journal: `disk-${on}`, entries });
  }

  /** Takes the task's work through the queue to a gate that runs; returns the gate. */
  gated(id: string): Token {
    const token = this.running(id);
    const on = this.core.state.attempts.get(token)?.node as NodeName;
    const head = commit(50);
    this.news(on, { type: 'attempt.ended', token, outcome: done(head) });
    this.turn({ is: 'collected', key: `collect:${token}`, token, head, changed: 1, findings: [] });
    const made = { token, onto: commit(1), commit: commit(60), tree: 'tree', aside: false };
    this.turn({ is: 'merge.made', key: `merge:${token}`, ...made });
    const progress = this.task(id).progress;
    if (progress.at !== 'gating' || progress.gate === null) throw new Error('no gate was started');
    return progress.gate;
  }

  task(id: string) {
    const task = this.core.state.tasks.get(key('p', id));
    if (task === undefined) throw new Error(`no task ${id}`);
    return task;
  }

  running(id: string): Token {
    const { progress } = this.task(id);
    if (progress.at !== 'attempt') throw new Error(`${id} is ${progress.at}`);
    return progress.token;
  }

  attemptOf(id: string) {
    return this.core.state.attempts.get(this.running(id));
  }

  lost(facts: readonly Fact[]): NodeName[] {
    return facts.flatMap((fact) => (fact.type === 'node.lost' ? fact.node : []));
  }

  #runs(token: Token, on: NodeName): void {
    this.turn({ is: 'started', key: `start:${token}`, token });
    this.news(on, { type: 'attempt.running', token });
  }

  #bytes(): Uint8Array {
    this.#tokens += 1;
    return new Uint8Array(16).fill(this.#tokens);
  }
}
