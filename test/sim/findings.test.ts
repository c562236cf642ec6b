/** What the simulator has found in the core, each as the shortest story that shows it. */
import { expect, test } from 'vitest';
import { buildOrder } from '../../src/controller/orders.ts';
import { Core } from '../../src/controller/core.ts';
import type { Attempt, Outcome } from '../../src/model/attempt.ts';
import type { Effect, Input } from '../../src/controller/door.ts';
import type { Fact } from '../../src/model/event.ts';
import { nodeName, projectName, type Token } from '../../src/model/ids.ts';
import type { TaskSpec } from '../../src/model/spec.ts';
import { emptyState } from '../../src/model/state.ts';
import type { JournalFact } from '../../src/protocol/messages.ts';
import { commit, config, key, node, spec } from '../schedule/world.ts';
import { Rng } from './rng.ts';

const N1 = nodeName('n1');
const P = projectName('p');
const TIP = commit(1);

test('commits of a cancelled attempt are brought into the hub before its node may forget them', () => {
  const story = new Story([spec('p', 'A')]);
  const token = story.started('A');
  story.turn({ is: 'command', command: { verb: 'cancel', task: key('p', 'A'), reason: 'enough' } });
  story.turn({ is: 'cancelled', key: `cancel:${token}`, token, state: 'cancelling' });
  const head = commit(2);
  story.news({ type: 'attempt.ended', token, outcome: { kind: 'timeout', rounds: 1, head } });
  expect(story.wanted(`collect:${token}`)).toMatchObject({ do: 'collect', head });
  expect(story.wanted(`forget:${token}`)).toBeUndefined();
  story.turn({ is: 'collected', key: `collect:${token}`, token, head, changed: 1, findings: [] });
  expect(story.wanted(`forget:${token}`)).toBeDefined();
});

test('a cancelled attempt that vanished with the disk of its node is settled when the node is back', () => {
  const story = new Story([spec('p', 'A')]);
  const token = story.started('A');
  story.turn({ is: 'command', command: { verb: 'cancel', task: key('p', 'A'), reason: 'enough' } });
  story.turn({ is: 'cancelled', key: `cancel:${token}`, token, state: 'cancelling' });
  story.turn({ is: 'node.down', node: N1, reason: 'gone' });
  story.effects.clear();
  story.up('another-disk');
  expect(story.wanted(`cancel:${token}`)).toBeDefined();
  story.turn({ is: 'cancelled', key: `cancel:${token}`, token, state: 'unknown' });
  expect(story.core.state.fenced.size).toBe(0);
});

test('while the merge of one branch is made no other is, also when it would go first', () => {
  const story = new Story([spec('p', 'late', { priority: 3 }), spec('p', 'urgent', { priority: 0 })]);
  const [late, urgent] = [story.started('late'), story.started('urgent')];
  story.queued(late);
  expect(story.wanted(`merge:${late}`)).toBeDefined();
  story.queued(urgent);
  expect(story.wanted(`merge:${urgent}`)).toBeUndefined();
});

test('a controller that starts between a landing and its record goes on', () => {
  const story = new Story([spec('p', 'A')]);
  const token = story.started('A');
  const merged = story.landing(token);
  // The landing was carried out and its report is lost; meanwhile the target took it over and went on, and so did the hub.
  story.turn({ is: 'based', key: 'base:p', project: P, integration: commit(300) });
  const landed = { tokens: [token], onto: TIP, commit: merged, before: true };
  story.turn({ is: 'landed', key: `land:${merged}`, project: P, ...landed });
  expect(story.core.state.tasks.get(key('p', 'A'))?.progress.at).toBe('merged');
  expect(story.core.state.projects.get(P)?.integration).toBe(merged);
});

test('a conflict with an integration that is not known here makes the controller ask where it is', () => {
  const story = new Story([spec('p', 'A')]);
  const token = story.started('A');
  story.queued(token);
  const elsewhere = commit(77);
  story.effects.delete('base:p');
  story.turn({ is: 'merge.conflict', key: `merge:${token}`, token, onto: elsewhere, conflicts: [] });
  expect(story.wanted('base:p')).toBeDefined();
});

test('what is on the stack is gated although a branch waits that does not fit on it', () => {
  const story = new Story([spec('p', 'A'), spec('p', 'B')]);
  const [a, b] = [story.started('A'), story.started('B')];
  story.queued(a);
  story.queued(b);
  const made = { token: a, onto: TIP, commit: commit(201), tree: 'tree', aside: false };
  story.turn({ is: 'merge.made', key: `merge:${a}`, ...made });
  expect(story.wanted(`merge:${b}`)).toMatchObject({ onto: commit(201) });
  expect(story.gateOf('A')).toBeNull();
  story.turn({ is: 'merge.waits', key: `merge:${b}`, token: b, onto: commit(201) });
  expect(story.gateOf('A')).not.toBeNull();
});

test('branches with verify commands of their own land by a gate that runs them all', async () => {
  const story = new Story([spec('p', 'A', { verify: 'make web' }), spec('p', 'B', { verify: 'make api' })]);
  const tokens = ['A', 'B'].map((id) => story.started(id));
  for (const token of tokens) story.queued(token);
  for (const [at, token] of tokens.entries()) {
    const onto = at === 0 ? TIP : commit(200 + at);
    const made = { token, onto, commit: commit(201 + at), tree: `tree-${at}`, aside: false };
    story.turn({ is: 'merge.made', key: `merge:${token}`, ...made });
  }
  const { state } = story.core;
  const gate = state.attempts.get(story.gateOf('B') as Token);
  expect(story.gateOf('A')).toBeNull();
  const sources = { epoch: 1, specText: async () => '', readFile: async () => null };
  const order = await buildOrder(state, gate as Attempt, sources);
  expect(order.work).toMatchObject({ kind: 'gate', verify: '(\nmake api\n) && (\nmake web\n)' });
  expect(order.timeoutMs).toBe(2 * config('p').gateTimeoutMs);
  story.green('B');
  expect(state.tasks.get(key('p', 'A'))?.progress).toMatchObject({ at: 'landing', commit: commit(202) });
});

test('a branch that did not fit on the stack has its turn when the stack has landed', () => {
  const story = new Story([spec('p', 'A'), spec('p', 'B')]);
  const [a, b] = [story.started('A'), story.started('B')];
  story.queued(a);
  story.queued(b);
  const made = { token: a, onto: TIP, commit: commit(201), tree: 'tree', aside: false };
  story.turn({ is: 'merge.made', key: `merge:${a}`, ...made });
  story.turn({ is: 'merge.waits', key: `merge:${b}`, token: b, onto: commit(201) });
  story.green('A');
  story.effects.delete(`merge:${b}`);
  const landed = { tokens: [a], onto: TIP, commit: commit(201), before: false };
  story.turn({ is: 'landed', key: `land:${commit(201)}`, project: P, ...landed });
  expect(story.wanted(`merge:${b}`)).toMatchObject({ onto: commit(201) });
});

test('a gate that breaks three times stops the line and blames nobody', () => {
  const story = new Story([spec('p', 'A')]);
  const token = story.started('A');
  story.queued(token);
  const made = { token, onto: TIP, commit: commit(201), tree: 'tree', aside: false };
  story.turn({ is: 'merge.made', key: `merge:${token}`, ...made });
  for (let time = 1; time <= 3; time++) story.broken('A');
  const { tasks, projects } = story.core.state;
  expect(projects.get(P)?.hold?.reason).toContain('no bwrap');
  expect(tasks.get(key('p', 'A'))).toMatchObject({ returns: 0, progress: { at: 'gating', gate: null } });
  story.turn({ is: 'command', command: { verb: 'release', project: P, by: 'ana' } });
  expect(story.gateOf('A')).not.toBeNull();
});

/** A core on one node and one project, driven by hand. */
class Story {
  readonly core = new Core(emptyState(), { epoch: 1, random: () => this.#rng.bytes() });
  /** Every effect wanted so far, by key. */
  readonly effects = new Map<string, Effect>();
  readonly #rng = new Rng(1);
  #seq = 0;
  #now = 1000;

  constructor(specs: readonly TaskSpec[]) {
    this.core.setNodes([node('n1')]);
    const texts = specs.map((one) => ({ spec: one, text: '' }));
    this.turn({ is: 'command', command: { verb: 'load', config: config('p'), specs: texts } });
    this.turn({ is: 'command', command: { verb: 'start', project: P } });
    this.turn({ is: 'based', key: 'base:p', project: P, integration: TIP });
    this.up('disk');
  }

  turn(input: Input): readonly Fact[] {
    this.#now += 1;
    const { events, effects } = this.core.turn([input], this.#now);
    for (const effect of effects) this.effects.set(effect.key, effect);
    return events.map(({ fact }) => fact);
  }

  up(journal: string): void {
    const welcome = { protocol: 1, program: 'x', bootId: 'b', journal, seq: 0, platform: 'linux', epoch: 1 };
    this.turn({ is: 'node.up', node: N1, welcome, inventory: [] });
  }

  news(fact: JournalFact): void {
    this.#seq += 1;
    const entries = [{ seq: this.#seq, at: 0, ...fact }];
    this.turn({ is: 'node.news', node: N1, journal: 'disk', entries });
  }

  wanted(effect: string): Effect | undefined {
    return this.effects.get(effect);
  }

  /** The task's attempt runs. */
  started(id: string): Token {
    const progress = this.core.state.tasks.get(key('p', id))?.progress;
    if (progress?.at !== 'attempt') throw new Error(`${id} was not started`);
    const { token } = progress;
    this.turn({ is: 'started', key: `start:${token}`, token });
    this.news({ type: 'attempt.running', token });
    return token;
  }

  /** The attempt is done and its branch is in the hub. */
  queued(token: Token): void {
    const head = commit(100 + this.#seq);
    this.news({ type: 'attempt.ended', token, outcome: { kind: 'done', head, rounds: 1, usage: null } });
    this.turn({ is: 'collected', key: `collect:${token}`, token, head, changed: 1, findings: [] });
  }

  /** The branch is merged and its gate was green. Returns the merge that is to land. */
  landing(token: Token) {
    this.queued(token);
    const merged = commit(200 + this.#seq);
    const made = { key: `merge:${token}`, token, onto: TIP, commit: merged, tree: 'tree', aside: false };
    this.turn({ is: 'merge.made', ...made });
    this.green('A');
    return merged;
  }

  /** The gate at work on the task; null when there is none. */
  gateOf(id: string): Token | null {
    const progress = this.core.state.tasks.get(key('p', id))?.progress;
    return progress?.at === 'gating' ? progress.gate : null;
  }

  green(id: string): void {
    this.#endGate(id, { kind: 'done', head: null, rounds: 1, usage: null });
  }

  /** The gate could not run; its delay passes. */
  broken(id: string): void {
    const message = 'no bwrap';
    this.#endGate(id, { kind: 'failed', cause: 'gate', message, exitCode: 126, rounds: 1, usage: null });
    this.#now += 60_000;
    this.turn({ is: 'tick' });
  }

  #endGate(id: string, outcome: Outcome): void {
    const gate = this.gateOf(id);
    if (gate === null) throw new Error('no gate was started');
    this.news({ type: 'attempt.running', token: gate });
    this.news({ type: 'attempt.ended', token: gate, outcome });
  }
}
