/** What ails a node: each step is a fact, repairs are effects, and only a look shows that something is gone. */
import { expect, test } from 'vitest';
import { nodeName, type NodeName } from '../../src/model/ids.ts';
import type { NodeState } from '../../src/model/state.ts';
import { nodeAlerts } from '../../src/report/alerts.ts';
import type { DiskLook } from '../../src/schedule/health.ts';
import { key, node, spec } from '../schedule/world.ts';
import { N1, Story } from './story.ts';

const MIB = 2 ** 20;
const N2 = nodeName('n2');

function diskOf(free: number): DiskLook {
  return { free: free * MIB, total: 900 * MIB, files: null, reserve: { bytes: 256 * MIB, files: 2000 } };
}

function stateOf(story: Story, name: NodeName = N1): NodeState {
  const known = story.core.state.nodes.get(name);
  if (known === undefined) throw new Error(`no node ${name}`);
  return known;
}

function ailsOf(story: Story): string[] {
  return stateOf(story).health.ailments.map(({ kind }) => kind);
}

/** Facts about the node's health, as words. */
function steps(story: Story): string[] {
  return story.facts.flatMap((fact) => {
    if (fact.type === 'node.marked') return `${fact.mark}${fact.for === undefined ? '' : ` for ${fact.for}`}`;
    if (!('ailment' in fact)) return [];
    return `${fact.type.slice('node.'.length)} ${fact.ailment}`;
  });
}

function placed(story: Story, id: string): string | null {
  const progress = story.core.state.tasks.get(key('p', id))?.progress;
  return progress?.at === 'attempt' ? (story.core.state.attempts.get(progress.token)?.node ?? null) : null;
}

test('a low disk: nothing is placed, it is swept, and a look decides whether that helped', () => {
  const story = new Story([spec('p', 'A', { dependsOn: [] })]);
  const token = story.started('A');
  story.turn({ is: 'node.looked', node: N1, disk: diskOf(31) });
  expect(story.wanted('mend:n1:disk')).toMatchObject({ do: 'mend', by: 'sweep', node: N1 });
  story.load([spec('p', 'A'), spec('p', 'B', { modifies: ['b.ts'] })]);
  expect(placed(story, 'B')).toBeNull();
  // What runs there goes on.
  expect(stateOf(story).mark).toBe('none');
  expect(story.core.state.attempts.get(token)?.phase.is).toBe('running');

  story.turn({ is: 'mended', key: 'mend:n1:disk', node: N1, ailment: 'disk', did: '1 MiB freed' });
  story.turn({ is: 'node.looked', node: N1, disk: diskOf(32) });
  expect(nodeAlerts(story.core.state)).toMatchObject([{ level: 'P1', code: 'E_NODE_NO_SPACE', node: N1 }]);
  expect(placed(story, 'B')).toBeNull();

  story.turn({ is: 'node.looked', node: N1, disk: diskOf(800) });
  expect(steps(story)).toEqual(['ailing disk', 'repairing disk', 'repaired disk', 'healed disk']);
  expect(nodeAlerts(story.core.state)).toEqual([]);
  expect(placed(story, 'B')).toBe('n1');
});

test('a repair that was under way when the controller died is asked for again by the next one', () => {
  const story = new Story([]);
  story.turn({ is: 'node.looked', node: N1, disk: diskOf(31) });
  story.restart();
  expect(story.wanted('mend:n1:disk')).toBeDefined();
});

/** Attempts fail by the node's own fault, one after the other, each of another task. */
function fails(story: Story, from: number, count: number): void {
  for (let i = from; i < from + count; i += 1) {
    const ids = [`T${i}`];
    for (const id of ids) {
      const token = story.started(id);
      const outcome = {
        kind: 'failed',
        cause: 'prepare',
        message: 'EIO',
        blame: 'node',
        exitCode: null,
        rounds: 1,
        usage: null,
      } as const;
      story.news({ type: 'attempt.ended', token, outcome });
    }
  }
}

const MANY = Array.from({ length: 20 }, (_, i) => spec('p', `T${i}`, { modifies: [`${i}.ts`], priority: 1 }));

test('three faults in a row place a node last, ten restart it, three more cordon it; a person uses it again', () => {
  const story = new Story(MANY);
  fails(story, 0, 2);
  expect(ailsOf(story)).toEqual([]);
  fails(story, 2, 1);
  expect(ailsOf(story)).toEqual(['failing']);
  // One attempt at a time from now on, and none beside another node that is free.
  expect(stateOf(story).health.faults).toHaveLength(3);
  fails(story, 3, 6);
  expect(story.wanted('mend:n1:failing')).toBeUndefined();
  fails(story, 9, 1);
  expect(story.wanted('mend:n1:failing')).toMatchObject({ do: 'mend', by: 'restart' });
  story.turn({ is: 'mended', key: 'mend:n1:failing', node: N1, ailment: 'failing', did: null });
  // Nothing is placed there before it is back: it would count as if the restart had not helped.
  story.turn({ is: 'tick' });
  expect(placed(story, 'T10')).toBeNull();
  story.up('disk');
  expect(placed(story, 'T10')).toBe('n1');
  fails(story, 10, 2);
  expect(stateOf(story).mark).toBe('none');
  fails(story, 12, 1);
  expect(stateOf(story)).toMatchObject({ mark: 'cordon', health: { markedFor: 'failing' } });
  expect(nodeAlerts(story.core.state)).toMatchObject([
    { level: 'P1', code: 'E_NODE_FAILING', fix: expect.stringContaining('dispatch nodes uncordon n1') },
  ]);
  // No task was charged for it.
  const charged = [...story.core.state.tasks.values()].filter(({ failures }) => failures > 0);
  expect(charged).toEqual([]);
  expect(placed(story, 'T15')).toBeNull();

  story.turn({ is: 'command', command: { verb: 'mark', node: N1, mark: 'none' } });
  expect(stateOf(story)).toMatchObject({
    mark: 'none',
    health: { ailments: [], faults: [], markedFor: null },
  });
  expect(nodeAlerts(story.core.state)).toEqual([]);
  expect(placed(story, 'T15')).toBe('n1');
});

test('a success ends the row, and a bad spec never begins one', () => {
  const story = new Story(MANY);
  fails(story, 0, 3);
  const bad = story.started('T3');
  const outcome = { kind: 'failed', cause: 'executor', message: 'exit 1', exitCode: 1 } as const;
  story.news({ type: 'attempt.ended', token: bad, outcome: { ...outcome, rounds: 1, usage: null } });
  expect(stateOf(story).health.faults).toHaveLength(3);
  story.queued(story.started('T4'));
  expect(stateOf(story).health).toMatchObject({ faults: [], ailments: [], healed: [{ kind: 'failing' }] });
});

test('a node that fails is taken only when no other has a slot, and for one attempt at a time', () => {
  const story = new Story(MANY.slice(0, 3));
  fails(story, 0, 3);
  story.core.setNodes([node('n1', { slots: 4 }), node('n2', { slots: 2 })]);
  const welcome = {
    protocol: 1,
    program: 'x',
    bootId: 'b2',
    journal: 'j2',
    seq: 0,
    platform: 'linux',
    epoch: 1,
  };
  story.turn({ is: 'node.up', node: N2, welcome, inventory: [] });
  story.load(MANY.slice(0, 6));
  const nodes = ['T3', 'T4', 'T5'].map((id) => placed(story, id));
  expect(nodes.toSorted()).toEqual(['n1', 'n2', 'n2']);
});

test('an order that a node cannot take for a reason of its own goes elsewhere, and counts against the node', () => {
  const story = new Story([spec('p', 'A')]);
  const progress = story.core.state.tasks.get(key('p', 'A'))?.progress;
  if (progress?.at !== 'attempt') throw new Error('not started');
  const { token } = progress;
  const refused = { key: `start:${token}`, token, refusal: 'internal', message: 'EROFS' } as const;
  for (let tries = 0; tries < 5; tries += 1) story.turn({ is: 'start.refused', ...refused });
  const task = story.core.state.tasks.get(key('p', 'A'));
  expect(task).toMatchObject({ progress: { at: 'open' }, losses: 1, failures: 0 });
  expect(stateOf(story).health.faults).toMatchObject([{ task: key('p', 'A'), reason: 'EROFS' }]);
});

test.each(['cordon', 'drain'] as const)(
  '%s: what was claimed and not taken yet starts elsewhere',
  (wanted) => {
    const story = new Story([spec('p', 'A')]);
    expect(placed(story, 'A')).toBe('n1');
    story.turn({ is: 'command', command: { verb: 'mark', node: N1, mark: wanted } });
    expect(placed(story, 'A')).toBeNull();
    expect(story.facts.filter(({ type }) => type === 'attempt.fenced')).toHaveLength(1);
    story.core.setNodes([node('n1'), node('n2')]);
    const welcome = {
      protocol: 1,
      program: 'x',
      bootId: 'b2',
      journal: 'j2',
      seq: 0,
      platform: 'linux',
      epoch: 1,
    };
    story.turn({ is: 'node.up', node: N2, welcome, inventory: [] });
    expect(placed(story, 'A')).toBe('n2');
  },
);

test('what an agent runs in goes on when its node is drained', () => {
  const story = new Story([spec('p', 'A')]);
  const token = story.started('A');
  story.turn({ is: 'command', command: { verb: 'mark', node: N1, mark: 'drain' } });
  expect(story.core.state.attempts.get(token)?.phase.is).toBe('running');
});

test('a process that outlives SIGKILL drains the node until the last of them is gone', () => {
  const story = new Story([spec('p', 'A')]);
  const token = story.started('A');
  story.news({ type: 'stuck.seen', token, pids: [71, 72], forMs: 61_200 });
  expect(stateOf(story)).toMatchObject({ mark: 'drain', health: { markedFor: 'unkillable' } });
  expect(nodeAlerts(story.core.state)).toMatchObject([
    {
      code: 'E_NODE_STUCK',
      message: expect.stringMatching(/processes 71, 72 .* 61 s after SIGKILL.*drained/u),
    },
  ]);
  story.news({ type: 'stuck.gone', token, left: 1 });
  expect(stateOf(story).mark).toBe('drain');
  story.news({ type: 'stuck.gone', token, left: 0 });
  expect(stateOf(story)).toMatchObject({
    mark: 'none',
    health: { ailments: [], healed: [{ kind: 'unkillable' }] },
  });
});

test('a tmux server or socket that is lost and mended on the node is two words of its journal', () => {
  const story = new Story([]);
  for (const what of ['server', 'socket'] as const) {
    story.news({ type: 'tmux.lost', what, detail: 'gone' });
    expect(ailsOf(story)).toEqual([`tmux-${what}`]);
    story.news({ type: 'tmux.mended', what, detail: 'back' });
    expect(ailsOf(story)).toEqual([]);
  }
  expect(steps(story).slice(0, 3)).toEqual([
    'ailing tmux-server',
    'repairing tmux-server',
    'healed tmux-server',
  ]);
});

test('another boot is told, and what hung in the old kernel is gone with it', () => {
  const story = new Story([spec('p', 'A')]);
  const token = story.started('A');
  story.news({ type: 'stuck.seen', token, pids: [71], forMs: 60_000 });
  const lost = { kind: 'lost', why: 'rebooted' } as const;
  const entry = { token, project: 'p', task: 'A', n: 1, state: 'ended', outcome: lost, logBytes: 0 } as const;
  const hello = {
    protocol: 1,
    program: 'x',
    bootId: 'b-new',
    journal: 'disk',
    seq: 0,
    platform: 'linux',
    epoch: 1,
  };
  story.turn({ is: 'node.up', node: N1, welcome: hello, inventory: [entry as never] });
  expect(stateOf(story)).toMatchObject({ mark: 'none', bootId: 'b-new' });
  expect(stateOf(story).health.ailments).toEqual([]);
  expect(stateOf(story).health.healed).toMatchObject([
    { kind: 'unkillable' },
    { kind: 'reboot', how: 'it is back; attempts of the old boot: 1 lost' },
  ]);
  story.news({ type: 'attempt.ended', token, outcome: lost });
  expect(story.core.state.tasks.get(key('p', 'A'))).toMatchObject({ losses: 1, failures: 0 });
});

test('another program on a node is told: one that was replaced, and one that others still use', () => {
  const story = new Story([]);
  const hello = { protocol: 1, bootId: 'b', journal: 'disk', seq: 0, platform: 'linux', epoch: 1 };
  const up = (runs: string, program: string): unknown =>
    story.turn({ is: 'node.up', node: N1, welcome: { ...hello, program: runs }, inventory: [], program });
  up('new', 'new');
  expect(steps(story)).toEqual(['ailing program', 'repairing program', 'healed program']);
  up('other', 'new');
  up('other', 'new');
  expect(ailsOf(story)).toEqual(['program']);
  up('new', 'new');
  expect(ailsOf(story)).toEqual([]);
  expect(steps(story)).toHaveLength(6);
});

test('another host key than the recorded one is told at once, as P0, and gone with the first good connection', () => {
  const story = new Story([]);
  const code = 'E_HOST_KEY_CHANGED';
  story.turn({ is: 'node.down', node: N1, reason: 'its key is another one', code });
  story.turn({ is: 'node.down', node: N1, reason: 'its key is another one', code });
  expect(steps(story)).toEqual(['ailing host-key']);
  expect(nodeAlerts(story.core.state)).toMatchObject([{ level: 'P0', code, node: N1, project: null }]);
  // Unreachable says nothing about its key.
  story.turn({ is: 'node.down', node: N1, reason: 'no route', code: 'E_NODE_UNREACHABLE' });
  expect(ailsOf(story)).toEqual(['host-key']);
  story.up('disk');
  expect(ailsOf(story)).toEqual([]);
});

test('a node that is taken out of nodes.json ails no more', () => {
  const story = new Story([]);
  story.turn({ is: 'node.looked', node: N1, disk: diskOf(31) });
  story.core.setNodes([]);
  story.turn({ is: 'tick' });
  expect(ailsOf(story)).toEqual([]);
});
