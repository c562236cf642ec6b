/** What a green gate is believed for: this tree, this command, this environment. */
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/model/attempt.ts';
import { environmentOf } from '../../src/model/evidence.ts';
import { evolve } from '../../src/model/evolve.ts';
import type { Token } from '../../src/model/ids.ts';
import { DEFAULT_SANDBOX, type SandboxRules } from '../../src/model/sandbox.ts';
import type { TaskSpec } from '../../src/model/spec.ts';
import { commit, config, key, spec } from '../schedule/world.ts';
import { P, Story, TIP } from './story.ts';

const RED: Outcome = { kind: 'refused', findings: [], output: 'red', head: null, rounds: 1, usage: null };
const OTHER: SandboxRules = { ...DEFAULT_SANDBOX, network: true };

/** Two branches on one stack: A on integration, B on A. */
function stackOfTwo(a: Partial<TaskSpec>, b: Partial<TaskSpec>): { story: Story; a: Token; b: Token } {
  const story = new Story([spec('p', 'A', a), spec('p', 'B', b)]);
  const tokens = { a: story.started('A'), b: story.started('B') };
  story.queued(tokens.a);
  story.queued(tokens.b);
  story.merged(tokens.a, TIP, 201, 'tree A');
  story.merged(tokens.b, commit(201), 202, 'tree AB');
  return { story, ...tokens };
}

describe('a stack whose branches have different commands', () => {
  test('passes each of them on the tree that lands, one after the other', () => {
    const { story, a, b } = stackOfTwo({ verify: 'test a' }, { verify: 'test b' });
    expect(story.gated('B')).toBe('test a');
    story.green('B');
    expect(story.wanted(`land:${commit(202)}`)).toBeUndefined();
    expect(story.gated('B')).toBe('test b');
    story.green('B');
    expect(story.wanted(`land:${commit(202)}`)).toMatchObject({ tokens: [a, b] });
  });

  test('blames the one that breaks the command of another, after that command was red on it twice', () => {
    const { story } = stackOfTwo({ verify: 'test a' }, { verify: 'test b' });
    story.endGate('B', RED);
    expect(story.gated('A')).toBe('test a');
    story.green('A');
    expect(story.gated('B')).toBe('test a');
    story.endGate('B', RED);
    expect(story.core.state.tasks.get(key('p', 'B'))).toMatchObject({ returns: 1 });
    expect(story.core.state.tasks.get(key('p', 'A'))).toMatchObject({ returns: 0 });
  });

  test('does not blame the one below for the command of the one above, which it cannot pass yet', () => {
    const { story, a } = stackOfTwo({ verify: 'test a' }, { verify: 'test b' });
    story.green('B');
    expect(story.gated('B')).toBe('test b');
    story.endGate('B', RED);
    expect(story.gated('A')).toBe('test a');
    story.green('A');
    expect(story.wanted(`land:${commit(201)}`)).toMatchObject({ tokens: [a] });
    expect(story.gated('B')).toBe('test b');
    story.endGate('B', RED);
    expect(story.core.state.tasks.get(key('p', 'B'))).toMatchObject({ returns: 1 });
    expect(story.core.state.tasks.get(key('p', 'A'))).toMatchObject({ returns: 0 });
  });
});

describe('a tree that was green', () => {
  test('is not gated again when another branch gives it', () => {
    const story = new Story([spec('p', 'A'), spec('p', 'B')]);
    const [a, b] = [story.started('A'), story.started('B')];
    story.queued(a);
    story.merged(a, TIP, 201, 'the same');
    story.green('A');
    story.turn({ is: 'land.raced', key: `land:${commit(201)}`, project: config('p').name });
    story.turn({ is: 'based', key: 'base:p', project: config('p').name, integration: TIP });
    story.turn({ is: 'command', command: { verb: 'cancel', task: key('p', 'A'), reason: 'enough' } });
    story.queued(b);
    story.merged(b, TIP, 202, 'the same');
    expect(story.gateOf('B')).toBeNull();
    expect(story.wanted(`land:${commit(202)}`)).toMatchObject({ tokens: [b] });
  });

  test('is gated again for another command', () => {
    const story = new Story([spec('p', 'A'), spec('p', 'B', { verify: 'another' })]);
    const [a, b] = [story.started('A'), story.started('B')];
    story.queued(a);
    story.merged(a, TIP, 201, 'the same');
    story.green('A');
    story.turn({ is: 'land.raced', key: `land:${commit(201)}`, project: config('p').name });
    story.turn({ is: 'based', key: 'base:p', project: config('p').name, integration: TIP });
    story.turn({ is: 'command', command: { verb: 'cancel', task: key('p', 'A'), reason: 'enough' } });
    story.queued(b);
    story.merged(b, TIP, 202, 'the same');
    expect(story.gated('B')).toBe('another');
  });

  test('is gated again when the settings have changed, and a gate at work under the old ones is given up', () => {
    const specs = [spec('p', 'A')];
    const story = new Story(specs);
    const a = story.started('A');
    story.queued(a);
    story.merged(a, TIP, 201, 'tree');
    const gate = story.gateOf('A');
    story.load(specs, { sandbox: OTHER });
    expect(story.core.state.attempts.get(gate as Token)?.phase).toMatchObject({ is: 'fenced' });
    expect(story.gateOf('A')).not.toBeNull();
    expect(story.gateOf('A')).not.toBe(gate);
    story.turn({
      is: 'command',
      command: { verb: 'hold', project: config('p').name, by: 'ana', reason: '' },
    });
    story.green('A');
    story.load(specs);
    story.turn({ is: 'command', command: { verb: 'release', project: config('p').name, by: 'ana' } });
    expect(story.gateOf('A')).not.toBeNull();
  });

  test('and one that was red under other settings is not blamed for it', () => {
    const { story } = stackOfTwo({}, {});
    story.endGate('B', RED);
    story.load([spec('p', 'A'), spec('p', 'B')], { sandbox: OTHER });
    expect(story.gated('B')).toBe('make test');
  });
});

test('a delivery that waits for its gate goes on when another gate finds its tree green meanwhile', () => {
  const story = new Story([spec('p', 'A', { verify: 'make lint' })], { verify: 'make test' });
  const a = story.started('A');
  story.queued(a);
  story.merged(a, TIP, 201, 'tree');
  story.green('A');
  story.lands([a], TIP, 201);
  story.core.setNodes([]);
  story.turn({ is: 'command', command: { verb: 'collect', project: P } });
  const made = { commit: commit(201), tree: 'tree', onto: commit(201), targetTip: TIP };
  story.turn({ is: 'delivery.made', key: 'prepare-delivery:p', project: P, ...made });
  const { state } = story.core;
  expect(state.projects.get(P)?.delivery).toMatchObject({ at: 'gating', gate: null });
  const basis = { verify: 'make test', environment: environmentOf(config('p')) };
  const fact = { type: 'gate.proved', project: P, tree: 'tree', ...basis } as const;
  evolve(state, { seq: 0, at: 0, epoch: 1, fact, source: null });
  story.turn({ is: 'tick' });
  expect(state.projects.get(P)?.delivery).toMatchObject({ at: 'pushing' });
});

describe('the environment of a gate', () => {
  const base = config('p');
  const environment = (sandbox: Partial<SandboxRules>, minTests = 0): string =>
    environmentOf({ sandbox: { ...DEFAULT_SANDBOX, ...sandbox }, gates: { ...base.gates, minTests } });
  const prepare = { command: 'npm ci', keyedBy: ['a.lock', 'b.lock'], paths: ['node_modules'] };

  test('is the same for the same settings, whatever their order, and after every start', () => {
    expect(environment({})).toBe(environmentOf(base));
    expect(environment({})).toBe('1a867b20b0693cd1');
    expect(environment({ readOnly: ['/a', '/b'] })).toBe(environment({ readOnly: ['/b', '/a'] }));
    expect(environment({ prepare })).toBe(
      environment({ prepare: { ...prepare, keyedBy: ['b.lock', 'a.lock'] } }),
    );
  });

  test('is another for everything that can turn a verdict', () => {
    const all = [
      environment({}),
      environment({}, 1),
      environment({ trusted: true }),
      environment({ network: true }),
      environment({ readOnly: ['/srv/data'] }),
      environment({ limits: { ...DEFAULT_SANDBOX.limits, memory: 1024 } }),
      environment({ limits: { ...DEFAULT_SANDBOX.limits, processes: 9 } }),
      environment({ limits: { ...DEFAULT_SANDBOX.limits, fileSize: 9 } }),
      environment({ prepare }),
      environment({ prepare: { ...prepare, command: 'npm i' } }),
      environment({ prepare: { ...prepare, keyedBy: ['a.lock'] } }),
      environment({ prepare: { ...prepare, paths: ['vendor'] } }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});
