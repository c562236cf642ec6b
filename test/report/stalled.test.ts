import { expect, test } from 'vitest';
import { alertsOf } from '../../src/report/alerts.ts';
import { evidenceLines, mendLine, stallLine } from '../../src/report/stalled.ts';
import { stalledFor } from '../../src/schedule/stalled.ts';
import {
  added,
  BASE,
  BASIS,
  claim,
  evidenceWith,
  key,
  NODE,
  PROJECT,
  SET_UP,
  stallFor,
  Story,
  token,
  wayToMerge,
} from '../model/builder.ts';

function running(): Story {
  return Story.of(...SET_UP, added('A'), claim('A', 1), { type: 'attempt.running', token: token(1) });
}

function alerts({ state }: Story): string[] {
  const project = state.projects.get(PROJECT);
  return project === undefined ? [] : alertsOf(state, project).map(({ message }) => message);
}

test('one alert for each stall that waits for somebody, none for what goes on by itself or has moved', () => {
  const story = running();
  story.tell({ type: 'attempt.stalled', token: token(1), stall: stallFor('child') });
  expect(alerts(story)).toEqual([]);
  story.tell({ type: 'attempt.stalled', token: token(1), stall: stallFor('unknown') });
  story.tell({ type: 'attempt.stalled', token: token(1), stall: stallFor('keyboard') });
  expect(alerts(story)).toEqual([expect.stringContaining('waits for somebody to type')]);
  story.tell({ type: 'attempt.moved', token: token(1) });
  expect(alerts(story)).toEqual([]);
});

test('a stall goes with its attempt', () => {
  const story = running();
  story.tell({ type: 'attempt.stalled', token: token(1), stall: stallFor('unknown') });
  const task = story.state.tasks.get(key('A'));
  if (task === undefined) throw new Error('no task');
  expect(stalledFor(story.state, task)?.attempt.token).toBe(token(1));
  story.tell({ type: 'attempt.fenced', token: token(1), reason: 'cancelled' });
  expect(alerts(story)).toEqual([]);
});

test('a gate that is silent is named as such, and is not to be answered but run by hand', () => {
  const way = wayToMerge('A', 1, BASE);
  const story = Story.of(...SET_UP, added('A'), ...way.slice(0, -2));
  const [prepared] = way.flatMap((fact) =>
    fact.type === 'merge.prepared' ? [[fact.commit, fact.tree] as const] : [],
  );
  if (prepared === undefined) throw new Error('nothing to gate');
  const [commit, tree] = prepared;
  const subject = { of: 'merge', workToken: token(1), commit, tree, ...BASIS } as const;
  const gate = {
    token: token(2),
    task: key('A'),
    n: 1,
    work: { kind: 'gate', subject },
    node: NODE,
  } as const;
  story.tell(
    { type: 'attempt.claimed', ...gate, base: commit },
    { type: 'attempt.running', token: token(2) },
    { type: 'attempt.stalled', token: token(2), stall: stallFor('unknown') },
  );
  const task = story.state.tasks.get(key('A'));
  const stalled = task === undefined ? null : stalledFor(story.state, task);
  if (stalled === null) throw new Error('not stalled');
  expect(stallLine(stalled)).toContain('its gate does nothing that can be seen');
  expect(mendLine(stalled)).toContain(`dispatch gate ${key('A')}`);
});

test('evidence is said in figures, and what is not known is said to be so', () => {
  const helper = { pid: 2, command: 'mcp', state: 'sleeping', waits: null, cpuMs: 0, ageMs: 1000 } as const;
  const lines = evidenceLines(
    evidenceWith({ processes: [helper], more: 4, lastEvent: 'assistant/tool_use' }),
  );
  expect(lines).toEqual([
    'silent for 5m 00s, 120 bytes of log, last event assistant/tool_use; no CPU time used',
    'process 2 sleeping for 1s: mcp, and 4 more',
  ]);
  expect(evidenceLines(evidenceWith({ cpu: null }))[0]).toContain('CPU time not known yet');
  expect(evidenceLines(evidenceWith({ cpu: { usedMs: 30_000, overMs: 60_000 } }))[0]).toContain(
    '50 % of a core',
  );
});
