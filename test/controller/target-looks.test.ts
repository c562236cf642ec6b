/** A target that lost what it had: the line stands still until it is back, or a person takes it as it is. */
import { expect, test } from 'vitest';
import { alertsOf } from '../../src/report/alerts.ts';
import { commit, spec } from '../schedule/world.ts';
import { P, Story, TIP } from './story.ts';

const WAS = commit(0x77);
const LOST = { was: WAS, now: TIP, reason: 'main lacks A' };

function looked(story: Story, lost: typeof LOST | 'unknown' | null): void {
  story.effects.delete('look:p');
  story.turn({ is: 'looked', key: 'look:p', project: P, lost });
}

function hold(story: Story) {
  return story.core.state.projects.get(P)?.hold;
}

const release = (acceptTarget: boolean) =>
  ({ is: 'command', command: { verb: 'release', project: P, by: 'ana', acceptTarget } }) as const;

test('it is looked at when the project starts; what it lost holds the line, with a P0 alert, and it is looked at again', () => {
  const story = new Story([spec('p', 'A')]);
  expect(story.wanted('look:p')).toMatchObject({ accept: null });
  looked(story, LOST);
  expect(hold(story)).toMatchObject({ by: 'dispatch', lost: { was: WAS, now: TIP } });
  const project = story.core.state.projects.get(P);
  if (project === undefined) throw new Error('no project');
  expect(alertsOf(story.core.state, project)).toMatchObject([{ code: 'E_TARGET_REWOUND', level: 'P0' }]);
  story.later();
  expect(story.wanted('look:p')).toMatchObject({ accept: null });
  // Where it cannot be reached nothing is known.
  looked(story, 'unknown');
  expect(hold(story)).not.toBeNull();
  story.later();
  looked(story, null);
  expect(hold(story)).toBeNull();
});

test('a person who lets the line go on says that the target counts as it is; a look that was under way does not undo that', () => {
  const story = new Story([spec('p', 'A')]);
  looked(story, LOST);
  story.turn(release(false));
  expect(hold(story)).not.toBeNull();
  story.later();
  story.turn(release(true));
  expect(hold(story)).toBeNull();
  looked(story, LOST);
  expect(hold(story)).toBeNull();
  expect(story.wanted('look:p')).toMatchObject({ accept: TIP });
  looked(story, null);
  expect(hold(story)).toBeNull();
  expect(story.wanted('look:p')).toBeUndefined();
});

test('it is looked at after each landing', () => {
  const story = new Story([spec('p', 'A')]);
  looked(story, null);
  const token = story.started('A');
  story.landing(token);
  const land = [...story.effects.values()].find((effect) => effect.do === 'land');
  if (land?.do !== 'land') throw new Error('nothing lands');
  expect(story.wanted('look:p')).toBeUndefined();
  const { key, tokens, onto } = land;
  story.turn({ is: 'landed', key, project: P, tokens, onto, commit: commit(0x99), before: false });
  expect(story.wanted('look:p')).toBeDefined();
});
