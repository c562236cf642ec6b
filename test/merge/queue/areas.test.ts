/** What a stack needs in a project with areas, and which gates it starts. */
import { expect, test } from 'vitest';
import { NO_RECORD } from '../../../src/merge/queue/record.ts';
import { queueOf, unproved, viewOf } from '../../../src/merge/queue/view.ts';
import { areasId } from '../../../src/model/area.ts';
import type { Fact } from '../../../src/model/event.ts';
import type { TaskSpec } from '../../../src/model/spec.ts';
import { gatesWanted } from '../../../src/schedule/gates.ts';
import {
  added,
  BASE,
  BASIS,
  claim,
  commit,
  config,
  done,
  key,
  NODE,
  PROJECT,
  SET_UP,
  Story,
  token,
} from '../../model/builder.ts';

const AREAS = [
  { name: 'web', paths: ['web/'], verify: 'make web' },
  { name: 'api', paths: ['api/'], verify: 'make api' },
];
const WHOLE = 'make test';

interface Branch {
  readonly touches: readonly string[];
  /** It changes nothing else; by default when it touches one area. */
  readonly within?: boolean;
  readonly spec?: Partial<TaskSpec>;
}

/** The commit of a branch's merge, or of what an area sees of it. */
function made(at: number, area = ''): string {
  return commit((area === '' ? 0x200 : area === 'web' ? 0x300 : 0x400) + at);
}

/** A stack of branches, lowest first. */
function stacked(branches: readonly Branch[], slots = 4) {
  const story = Story.of(...SET_UP, { type: 'project.configured', config: config({ areas: AREAS }) });
  for (const [at, { touches, within = touches.length === 1, spec = {} }] of branches.entries()) {
    const [id, number, head] = [`S${at}`, at + 1, commit(at + 0x100)];
    const touched = touches.map((area) => ({
      area,
      commit: commit(Number(`0x${made(at, area)}`)),
      tree: `${area}-${at}`,
    }));
    story.tell(
      added(id, { modifies: [`src/${id}`], ...spec }),
      claim(id, number),
      { type: 'attempt.ended', token: token(number), outcome: done(head) },
      { type: 'candidate.accepted', token: token(number), head, changed: 1 },
      {
        type: 'merge.prepared',
        token: token(number),
        onto: at === 0 ? BASE : commit(at - 1 + 0x200),
        commit: commit(at + 0x200),
        tree: `tree-${at}`,
        aside: false,
        areas: { of: areasId(AREAS) ?? '', within, touched },
      },
    );
  }
  const project = () => {
    const found = story.state.projects.get(PROJECT);
    if (found === undefined) throw new Error('no project');
    return found;
  };
  const queue = () => queueOf(project(), [...story.state.tasks.values()], story.state.tasks);
  const view = () => viewOf(story.state, queue(), 0, slots, NO_RECORD).stack;
  /** `command tree of the branch that it hangs on`. */
  const open = (at: number): string[] => {
    const one = queue().stack.find(({ task }) => task.key === key(`S${at}`));
    if (one === undefined) throw new Error('it is not on the stack');
    return unproved(project(), one).map(({ verify, tree, host }) => `${verify} ${tree} S${Number(host) - 1}`);
  };
  const node = { name: NODE, slots, gateSlots: slots };
  const wanted = (): string[] =>
    gatesWanted(
      {
        state: story.state,
        nodes: [node],
        connected: new Set([NODE]),
        waiting: new Map(),
        records: new Map(),
      } as never,
      project(),
      0,
    ).map(({ stacked: { task }, need }) => `${task.spec.id} ${need.verify} ${need.tree}`);
  /** A gate of the branch begins to judge one of its trees. */
  const begin = (at: number, verify: string, area: string): void => {
    const [number, tree] = [at + 1, `${area}-${at}`];
    const subject = {
      of: 'merge' as const,
      workToken: token(number),
      commit: commit(Number(`0x${made(at, area)}`)),
      tree,
      ...BASIS,
      verify,
    };
    story.tell({
      type: 'attempt.claimed',
      token: token(0x1000 + number),
      task: key(`S${at}`),
      n: 1,
      work: { kind: 'gate', subject },
      node: NODE,
      base: subject.commit,
    });
  };
  return { story, queue, view, open, wanted, begin };
}

const WEB = { touches: ['web'] };
const API = { touches: ['api'] };

test('a branch within one area needs the command of that area, and nothing else', () => {
  const { open } = stacked([WEB]);
  expect(open(0)).toEqual(['make web web-0 S0']);
});

test('the command of the area, written in the spec, is no command of its own; another one is', () => {
  expect(stacked([{ ...WEB, spec: { verify: 'make web' } }]).open(0)).toEqual(['make web web-0 S0']);
  expect(stacked([{ ...WEB, spec: { verify: WHOLE } }]).open(0)).toEqual(['make web web-0 S0']);
  expect(stacked([{ ...WEB, spec: { verify: 'make it' } }]).open(0)).toEqual([
    'make it tree-0 S0',
    'make web web-0 S0',
  ]);
});

test('a branch in two areas, or in shared files, needs the whole besides', () => {
  const both = ['make test tree-0 S0', 'make web web-0 S0', 'make api api-0 S0'];
  expect(stacked([{ touches: ['web', 'api'] }]).open(0)).toEqual(both);
  expect(stacked([{ touches: ['web'], within: false }]).open(0)).toEqual(both.slice(0, 2));
});

test('what lies below is needed where it was changed last, and the whole on the tree that lands', () => {
  const { open } = stacked([{ touches: ['web', 'api'] }, WEB, API, WEB]);
  expect(open(3)).toEqual(['make test tree-3 S3', 'make web web-3 S3', 'make api api-2 S2']);
  expect(open(1)).toEqual(['make test tree-1 S1', 'make web web-1 S1', 'make api api-0 S0']);
});

test('gates of two areas of one stack run side by side, each on the branch that changed it last', () => {
  const { wanted, begin, view } = stacked([API, WEB, API, WEB], 2);
  expect(wanted()).toEqual(['S2 make api api-2', 'S3 make web web-3']);
  begin(2, 'make api', 'api');
  expect(wanted()).toEqual(['S3 make web web-3']);
  begin(3, 'make web', 'web');
  expect(wanted()).toEqual([]);
  expect(view().map(({ running }) => running)).toEqual([false, false, true, true]);
});

test('what is under way is not started again for a longer prefix, whose verdict is on the way when all of it is', () => {
  const { story, begin, view } = stacked([WEB, API]);
  begin(0, 'make web', 'web');
  expect(view().map(({ running }) => running)).toEqual([true, false]);
  story.tell(green(2, 'make api', 'api-1'));
  expect(view().map(({ running }) => running)).toEqual([true, true]);
});

test('with one slot they run one after the other', () => {
  const { story, wanted } = stacked([API, WEB], 1);
  expect(wanted()).toEqual(['S0 make api api-0']);
  story.tell(green(1, 'make api', 'api-0'));
  expect(wanted()).toEqual(['S1 make web web-1']);
});

test('a prefix is green when each part of it is, and red where the part that is red was changed', () => {
  const { story, view } = stacked([API, WEB, API]);
  story.tell(green(3, 'make api', 'api-2'));
  expect(view().map(({ green: is }) => is)).toEqual([false, false, false]);
  story.tell({
    type: 'merge.doubted',
    token: token(2),
    findings: [],
    output: '',
    ...BASIS,
    verify: 'make web',
  });
  expect(view().map(({ reds }) => reds)).toEqual([0, 1, 0]);
  story.tell(green(2, 'make web', 'web-1'));
  expect(view().map(({ green: is, reds }) => [is, reds])).toEqual([
    [false, 0],
    [false, 0],
    [true, 0],
  ]);
});

test('a merge that was read by other borders does not count: it is made again', () => {
  const { story, queue } = stacked([WEB, API]);
  story.tell({ type: 'project.configured', config: config({ areas: AREAS.slice(0, 1) }) });
  expect(queue().stack).toEqual([]);
  expect(queue().stray).toHaveLength(2);
  story.tell({ type: 'project.configured', config: config() });
  expect(queue().stray).toHaveLength(2);
});

function green(number: number, verify: string, tree: string): Fact {
  return { type: 'gate.proved', project: PROJECT, token: token(number), tree, ...BASIS, verify };
}
