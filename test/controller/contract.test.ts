/** A change of the shared contract, decision by decision. */
import { expect, test } from 'vitest';
import type { Fact } from '../../src/model/event.ts';
import type { TaskSpec } from '../../src/model/spec.ts';
import { why } from '../../src/schedule/why.ts';
import { commit, key, spec } from '../schedule/world.ts';
import { P, Story, TIP } from './story.ts';

const PATH = 'SHARED_CONTEXT.md';

test('no work starts before the contract of the base is known, and each attempt says under which it was made', () => {
  const story = begun([spec('p', 'A')]);
  expect(claims(story)).toEqual([]);
  expect(story.wanted('contract:p')).toMatchObject({ do: 'contract', commit: TIP, path: PATH });
  story.turn(read('one'));
  expect(claims(story)).toMatchObject([{ task: key('p', 'A'), contract: 'one' }]);
  expect(story.facts).toContainEqual(
    expect.objectContaining({ type: 'contract.accepted', hash: 'one', by: 'dispatch' }),
  );
});

test('a contract that the base lacks keeps nobody', () => {
  const story = begun([spec('p', 'A')]);
  story.turn(read(null));
  expect(claims(story).map((fact) => 'contract' in fact)).toEqual([false]);
});

test('an answer about a base that is not the base any more is asked again', () => {
  const story = begun([spec('p', 'A')]);
  story.turn({ is: 'based', key: 'base:p', project: P, integration: commit(2) });
  story.effects.clear();
  story.turn(read('one'));
  expect(claims(story)).toEqual([]);
  expect(story.wanted('contract:p')).toMatchObject({ commit: commit(2) });
});

test('a landing that left the contract alone asks for no look; one that may have changed it does', () => {
  const story = begun([
    spec('p', 'A', { modifies: ['a'] }),
    spec('p', 'B', { modifies: ['b'] }),
    spec('p', 'C', { modifies: ['c'] }),
  ]);
  story.room(3);
  story.turn(read('one'));
  const [a, b] = [story.started('A'), story.started('B')];
  story.effects.clear();
  story.queued(a, { paths: ['a'] });
  story.mergedOntoTip(a, 10, 'tree-a');
  story.green('A');
  story.lands([a], TIP, 10);
  expect(story.wanted('contract:p')).toBeUndefined();
  story.queued(b, { paths: ['b', PATH] });
  story.mergedOntoTip(b, 11, 'tree-b');
  story.green('B');
  story.lands([b], commit(10), 11);
  expect(story.wanted('contract:p')).toMatchObject({ commit: commit(11) });
});

test('a changed contract stops new starts until a person accepts it; what runs goes on', () => {
  const { story, b } = changed();
  story.news({ type: 'attempt.ended', token: b, outcome: done(500) });
  expect(story.core.state.tasks.get(key('p', 'B'))?.progress.at).toBe('finished');
  expect(claims(story)).toHaveLength(2);
  const task = story.core.state.tasks.get(key('p', 'C'));
  if (task === undefined) throw new Error('no task C');
  expect(why(story.core.snapshot(), task, 0)).toMatchObject([{ why: 'contract', path: PATH }]);
});

test('after it was accepted, what ran and what waited to be merged starts again, and no try is charged', () => {
  const { story, b } = changed();
  story.queued(b, { paths: ['b'] });
  expect(accept(story, 'two')).toMatchObject([
    { type: 'contract.accepted', hash: 'two', by: 'ana' },
    { type: 'task.recalled', task: key('p', 'B'), token: b },
    { type: 'attempt.claimed', contract: 'two' },
    { type: 'attempt.claimed', contract: 'two' },
  ]);
  const task = story.core.state.tasks.get(key('p', 'B'));
  expect(task).toMatchObject({ n: 2, failures: 0, losses: 0, returns: 0, feedback: { why: 'contract' } });
});

test('a running attempt of before is fenced when the contract is accepted', () => {
  const { story, b } = changed();
  accept(story, 'two');
  expect(story.wanted(`cancel:${b}`)).toMatchObject({ do: 'cancel', token: b });
  expect(story.core.state.tasks.get(key('p', 'A'))?.progress.at).toBe('merged');
});

test('a branch that is still on its node is fetched, and not promised to the next attempt', () => {
  const { story, b } = changed();
  story.news({ type: 'attempt.ended', token: b, outcome: done(500) });
  story.turn({ is: 'effect.failed', key: `collect:${b}`, problem: { code: 'E_INTERNAL', message: 'cut' } });
  accept(story, 'two');
  story.effects.clear();
  story.later();
  expect(story.wanted(`collect:${b}`)).toMatchObject({ do: 'collect', token: b });
  expect(story.core.state.tasks.get(key('p', 'B'))?.feedback).toBeNull();
});

test('a gate at work on what was made before is fenced with it', () => {
  const { story, b } = changed();
  story.queued(b, { paths: ['b'] });
  story.mergedOntoTip(b, 12, 'tree-b');
  const gate = story.gateOf('B');
  expect(gate).not.toBeNull();
  accept(story, 'two');
  expect(story.core.state.attempts.get(gate as never)?.phase.is).toBe('fenced');
});

test('a contract that is again what it was needs nobody', () => {
  const { story } = changed();
  story.turn({ is: 'based', key: 'base:p', project: P, integration: commit(20) });
  story.turn({ ...read('one'), commit: commit(20) });
  expect(story.core.state.projects.get(P)?.contract).toEqual({ path: PATH, accepted: 'one', changed: null });
  expect(claims(story)).toHaveLength(3);
});

test('a person does not accept what changed once more behind his back', () => {
  const { story } = changed();
  expect(accept(story, 'a half')).toEqual([]);
});

/** A project that names a contract, before it was looked at. */
function begun(specs: readonly TaskSpec[]): Story {
  return new Story(specs, { contract: PATH });
}

/** A has merged and changed the contract while B ran; C waits. */
function changed() {
  const story = begun([
    spec('p', 'A', { modifies: ['a'] }),
    spec('p', 'B', { modifies: ['b'] }),
    spec('p', 'C', { modifies: ['c'], dependsOn: ['A'] as never }),
  ]);
  story.room(3);
  story.turn(read('one'));
  const [a, b] = [story.started('A'), story.started('B')];
  story.queued(a, { paths: ['a', PATH] });
  story.mergedOntoTip(a, 10, 'tree-a');
  story.green('A');
  story.lands([a], TIP, 10);
  story.turn({ ...read('two'), commit: commit(10) });
  return { story, b };
}

function read(hash: string | null) {
  return { is: 'contract.read', key: 'contract:p', project: P, commit: TIP, path: PATH, hash } as const;
}

function accept(story: Story, hash: string): readonly Fact[] {
  return story.turn({ is: 'command', command: { verb: 'accept-contract', project: P, by: 'ana', hash } });
}

function claims(story: Story) {
  return story.facts.filter((fact) => fact.type === 'attempt.claimed' && fact.work.kind === 'work');
}

function done(number: number) {
  return { kind: 'done', head: commit(number), rounds: 1, usage: null } as const;
}
