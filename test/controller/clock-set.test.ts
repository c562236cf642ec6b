/** A clock that is set back: whoever waits for a moment of before does not wait until the clock is there again. */
import { describe, expect, test } from 'vitest';
import { sparedUntil, type Credential } from '../../src/model/credential.ts';
import { hasCome, MOST_WAIT_MS } from '../../src/model/time.ts';
import { key, spec } from '../schedule/world.ts';
import { P, Story } from './story.ts';

const HOUR = 3_600_000;
const SPANS = [
  ['an hour', HOUR],
  ['a day', 24 * HOUR],
] as const;

describe.each(SPANS)('a clock that is set back by %s', (_, span) => {
  test('does not keep a task from starting again that was to wait ten seconds', () => {
    const story = new Story([spec('p', 'a')], { maxAttempts: 3 });
    const token = story.started('a');
    story.setClock(2 * span);
    const outcome = { kind: 'timeout', rounds: 1, head: null } as const;
    story.news({ type: 'attempt.ended', token, outcome });
    story.turn({ is: 'tick' });
    expect(story.core.state.tasks.get(key('p', 'a'))?.progress.at).toBe('open');
    story.setClock(-span);
    story.turn({ is: 'tick' });
    expect(story.core.state.tasks.get(key('p', 'a'))).toMatchObject({ n: 2, progress: { at: 'attempt' } });
  });

  test('does not keep an effect from being tried again that was to wait a quarter of a second', () => {
    const story = new Story([spec('p', 'a')]);
    const token = story.started('a');
    const head = story.core.state.projects.get(P)?.integration ?? null;
    story.setClock(2 * span);
    story.news({ type: 'attempt.ended', token, outcome: { kind: 'done', head, rounds: 1, usage: null } });
    const problem = { code: 'E_NODE_DISCONNECTED', message: 'gone' };
    story.turn({ is: 'effect.failed', key: `collect:${token}`, problem });
    story.effects.clear();
    story.turn({ is: 'tick' });
    expect(story.wanted(`collect:${token}`)).toBeUndefined();
    story.setClock(-span);
    story.turn({ is: 'tick' });
    expect(story.wanted(`collect:${token}`)).toMatchObject({ do: 'collect', token });
  });

  test('does not keep a key spared', () => {
    const refused = { at: 5 * 24 * HOUR, why: 'rate', message: 'slow down' } as const;
    const known: Credential = {
      name: 'glm',
      limit: 1,
      seen: 2,
      strikes: 1,
      refusals: 1,
      notBefore: refused.at + 5000,
      refused,
    };
    expect(sparedUntil(known, refused.at + 1000)).toBe(known.notBefore);
    expect(sparedUntil(known, refused.at - 1000)).toBe(known.notBefore);
    expect(sparedUntil(known, refused.at - span)).toBeNull();
    expect(sparedUntil(known, known.notBefore)).toBeNull();
  });
});

test('what is nearer than the longest wait is waited for', () => {
  expect(hasCome(1000, 1000)).toBe(true);
  expect(hasCome(1001, 1000)).toBe(false);
  expect(hasCome(1000 + MOST_WAIT_MS, 1000)).toBe(false);
  expect(hasCome(1001 + MOST_WAIT_MS, 1000)).toBe(true);
});
