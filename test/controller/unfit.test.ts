/**
 * What the state or the store refuses ends nothing: it is put aside, and the rest goes on. The real loop, core and store;
 * what is refused is refused for real, by a row that somebody has changed or by a trigger of SQLite.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { asidesOf, Asides } from '../../src/controller/asides.ts';
import { systemClock } from '../../src/controller/clock.ts';
import { Core } from '../../src/controller/core.ts';
import type { Command, Effect, Input } from '../../src/controller/door.ts';
import { Loop } from '../../src/controller/loop.ts';
import type { Note } from '../../src/controller/note.ts';
import { homePaths } from '../../src/controller/paths.ts';
import type { Token } from '../../src/model/ids.ts';
import type { JournalFact } from '../../src/protocol/messages.ts';
import type { Lease, Store } from '../../src/store/port.ts';
import { commit, config, key, node, spec } from '../schedule/world.ts';
import { openStore, raw, scratch } from '../store/scratch.ts';
import { N1, P, TIP } from './story.ts';

/** A controller without hands on a home of its own. Effects that it wants stay under way until a test answers them. */
class Desk {
  readonly home = scratch();
  readonly notes: Note[] = [];
  readonly effects = new Map<string, Effect>();
  stopped: unknown = null;
  #core!: Core;
  #loop!: Loop;
  #store!: Store;
  #lease!: Lease;
  #seq = 0;

  async open(): Promise<this> {
    mkdirSync(homePaths(this.home).state, { recursive: true });
    this.#store = await openStore(homePaths(this.home).database);
    await this.#begin();
    await this.tell({ is: 'acquired', host: 'h', pid: 1 });
    const specs = ['A', 'B'].map((id) => ({ spec: spec('p', id), text: '' }));
    await this.ask({ verb: 'load', config: config('p'), specs });
    await this.ask({ verb: 'start', project: P });
    await this.tell({ is: 'based', key: 'base:p', project: P, integration: TIP });
    const welcome = {
      protocol: 1,
      program: 'x',
      bootId: 'b',
      journal: 'disk',
      seq: 0,
      platform: 'linux',
      epoch: 1,
    };
    await this.tell({ is: 'node.up', node: N1, welcome, inventory: [] });
    return this;
  }

  /** Somebody changes the database, and the controller starts on what it is then. */
  async damage(sql: string): Promise<void> {
    await this.#loop.stop();
    await this.#store.release(this.#lease);
    raw(homePaths(this.home).database).exec(sql);
    await this.#begin();
    await this.tell({ is: 'acquired', host: 'h', pid: 1 });
  }

  async tell(input: Input): Promise<void> {
    this.#loop.push(input);
    await this.settled();
  }

  ask(command: Command) {
    return this.#loop.ask(command);
  }

  news(...facts: readonly JournalFact[]): Promise<void> {
    const entries = facts.map((fact) => ({ seq: (this.#seq += 1), at: 0, ...fact }));
    return this.tell({ is: 'node.news', node: N1, journal: 'disk', entries });
  }

  /** No turn is due. */
  async settled(): Promise<void> {
    // A command is answered by the turn that takes in all that was pushed before it, and by the ones after a refusal.
    await this.#loop.ask({ verb: 'release', project: P, by: 'a test' }).catch(() => undefined);
  }

  begun(id: string): Token {
    const progress = this.#core.state.tasks.get(key('p', id))?.progress;
    if (progress?.at !== 'attempt') throw new Error(`${id} is ${progress?.at}`);
    return progress.token;
  }

  at(id: string): string | undefined {
    return this.#core.state.tasks.get(key('p', id))?.progress.at;
  }

  get core(): Core {
    return this.#core;
  }

  get store(): Store {
    return this.#store;
  }

  async #begin(): Promise<void> {
    const { home, notes } = this;
    this.#lease = await this.#store.acquire('h', process.pid, systemClock.wall());
    const state = await this.#store.load();
    this.#core = new Core(state, {
      epoch: this.#lease.epoch,
      random: () => crypto.getRandomValues(new Uint8Array(16)),
    });
    this.#core.setNodes([node('n1')]);
    const { memory } = this.#core;
    const asides = new Asides({
      home,
      state,
      memory,
      now: () => systemClock.wall(),
      note: (one) => notes.push(one),
    });
    this.#loop = new Loop({
      core: this.#core,
      store: this.#store,
      lease: this.#lease,
      clock: systemClock,
      perform: (effect) => {
        this.effects.set(effect.key, effect);
        return new Promise(() => undefined);
      },
      onEvents: () => undefined,
      onNoSpace: () => undefined,
      onAside: (input, error) => asides.put(input, error),
      onTurn: () => undefined,
      onStopped: (error) => {
        this.stopped = error;
      },
    });
    onTestFinished(() => this.#loop.stop());
  }
}

const ended = (token: Token, number: number): JournalFact => ({
  type: 'attempt.ended',
  token,
  outcome: { kind: 'done', head: commit(number), rounds: 1, usage: null },
});

/** The store says of the task what its live attempt contradicts. */
const CANCELLED = `UPDATE tasks SET at = 'cancelled', progress = '{"at":"cancelled","reason":"by hand","when":1}', locked = 0 WHERE key = 'p/A'`;

test('news that the state refuses is put aside, the rest of it is taken in, and its node gets nothing new for a while', async () => {
  const desk = await new Desk().open();
  const [a, b] = [desk.begun('A'), desk.begun('B')];
  await desk.news({ type: 'attempt.running', token: a }, { type: 'attempt.running', token: b });
  await desk.damage(CANCELLED);
  await desk.news(ended(a, 7), ended(b, 8));
  expect(desk.stopped).toBe(null);
  expect(desk.at('B')).toBe('finished');
  expect(desk.core.state.attempts.get(a)?.phase.is).toBe('running');
  expect(desk.core.memory.shunned.has(N1)).toBe(true);
  const [aside, ...others] = asidesOf(desk.home);
  expect(others).toEqual([]);
  expect(aside).toMatchObject({ what: 'attempt.ended of node n1', task: 'p/A' });
  expect(readFileSync(join(desk.home, aside?.file ?? ''), 'utf8')).toContain(commit(7));
  expect(desk.notes.map(({ code }) => code)).toEqual(['E_UNFIT']);
  expect((await desk.store.load()).tasks.get(key('p', 'B'))?.progress.at).toBe('finished');

  // It comes again with every connection: it is one file, told each time, and at last there is doubt.
  for (const _ of [2, 3]) {
    await desk.tell({
      is: 'node.news',
      node: N1,
      journal: 'disk',
      entries: [{ seq: 99, at: 0, ...ended(a, 7) }],
    });
  }
  expect(asidesOf(desk.home)).toHaveLength(2);
  expect([...desk.core.memory.doubts]).toEqual([expect.stringContaining('the state refused 3 things')]);
  expect(desk.stopped).toBe(null);
});

test('a command and the result of an effect that the store refuses are answered so, and the controller goes on', async () => {
  const desk = await new Desk().open();
  const a = desk.begun('A');
  await desk.damage(
    `CREATE TRIGGER no BEFORE INSERT ON events WHEN NEW.type IN ('queue.held', 'candidate.accepted', 'node.probed') BEGIN SELECT RAISE(ABORT, 'never'); END`,
  );
  const held = desk.ask({ verb: 'hold', project: P, by: 'me', reason: 'x' });
  await expect(held).rejects.toMatchObject({ code: 'E_UNFIT' });
  expect(await desk.ask({ verb: 'start', project: P })).toMatchObject({ ok: true });

  await desk.tell({ is: 'node.probed', node: N1, programs: { shell: { is: 'missing' } as never } });
  await desk.news({ type: 'attempt.running', token: a }, ended(a, 7));
  const collected = { token: a, head: commit(7), changed: 1, paths: ['src/A.ts'], findings: [] };
  await desk.tell({ is: 'collected', key: `collect:${a}`, ...collected });
  expect(desk.at('A')).toBe('finished');
  expect(desk.core.memory.retries.get(`collect:${a}`)?.tries).toBe(1);
  expect(desk.stopped).toBe(null);
  expect(asidesOf(desk.home).map(({ what }) => what)).toEqual(
    expect.arrayContaining(['the command hold', 'node.probed of node n1', 'collected']),
  );
  expect(await desk.store.replayCheck()).toEqual([]);
});

test('a step of each turn that trips over the state is left out, which puts what is believed in doubt', async () => {
  const desk = await new Desk().open();
  await desk.damage(
    `UPDATE projects SET delivery_at = 'gating', delivery = '{"at":"gating","gate":null,"tree":"t"}', config = json_remove(config, '$.gates')`,
  );
  const { core } = desk;
  expect(desk.stopped).toBe(null);
  expect([...core.memory.doubts][0]).toMatch(/a step of each turn \(\w+\) cannot be taken/u);
  await desk.news({ type: 'attempt.running', token: desk.begun('A') });
  expect(core.state.attempts.get(desk.begun('A'))?.phase.is).toBe('running');
});

test('who comes after the end is told what it ended with', async () => {
  const desk = await new Desk().open();
  raw(homePaths(desk.home).database).exec('UPDATE lease SET epoch = epoch + 1');
  const order = { verb: 'hold', project: P, by: 'me', reason: 'x' } as const;
  await expect(desk.ask(order)).rejects.toMatchObject({ code: 'E_FENCED' });
  await expect(desk.ask(order)).rejects.toBe(desk.stopped);
});
