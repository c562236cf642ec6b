/** What a node says of silence becomes a fact, is taken back when something moves, and ends nothing. */
import { expect, test } from 'vitest';
import { spec } from '../schedule/world.ts';
import { stallFor } from '../model/builder.ts';
import { N1, Story } from './story.ts';

function running(): { story: Story; token: ReturnType<Story['started']> } {
  const story = new Story([spec('p', 'a')]);
  const token = story.started('a');
  story.news({ type: 'attempt.running', token });
  story.news({ type: 'attempt.step', token, round: 1, step: 'agent' });
  return { story, token };
}

const stallsOf = ({ facts }: Story): string[] =>
  facts.flatMap(({ type }) => (type === 'attempt.stalled' || type === 'attempt.moved' ? [type] : []));

test('a stall stays until its log moves or its step is over, and keeps the time of its first word', () => {
  const { story, token } = running();
  const phase = () => story.core.state.attempts.get(token)?.phase;
  story.news({ type: 'attempt.stalled', token, stall: stallFor('unknown') });
  const since = (phase() as { stall?: { since: number } }).stall?.since;
  story.news({ type: 'attempt.stalled', token, stall: stallFor('keyboard') });
  expect(phase()).toMatchObject({ is: 'running', stall: { cause: 'keyboard', since } });
  // A supervisor that has just adopted it says again where it is.
  story.news({ type: 'attempt.step', token, round: 1, step: 'agent' });
  expect(phase()).toMatchObject({ stall: { cause: 'keyboard' } });
  story.news({ type: 'attempt.moved', token });
  expect(phase()).not.toHaveProperty('stall');
  story.news({ type: 'attempt.stalled', token, stall: stallFor('child') });
  story.news({ type: 'attempt.step', token, round: 1, step: 'verify' });
  expect(phase()).toMatchObject({ is: 'running', step: 'verify' });
  expect(phase()).not.toHaveProperty('stall');
  // It had not stalled: there is nothing to take back.
  story.news({ type: 'attempt.moved', token });
  expect(stallsOf(story)).toEqual(['attempt.stalled', 'attempt.stalled', 'attempt.moved', 'attempt.stalled']);
});

test('no cause ends an attempt, and news of one that is over change nothing', () => {
  const { story, token } = running();
  for (const cause of ['keyboard', 'unknown', 'stopped', 'login'] as const)
    story.news({ type: 'attempt.stalled', token, stall: stallFor(cause) });
  expect([...story.effects.keys()].filter((effect) => effect.startsWith('cancel:'))).toEqual([]);
  expect(story.core.state.live.get(N1)?.has(token)).toBe(true);
  story.news({ type: 'attempt.ended', token, outcome: { kind: 'timeout', rounds: 1, head: null } });
  const before = stallsOf(story).length;
  story.news({ type: 'attempt.stalled', token, stall: stallFor('unknown') });
  story.news({ type: 'attempt.moved', token });
  expect(stallsOf(story)).toHaveLength(before);
});

test('a person who takes the keyboard is recorded with a name', () => {
  const { story, token } = running();
  const [task] = [...story.core.state.tasks.keys()];
  if (task === undefined) throw new Error('no task');
  const { replies } = story.core.turn(
    [{ is: 'command', command: { verb: 'intervene', task, token, by: 'ann' } }],
    5000,
  );
  expect(replies).toEqual([{ ok: true, notes: [] }]);
  const other = { verb: 'intervene', task, token: 'f'.repeat(32) as typeof token, by: 'ann' } as const;
  expect(story.core.turn([{ is: 'command', command: other }], 5001).replies).toMatchObject([
    { ok: false, code: 'E_NOT_FOUND' },
  ]);
});
