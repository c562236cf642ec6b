/** Random homes, run forward by random events: what must hold of every decision in every one of them. */
import fc from '../property.ts';
import { expect, test } from 'vitest';
import type { TaskId } from '../../src/model/ids.ts';
import type { State } from '../../src/model/state.ts';
import type { Task } from '../../src/model/task.ts';
import { overlap } from '../../src/plan/overlap.ts';
import { decide } from '../../src/schedule/decide.ts';
import { statuses, statusOf } from '../../src/schedule/status.ts';
import { why } from '../../src/schedule/why.ts';
import { World } from './world.ts';

const PATTERNS = ['a/x.ts', 'a/y.ts', 'a/*.ts', 'a/', 'b/**', 'b/z.ts', '**/y.ts', 'c.ts'];
const EXECUTORS = ['shell', 'glm'];

const oneTask = fc.record({
  project: fc.nat(1),
  priority: fc.nat(3),
  dependsOn: fc.array(fc.nat(11), { maxLength: 3 }),
  modifies: fc.uniqueArray(fc.nat(PATTERNS.length - 1), { minLength: 1, maxLength: 2 }),
  executor: fc.nat(1),
  chain: fc.nat(100_000),
});
const oneNode = fc.record({
  slots: fc.nat(4),
  gateSlots: fc.option(fc.integer({ min: 1, max: 3 })),
  weight: fc.constantFrom(0.1, 1, 2),
  mode: fc.constantFrom('hybrid' as const, ['shell'], ['glm']),
  connected: fc.boolean(),
  mark: fc.constantFrom('none', 'none', 'none', 'cordon', 'drain'),
});
const home = fc.record({
  weights: fc.tuple(fc.constantFrom(0.5, 1, 3), fc.constantFrom(0.5, 1, 3)),
  started: fc.tuple(fc.boolean(), fc.constant(true)),
  tasks: fc.array(oneTask, { minLength: 1, maxLength: 12 }),
  nodes: fc.array(oneNode, { minLength: 1, maxLength: 4 }),
  /** What happens between the decisions. */
  events: fc.array(fc.record({ what: fc.nat(7), which: fc.nat(20), wait: fc.nat(3000) }), { maxLength: 25 }),
});
type Home = typeof home extends fc.Arbitrary<infer T> ? T : never;

test('in any home: slots, locks, dependencies and one attempt at a time hold, and the answer does not depend on how maps were filled', () => {
  fc.assert(
    fc.property(home, (plan) => {
      const world = build(plan);
      for (const event of [null, ...plan.events]) {
        if (event !== null) happen(world, event);
        const decisions = decide(world.snapshot(), world.now);
        expect(decide(shuffled(world), world.now)).toEqual(decisions);
        for (const decision of decisions) {
          if (decision.start === 'work') checkMayStart(world, decision.task);
          world.apply(decision);
        }
        checkSlots(world);
        checkLocks(world.state);
      }
    }),
    { numRuns: 300 },
  );
});

test('deciding twice starts nothing more, and whatever was left out has a reason', () => {
  fc.assert(
    fc.property(home, (plan) => {
      const world = build(plan);
      for (const event of [null, ...plan.events]) {
        if (event !== null) happen(world, event);
        world.step();
        expect(decide(world.snapshot(), world.now)).toEqual([]);
        for (const open of world.state.tasks.values()) {
          if (open.progress.at !== 'open') continue;
          expect(why(world.snapshot(), open, world.now)).not.toEqual([]);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('a task without a reason is exactly one that starts when it is the only candidate', () => {
  fc.assert(
    fc.property(home, (plan) => {
      const world = build(plan);
      for (const event of [null, ...plan.events]) {
        if (event !== null) happen(world, event);
        for (const open of world.state.tasks.values()) {
          if (open.progress.at !== 'open') continue;
          const reasons = why(world.snapshot(), open, world.now);
          expect(
            decide(only(world, open), world.now).some((it) => 'task' in it && it.task === open.key),
          ).toBe(reasons.length === 0);
        }
        if (plan.events.indexOf(event as never) % 3 === 0) world.step();
      }
    }),
    { numRuns: 200 },
  );
});

test('the word for one task is the word in the list of all', () => {
  fc.assert(
    fc.property(home, (plan) => {
      const world = build(plan);
      for (const event of plan.events) {
        happen(world, event);
        world.step();
        const words = statuses(world.state, world.now);
        for (const one of world.state.tasks.values()) {
          expect(words.get(one.key)).toBe(statusOf(one, world.state, world.now));
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('with one node and endless work, live slots follow the weights to within one slot', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 }), (slots, weight) => {
      const world = new World().node('n', { slots }).project('p', { weight }).project('q');
      for (let i = 0; i < slots; i++) world.add('p', `P${i}`).add('q', `Q${i}`);
      const live = world.step().filter((it) => it.start === 'work' && it.task.startsWith('p/')).length;
      expect(Math.abs(live - (slots * weight) / (weight + 1))).toBeLessThanOrEqual(1);
    }),
  );
});

function build(plan: Home): World {
  const world = new World();
  plan.weights.forEach((weight, i) => world.project(`p${i}`, { weight }));
  plan.started.forEach((started, i) => {
    if (!started) world.dispatching.delete(`p${i}` as never);
  });
  plan.nodes.forEach(({ slots, gateSlots, weight, mode, connected, mark }, i) => {
    world.node(`n${i}`, { slots, gateSlots, weight, mode });
    if (!connected) world.connected.delete(`n${i}` as never);
    if (mark !== 'none')
      world.record({ type: 'node.marked', node: `n${i}` as never, mark: mark as 'cordon' });
  });
  plan.tasks.forEach((one, i) => {
    const earlier = one.dependsOn.filter((j) => j < i && plan.tasks[j]?.project === one.project);
    world.now += 1;
    world.add(`p${one.project}`, `T${i}`, {
      priority: one.priority as 0,
      dependsOn: earlier.map((j) => `T${j}` as TaskId),
      modifies: one.modifies.map((at) => PATTERNS[at] ?? ''),
      executor: EXECUTORS[one.executor] ?? 'shell',
    });
    world.chainMs.set(`p${one.project}/T${i}` as never, one.chain);
  });
  return world;
}

/** Something befalls one of the live attempts, or a node, or time passes. */
function happen(world: World, event: Home['events'][number]): void {
  world.now += event.wait;
  const live = [...world.state.live.values()].flatMap((tokens) => [...tokens]);
  const token = live[event.which % Math.max(1, live.length)];
  const attempt = token === undefined ? undefined : world.state.attempts.get(token);
  if (event.what === 0) {
    const config = world.nodes[event.which % world.nodes.length];
    if (config === undefined) return;
    if (!world.connected.delete(config.name)) world.connected.add(config.name);
    return;
  }
  if (token === undefined || attempt === undefined) return;
  if (attempt.work.kind === 'gate') {
    world.end(token, { kind: 'lost', why: 'killed' });
    return;
  }
  if (event.what <= 2) world.merge(token);
  else if (event.what === 3) world.prepare(token);
  else if (event.what === 4) {
    world.end(token, { kind: 'lost', why: 'rebooted' });
    world.record({ type: 'task.backedoff', task: attempt.task, notBefore: world.now + 1000, reason: '' });
  } else if (event.what === 5) {
    world.end(token, { kind: 'timeout', rounds: 1, head: null });
    world.record({ type: 'task.failed', task: attempt.task, reason: '', findings: [] });
  } else if (event.what === 6) {
    world.record({ type: 'attempt.fenced', token, reason: '' });
    world.record({ type: 'task.cancelled', task: attempt.task, reason: '' });
    world.record({ type: 'task.retried', task: attempt.task, by: 'me' });
  } else if (attempt.phase.is === 'claimed') world.record({ type: 'attempt.running', token });
}

function checkMayStart(world: World, key: string): void {
  const found = world.state.tasks.get(key as never);
  expect(found?.progress.at).toBe('open');
  for (const id of found?.spec.dependsOn ?? []) {
    expect(world.state.tasks.get(`${found?.spec.project}/${id}` as never)?.progress.at).toBe('merged');
  }
  expect(found?.notBefore).toBeLessThanOrEqual(world.now);
  const alive = [...world.state.attempts.values()].filter(
    (attempt) => attempt.task === key && (attempt.phase.is === 'claimed' || attempt.phase.is === 'running'),
  );
  expect(alive).toEqual([]);
}

function checkSlots(world: World): void {
  for (const { name, slots, gateSlots } of world.nodes) {
    const live = [...(world.state.live.get(name) ?? [])].map(
      (token) => world.state.attempts.get(token)?.work.kind,
    );
    expect(live.length).toBeLessThanOrEqual(slots);
    expect(live.filter((kind) => kind === 'gate').length).toBeLessThanOrEqual(gateSlots ?? slots);
  }
}

function checkLocks(state: State): void {
  const held = [...state.tasks.values()].filter((one) => one.locked);
  held.forEach((a, i) => {
    for (const b of held.slice(i + 1)) {
      if (a.spec.project !== b.spec.project) continue;
      const met = a.spec.modifies.some((one) =>
        b.spec.modifies.some((other) => overlap(one, other) !== null),
      );
      expect(met, `${a.key} and ${b.key} hold paths that meet`).toBe(false);
    }
  });
}

/** The same snapshot, with every map and set filled in the opposite order. */
function shuffled(world: World) {
  const { state } = world;
  const reversed: State = {
    ...state,
    projects: new Map([...state.projects].toReversed()),
    tasks: new Map([...state.tasks].toReversed()),
    nodes: new Map([...state.nodes].toReversed()),
    startable: new Set([...state.startable].toReversed()),
    active: new Set([...state.active].toReversed()),
    locked: new Set([...state.locked].toReversed()),
    live: new Map([...state.live].toReversed()),
  };
  return { ...world.snapshot(), state: reversed, nodes: world.nodes.toReversed() };
}

/** The same snapshot with this one candidate. */
function only(world: World, one: Task) {
  const state = {
    ...world.state,
    startable: new Set(one.unmet === 0 ? [one.key] : []),
    active: new Set<never>(),
  };
  return { ...world.snapshot(), state };
}
