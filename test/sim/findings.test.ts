/** What the simulator has found in the core, each as the shortest story that shows it. */
import { expect, test } from 'vitest';
import { N1, P, Story, TIP } from '../controller/story.ts';
import { commit, key, spec } from '../schedule/world.ts';

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

test('an attempt that ends a second time is not forgotten before its branch is fetched', () => {
  const story = new Story([spec('p', 'A')]);
  const token = story.started('A');
  const done = { kind: 'done', head: commit(2), rounds: 1, usage: null } as const;
  story.news({ type: 'attempt.ended', token, outcome: done });
  story.news({ type: 'attempt.ended', token, outcome: { kind: 'lost', why: 'killed' } });
  expect(story.wanted(`forget:${token}`)).toBeUndefined();
  expect(story.wanted(`collect:${token}`)).toMatchObject({ head: commit(2) });
});

test('nor one that was cancelled meanwhile, and whose branch is kept for rescue', () => {
  const story = new Story([spec('p', 'A')]);
  const token = story.started('A');
  story.turn({ is: 'command', command: { verb: 'cancel', task: key('p', 'A'), reason: 'enough' } });
  const done = { kind: 'done', head: commit(2), rounds: 1, usage: null } as const;
  story.news({ type: 'attempt.ended', token, outcome: done });
  story.news({ type: 'attempt.ended', token, outcome: { kind: 'lost', why: 'killed' } });
  expect(story.wanted(`forget:${token}`)).toBeUndefined();
  expect(story.wanted(`collect:${token}`)).toMatchObject({ head: commit(2) });
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
  story.turn({ is: 'merge.waits', key: `merge:${b}`, token: b, onto: commit(201), conflicts: [] });
  expect(story.gateOf('A')).not.toBeNull();
});

test('a branch that did not fit on the stack has its turn when the stack has landed', () => {
  const story = new Story([spec('p', 'A'), spec('p', 'B')]);
  const [a, b] = [story.started('A'), story.started('B')];
  story.queued(a);
  story.queued(b);
  const made = { token: a, onto: TIP, commit: commit(201), tree: 'tree', aside: false };
  story.turn({ is: 'merge.made', key: `merge:${a}`, ...made });
  story.turn({ is: 'merge.waits', key: `merge:${b}`, token: b, onto: commit(201), conflicts: [] });
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
