import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/model/attempt.ts';
import { nodeName, projectName, type TaskKey } from '../../src/model/ids.ts';
import { buildReport } from '../../src/report/build.ts';
import { reportMarkdown } from '../../src/report/markdown.ts';
import { adviceLines } from '../../src/report/advice-text.ts';
import { type Capacity, capacityOf } from '../../src/report/advice.ts';
import { key, World } from '../schedule/world.ts';

const HOUR = 3_600_000;
const P = projectName('p');

describe('capacity advice', () => {
  test.each<[string, (world: World) => readonly TaskKey[], string[]]>([
    ['nothing while there are slots', (w) => some(w, { running: 2, ready: 0, slots: 8 }), []],
    ['nothing while twice as many wait as run', (w) => some(w, { running: 4, ready: 8, slots: 4 }), []],
    [
      'nodes when more than twice as many wait as run',
      (w) => some(w, { running: 4, ready: 40, slots: 4 }),
      ['add 3 nodes of 4 slots for shell: 40 tasks ready without a slot, 4 running, 4 of 4 slots taken'],
    ],
    [
      'one node is enough for one task too many',
      (w) => some(w, { running: 4, ready: 9, slots: 4 }),
      ['add 1 node of 4 slots for shell: 9 tasks ready without a slot, 4 running, 4 of 4 slots taken'],
    ],
    [
      'nodes for the executors that are wanted',
      (w) => {
        some(w, { running: 1, ready: 0, slots: 1, mode: ['glm'] });
        for (let i = 0; i < 4; i += 1) w.add('p', `G${i}`, { executor: 'glm' });
        for (let i = 0; i < 2; i += 1) w.add('p', `C${i}`, { executor: 'claude' });
        // A machine that is free and takes neither is no help.
        w.node('other', { slots: 8, mode: ['codex'] });
        return [];
      },
      ['add 1 node of 8 slots for glm, claude: 6 tasks ready without a slot, 1 running, 1 of 9 slots taken'],
    ],
    [
      'machines that are there before machines that are not',
      (w) => {
        some(w, { running: 2, ready: 9, slots: 2 });
        w.node('mac', { slots: 5 }).connected.delete(nodeName('mac'));
        w.node('gcp', { slots: 8 });
        w.record({ type: 'node.marked', node: nodeName('gcp'), mark: 'cordon' });
        return [];
      },
      [
        'before adding nodes: mac, gcp (13 slots) cannot be reached or are not in use, and 9 tasks ready without a slot, 2 running, 2 of 2 slots taken',
      ],
    ],
    [
      'nodes when more specs arrive than leave',
      (w) => {
        some(w, { running: 4, ready: 2, slots: 4 });
        w.now += 2 * HOUR;
        for (let i = 0; i < 3; i += 1) w.add('p', `N${i}`);
        return [];
      },
      [
        'add 1 node of 4 slots for shell: in the last hour 3 specs arrived and 0 left; 5 tasks ready without a slot, 4 running, 4 of 4 slots taken',
      ],
    ],
    [
      'nothing when the specs have only just arrived, all of them',
      (w) => some(w, { running: 4, ready: 6, slots: 4 }),
      [],
    ],
    [
      'no nodes but better specs when a third does not pass at once',
      (w) => {
        some(w, { running: 4, ready: 40, slots: 4 });
        outcomes(w, [DONE, DONE, DONE, SECOND, REFUSED, LOST, LOST]);
        return [];
      },
      ['do not add nodes, mend the specs: 2 of 5 tasks (40 %) were not good in their first round'],
    ],
    [
      'nodes all the same when it is less, or too few to tell',
      (w) => {
        some(w, { running: 4, ready: 40, slots: 4 });
        outcomes(w, [DONE, SECOND, REFUSED, LOST]);
        return [];
      },
      ['add 3 nodes of 4 slots for shell: 40 tasks ready without a slot, 4 running, 4 of 4 slots taken'],
    ],
    [
      'no nodes but another split when merges conflict often',
      (w) => {
        some(w, { running: 4, ready: 40, slots: 4 });
        outcomes(w, [DONE, DONE, DONE, DONE, DONE]);
        return ['E0', 'E1', 'R0'].map((id) => key('p', id));
      },
      ['do not add nodes, split the work differently: 3 of 6 tasks (50 %) conflicted when they were merged'],
    ],
    [
      'nothing of another project, whose machines are the same',
      (w) => {
        some(w, { running: 4, ready: 40, slots: 4 }, 'q');
        return [];
      },
      [],
    ],
  ])('%s', (_, story, lines) => {
    const world = new World().project('p').project('q');
    const conflicted = new Set(story(world));
    expect(adviceLines(adviceIn(world, conflicted))).toEqual(lines);
  });

  test('comes with its figures', () => {
    const world = new World().project('p');
    some(world, { running: 4, ready: 40, slots: 4 });
    expect(adviceIn(world, new Set())).toEqual({
      figures: {
        pending: 40,
        running: 4,
        slots: 4,
        free: 0,
        flow: null,
        firstRound: { failed: 0, of: 0 },
        conflicts: { tasks: 0, of: 0 },
      },
      advice: [{ advise: 'add-nodes', because: 'pending', nodes: 3, slotsEach: 4, executors: ['shell'] }],
    });
  });
});

test('a report has it, as text and for a program', () => {
  const world = new World().project('p');
  some(world, { running: 4, ready: 40, slots: 4 });
  const { state, now } = world;
  const project = state.projects.get(P);
  if (project === undefined) throw new Error('no project');
  const given = { state, events: [], project, slots: 4, now };
  const report = buildReport({ ...given, fleet: world.snapshot() });
  expect(report.capacity?.figures.pending).toBe(40);
  expect(reportMarkdown(report)).toContain(
    '## Capacity\n\n- add 3 nodes of 4 slots for shell: 40 tasks ready',
  );
  expect(reportMarkdown(buildReport(given))).not.toContain('Capacity');
});

function adviceIn(world: World, conflicted: ReadonlySet<TaskKey>): Capacity {
  const { state, now } = world;
  return capacityOf({ state, fleet: world.snapshot(), conflicted, projects: new Set([P]), now });
}

/** One node, and as many tasks at work and ready. */
function some(
  world: World,
  how: { running: number; ready: number; slots: number; mode?: readonly string[] },
  project = 'p',
): [] {
  const { running, ready, slots, mode } = how;
  world.node('n1', { slots, ...(mode === undefined ? {} : { mode }) });
  for (let i = 0; i < running; i += 1) {
    world.add(project, `A${i}`);
    world.claim(project, `A${i}`, 'n1');
  }
  for (let i = 0; i < ready; i += 1) world.add(project, `R${i}`);
  return [];
}

const DONE: Outcome = { kind: 'done', head: null, rounds: 1, usage: null };
const SECOND: Outcome = { kind: 'done', head: null, rounds: 2, usage: null };
const REFUSED: Outcome = { kind: 'refused', findings: [], output: '', head: null, rounds: 3, usage: null };
const LOST: Outcome = { kind: 'lost', why: 'rebooted' };

/** Tasks whose first attempts ended so; what was done is merged. */
function outcomes(world: World, ends: readonly Outcome[]): void {
  for (const [i, outcome] of ends.entries()) {
    const id = `E${i}`;
    world.add('p', id);
    const token = world.claim('p', id, 'n1');
    world.end(token, outcome);
    const task = key('p', id);
    if (outcome.kind === 'done') world.record({ type: 'task.completed', task, token });
    else world.record({ type: 'task.failed', task, reason: outcome.kind, findings: [] });
  }
}
