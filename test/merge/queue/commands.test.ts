import { describe, expect, test } from 'vitest';
import { NO_RECORD } from '../../../src/merge/queue/record.ts';
import { queueOf, unproved, viewOf } from '../../../src/merge/queue/view.ts';
import type { Fact } from '../../../src/model/event.ts';
import {
  added,
  BASE,
  BASIS,
  claim,
  commit,
  done,
  key,
  PROJECT,
  SET_UP,
  Story,
  token,
} from '../../model/builder.ts';

const COMMANDS = ['make web', 'make api', null];

/** A stack of branches, lowest first, each with its verify command; null: the project's, `make test`. */
function stacked(commands: readonly (string | null)[]) {
  const story = Story.of(...SET_UP);
  for (const [at, verify] of commands.entries()) {
    const [id, number, head] = [`S${at}`, at + 1, commit(at + 0x100)];
    story.tell(
      added(id, { verify, modifies: [`src/${id}`] }),
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
      },
    );
  }
  const queue = () => {
    const project = story.state.projects.get(PROJECT);
    if (project === undefined) throw new Error('no project');
    return queueOf(project, [...story.state.tasks.values()], story.state.tasks);
  };
  const view = () => viewOf(story.state, queue(), 0, 1, NO_RECORD).stack;
  const commandsOf = (at: number): string[] => {
    const one = [...queue().stack, ...queue().aside].find(({ task }) => task.key === key(`S${at}`));
    if (one === undefined) throw new Error('it is not on the stack');
    return unproved(queue().project, one).map(({ verify }) => verify);
  };
  return { story, commandsOf, view };
}

describe('the gate of a stacked branch', () => {
  test('asks for the commands of all that it lands, each once', () => {
    const { commandsOf } = stacked([...COMMANDS, 'make api']);
    expect(commandsOf(0)).toEqual(['make web']);
    expect(commandsOf(1)).toEqual(['make web', 'make api']);
    expect(commandsOf(3)).toEqual(['make web', 'make api', 'make test']);
  });

  test('asks for those that the tree has not passed yet, the one that was red first', () => {
    const { story, commandsOf } = stacked(COMMANDS);
    story.tell(red(3, 'make test'), green(3, 'make api'));
    expect(commandsOf(2)).toEqual(['make test', 'make web']);
    story.tell(green(3, 'make test'), green(3, 'make web'));
    expect(commandsOf(2)).toEqual([]);
  });

  test('asks a suspect for its own command and for the one that it was red with', () => {
    const { story, commandsOf } = stacked(['make web', 'make api']);
    story.tell(red(2, 'make web'), { type: 'merge.suspected', token: token(2), backers: [] });
    expect(commandsOf(1)).toEqual(['make web', 'make api']);
    const other = stacked(['make web', 'make api']);
    other.story.tell({ type: 'merge.suspected', token: token(2), backers: [] });
    expect(other.commandsOf(1)).toEqual(['make api']);
  });

  test('does not ask those below for the command of a branch that was red: it may look for what only that one brings', () => {
    const { story, commandsOf } = stacked(['make web', 'make api']);
    story.tell(red(2, 'make api'));
    expect(commandsOf(0)).toEqual(['make web']);
  });

  test('asks those above for what was red below them, or they would land it unproved', () => {
    const { story, commandsOf } = stacked(['make web', 'make api']);
    story.tell(red(1, 'make all'));
    expect(commandsOf(1)).toEqual(['make web', 'make all', 'make api']);
  });

  test('green with another command than it was red with is no flake, and leaves it red', () => {
    const { story, view } = stacked(['make web']);
    story.tell(red(1, 'make api'), green(1, 'make web'));
    expect(story.state.projects.get(PROJECT)?.gates).toMatchObject([
      { verify: 'make api', runs: 1, flakes: 0 },
      { verify: 'make web', runs: 1, flakes: 0 },
    ]);
    expect(view()).toMatchObject([{ reds: 1, green: false }]);
    story.tell(green(1, 'make api'));
    expect(story.state.projects.get(PROJECT)?.gates.at(-1)).toMatchObject({ runs: 2, flakes: 1 });
    expect(view()).toMatchObject([{ reds: 0, green: true }]);
  });

  test('red with one command and then with another is red once with that one', () => {
    const { story, view } = stacked(['make web']);
    story.tell(red(1, 'make api'), red(1, 'make web'));
    expect(view()).toMatchObject([{ reds: 1 }]);
    story.tell(red(1, 'make web'));
    expect(view()).toMatchObject([{ reds: 2 }]);
  });
});

function red(number: number, verify: string): Fact {
  return { type: 'merge.doubted', token: token(number), findings: [], output: '', ...BASIS, verify };
}

function green(number: number, verify: string): Fact {
  const tree = `tree-${number - 1}`;
  return { type: 'gate.proved', project: PROJECT, token: token(number), tree, ...BASIS, verify };
}
