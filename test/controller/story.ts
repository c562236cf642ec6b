/** A core on one node and one project, driven by hand: what a test needs to see one decision of the controller. */
import { Core } from '../../src/controller/core.ts';
import type { Outcome } from '../../src/model/attempt.ts';
import type { Effect, Input } from '../../src/controller/door.ts';
import type { Fact } from '../../src/model/event.ts';
import { type CommitId, nodeName, projectName, taskId, type Token } from '../../src/model/ids.ts';
import { NO_RECORD } from '../../src/merge/queue/record.ts';
import type { ProjectConfig, TaskSpec } from '../../src/model/spec.ts';
import { emptyState } from '../../src/model/state.ts';
import type { JournalFact } from '../../src/protocol/messages.ts';
import { commit, config, key, node } from '../schedule/world.ts';
import { Rng } from '../sim/rng.ts';

export const N1 = nodeName('n1');
export const P = projectName('p');
export const TIP = commit(1);

/** A core on one node and one project, driven by hand. */
export class Story {
  core = new Core(emptyState(), { epoch: 1, random: () => this.#rng.bytes() });
  /** Every effect wanted so far, by key. */
  readonly effects = new Map<string, Effect>();
  /** Everything that happened. */
  readonly facts: Fact[] = [];
  readonly #rng = new Rng(1);
  #epoch = 1;
  #seq = 0;
  #now = 1000;

  constructor(specs: readonly TaskSpec[], over: Partial<ProjectConfig> = {}) {
    this.core.setNodes([node('n1')]);
    this.turn({ is: 'acquired', host: 'h', pid: 1 });
    this.load(specs, over);
    this.turn({ is: 'command', command: { verb: 'start', project: P } });
    this.turn({ is: 'based', key: 'base:p', project: P, integration: TIP });
    this.up('disk');
  }

  /** Another controller takes over, and knows no more than the state; the node still runs these attempts. */
  restart(running: readonly Token[] = [], asked: { skipControl?: string } = {}): void {
    this.#epoch += 1;
    this.core = new Core(this.core.state, { epoch: this.#epoch, random: () => this.#rng.bytes() });
    this.core.setNodes([node('n1')]);
    this.effects.clear();
    this.turn({ is: 'acquired', host: 'h', pid: this.#epoch });
    this.turn({ is: 'command', command: { verb: 'start', project: P, ...asked } });
    this.up('disk', running);
  }

  /** project.yaml and specs as they are now. */
  load(specs: readonly TaskSpec[], over: Partial<ProjectConfig> = {}): void {
    const texts = specs.map((one) => ({ spec: one, text: '' }));
    this.turn({ is: 'command', command: { verb: 'load', config: config('p', over), specs: texts } });
  }

  /** The wall clock is set ahead by so much, or back; milliseconds. */
  setClock(by: number): void {
    this.#now += by;
  }

  turn(input: Input): readonly Fact[] {
    this.#now += 1;
    const { events, effects } = this.core.turn([input], this.#now);
    for (const effect of effects) this.effects.set(effect.key, effect);
    const facts = events.map(({ fact }) => fact);
    this.facts.push(...facts);
    return facts;
  }

  /** What the queue has seen so far: many slots and many that were bad, so that each branch is judged alone first. */
  manyBad(): void {
    this.core.setNodes([node('n1', { gateSlots: 4 })]);
    this.core.memory.records.set(P, { ...NO_RECORD, passed: 10, refused: 10 });
  }

  /** Slots on its node. */
  room(slots: number): void {
    this.core.setNodes([node('n1', { slots, gateSlots: 2 })]);
    this.turn({ is: 'tick' });
  }

  up(journal: string, running: readonly Token[] = []): void {
    const welcome = { protocol: 1, program: 'x', bootId: 'b', journal, seq: 0, platform: 'linux', epoch: 1 };
    const what = {
      project: P,
      task: taskId('t'),
      n: 0,
      state: 'running',
      outcome: null,
      logBytes: 0,
    } as const;
    const inventory = running.map((token) => ({ token, ...what }));
    this.turn({ is: 'node.up', node: N1, welcome, inventory });
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
  queued(
    token: Token,
    { paths = [], changed = paths.length || 1 }: Partial<Extract<Input, { is: 'collected' }>> = {},
  ): void {
    const head = commit(100 + this.#seq);
    this.news({ type: 'attempt.ended', token, outcome: { kind: 'done', head, rounds: 1, usage: null } });
    this.turn({ is: 'collected', key: `collect:${token}`, token, head, changed, paths, findings: [] });
  }

  /** The branch has been merged onto this commit, with this tree. */
  merged(token: Token, onto: CommitId, number: number, tree: string): void {
    const made = { token, onto, commit: commit(number), tree, aside: false };
    this.effects.delete(`merge:${token}`);
    this.turn({ is: 'merge.made', key: `merge:${token}`, ...made });
  }

  /** The branch stands on the stack, on top of `onto`. */
  stacked(token: Token, onto: CommitId, made: CommitId): void {
    const merged = { token, onto, commit: made, tree: `tree-${made}`, aside: false };
    this.turn({ is: 'merge.made', key: `merge:${token}`, ...merged });
  }

  mergedOntoTip(token: Token, number: number, tree: string): void {
    const tip = this.core.state.projects.get(P)?.integration;
    if (tip == null) throw new Error('no integration');
    this.merged(token, tip, number, tree);
  }

  /** What was green has landed. */
  lands(tokens: readonly Token[], onto: CommitId, number: number): void {
    const landed = { project: P, tokens, onto, commit: commit(number), before: false };
    this.turn({ is: 'landed', key: `land:${commit(number)}`, ...landed });
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
    this.endGate(id, { kind: 'done', head: null, rounds: 1, usage: null });
  }

  red(id: string): void {
    const findings = [{ gate: 'verify', path: null, line: null, message: 'exit code 1', fix: null }] as const;
    this.endGate(id, { kind: 'refused', findings, output: '', head: null, rounds: 1, usage: null });
  }

  /** Gate runs so far. */
  get gates(): number {
    return this.facts.filter((fact) => fact.type === 'attempt.claimed' && fact.work.kind === 'gate').length;
  }

  /** The gate could not run; its delay passes. */
  broken(id: string): void {
    const message = 'no bwrap';
    this.endGate(id, { kind: 'failed', cause: 'gate', message, exitCode: 126, rounds: 1, usage: null });
    this.later();
  }

  /** A minute passes. */
  later(): void {
    this.#now += 60_000;
    this.turn({ is: 'tick' });
  }

  /** The command that the gate at work on the task runs; null when there is none. */
  gated(id: string): string | null {
    const gate = this.gateOf(id);
    const work = gate === null ? undefined : this.core.state.attempts.get(gate)?.work;
    return work?.kind === 'gate' ? work.subject.verify : null;
  }

  endGate(id: string, outcome: Outcome): void {
    const gate = this.gateOf(id);
    if (gate === null) throw new Error('no gate was started');
    this.news({ type: 'attempt.running', token: gate });
    this.news({ type: 'attempt.ended', token: gate, outcome });
  }
}
