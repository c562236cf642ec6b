import { describe, expect, test } from 'vitest';
import { gateCommands } from '../../../src/merge/queue/commands.ts';
import { queueOf } from '../../../src/merge/queue/view.ts';
import { added, BASE, claim, commit, done, key, PROJECT, SET_UP, Story, token } from '../../model/builder.ts';

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
    return queueOf(project, story.state.tasks.values());
  };
  const commandsOf = (at: number): string[] => {
    const one = [...queue().stack, ...queue().aside].find(({ task }) => task.key === key(`S${at}`));
    if (one === undefined) throw new Error('it is not on the stack');
    return gateCommands(queue(), one);
  };
  return { story, commandsOf };
}

describe('the gate of a stacked branch', () => {
  test('runs the commands of all that it lands, each once, whatever their order', () => {
    const { commandsOf } = stacked([...COMMANDS, 'make api']);
    expect(commandsOf(0)).toEqual(['make web']);
    expect(commandsOf(1)).toEqual(['make api', 'make web']);
    expect(commandsOf(3)).toEqual(['make api', 'make test', 'make web']);
    expect(stacked(['make api', 'make web']).commandsOf(1)).toEqual(commandsOf(1));
  });

  test('repeats for a suspect what was red, and runs its own command where nothing was', () => {
    const { story, commandsOf } = stacked(['make web', 'make api']);
    story.tell({ type: 'merge.suspected', token: token(2), backers: [] });
    expect(commandsOf(1)).toEqual(['make api']);
    const other = stacked(['make web', 'make api']);
    const commands = other.commandsOf(1);
    other.story.tell(
      { type: 'merge.doubted', token: token(2), findings: [], output: '', commands },
      { type: 'merge.suspected', token: token(2), backers: [] },
    );
    expect(other.commandsOf(1)).toEqual(['make api', 'make web']);
  });

  test('green on other commands than it was red on is no flake', () => {
    const { story } = stacked(['make web']);
    const all = ['make api', 'make web'];
    story.tell(
      { type: 'merge.doubted', token: token(1), findings: [], output: '', commands: all },
      { type: 'merge.proved', token: token(1), tree: 'tree-0' },
    );
    expect(story.state.projects.get(PROJECT)?.gates).toMatchObject([
      { verify: 'make api && make web', runs: 1, flakes: 0 },
      { verify: 'make web', runs: 1, flakes: 0 },
    ]);
    story.tell({ type: 'merge.proved', token: token(1), tree: 'tree-0', commands: all });
    expect(story.state.projects.get(PROJECT)?.gates.at(-1)).toMatchObject({ runs: 2, flakes: 1 });
  });
});
