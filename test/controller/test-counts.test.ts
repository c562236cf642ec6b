import { describe, expect, test } from 'vitest';
import { landed } from '../../src/controller/from-hub.ts';
import { freshMemory } from '../../src/controller/memory.ts';
import { settleEnd } from '../../src/controller/settle.ts';
import { countsOf, gatherCounts } from '../../src/controller/test-counts.ts';
import { Turn } from '../../src/controller/turn.ts';
import type { Outcome, TestCounts } from '../../src/model/attempt.ts';
import { isProved } from '../../src/model/evidence.ts';
import type { CommitId } from '../../src/model/ids.ts';
import type { Project } from '../../src/model/task.ts';
import {
  added,
  BASE,
  BASIS,
  claim,
  commit,
  done,
  key,
  NODE,
  PROJECT,
  SET_UP,
  Story,
  token,
} from '../model/builder.ts';

interface Options {
  readonly dropsTests?: true;
  /** What was counted is forgotten before it lands. */
  readonly crash?: true;
  /** The merge is stacked on this commit instead of on integration. */
  readonly onto?: CommitId;
  /** It stays on the stack. */
  readonly stays?: true;
}

/** A project whose tasks all run `make test`, driven from a claim to the end of the merge's gate and its landing. */
class Merges {
  readonly story = Story.of(...SET_UP);
  readonly turn = new Turn(this.story.state, freshMemory(this.story.state), 1, 1_800_000_000_000);
  #next = 0;
  /** Commit of the merge that was gated last. */
  made: CommitId = BASE;

  /** A task's merge is gated with these counts, and lands where the gate is green. */
  gate(id: string, tests: TestCounts | null, options: Options = {}): string {
    const number = (this.#next += 10);
    const [work, gate] = [token(number), token(number + 1)];
    const [head, made] = [commit(number + 0x1000), commit(number + 0x2000)];
    const tree = `tree-${number}`;
    const drops = options.dropsTests === undefined ? {} : { dropsTests: options.dropsTests };
    const onto = options.onto ?? this.story.state.projects.get(PROJECT)?.integration ?? BASE;
    this.made = made;
    const subject = { of: 'merge', workToken: work, commit: made, tree, ...BASIS } as const;
    this.story.tell(
      added(id, { verify: 'make test', modifies: [`src/${id}`] }),
      claim(id, number),
      { type: 'attempt.ended', token: work, outcome: done(head) },
      { type: 'candidate.accepted', token: work, head, changed: 1, ...drops },
      { type: 'merge.prepared', token: work, onto, commit: made, tree, aside: false },
      {
        type: 'attempt.claimed',
        token: gate,
        task: key(id),
        n: 1,
        work: { kind: 'gate', subject },
        node: NODE,
        base: null,
      },
    );
    const outcome: Outcome = {
      kind: 'done',
      head: null,
      rounds: 1,
      usage: null,
      ...(tests === null ? {} : { tests }),
    };
    const attempt = this.story.state.attempts.get(gate);
    if (attempt === undefined) throw new Error('no gate');
    settleEnd(this.turn, attempt, outcome, null);
    const progress = this.story.state.tasks.get(key(id))?.progress;
    if (progress?.at === 'gating' && progress.red !== null) return 'red';
    if (progress?.at === 'gating' && !isProved(this.project, tree, BASIS.verify)) return 'gating';
    if (options.stays === true) return 'green';
    this.turn.record({ type: 'merge.passed', token: work, tree, below: [] });
    if (options.crash === true) this.turn.memory.testCounts.clear();
    this.#land(number, made, onto);
    return this.story.state.tasks.get(key(id))?.progress.at ?? '';
  }

  #land(number: number, made: CommitId, onto: CommitId): void {
    landed(this.turn, {
      is: 'landed',
      key: 'land',
      project: PROJECT,
      tokens: [token(number)],
      onto,
      commit: made,
      before: false,
    });
  }

  get project(): Project {
    const project = this.story.state.projects.get(PROJECT);
    if (project === undefined) throw new Error('no project');
    return project;
  }

  get tests(): readonly TestCounts[] {
    return this.project.tests;
  }
}

describe('a merged tree', () => {
  test('may not run fewer tests than integration, nor skip more', () => {
    const merges = new Merges();
    expect(merges.gate('S01', { ran: 12, skipped: 1 })).toBe('merged');
    expect(merges.tests).toEqual([{ verify: 'make test', ran: 12, skipped: 1 }]);
    expect(merges.gate('S02', { ran: 11, skipped: 1 })).toBe('red');
    expect(merges.gate('S03', { ran: 12, skipped: 2 })).toBe('red');
    expect(merges.story.state.tasks.get(key('S02'))?.progress).toMatchObject({
      red: {
        runs: 1,
        findings: [{ gate: 'tests', message: expect.stringContaining('11 tests ran where 12') as string }],
      },
    });
    expect(merges.gate('S04', { ran: 15, skipped: 1 })).toBe('merged');
    expect(merges.tests).toEqual([{ verify: 'make test', ran: 15, skipped: 1 }]);
  });

  test('may run fewer where its branch deletes tests that its spec lists, and that is the new count', () => {
    const merges = new Merges();
    merges.gate('S01', { ran: 12, skipped: 0 });
    expect(merges.gate('S02', { ran: 4, skipped: 0 }, { dropsTests: true })).toBe('merged');
    expect(merges.gate('S03', { ran: 4, skipped: 0 })).toBe('merged');
  });

  test('on a stack may run fewer when a branch below it deletes tests that its spec lists', () => {
    const merges = new Merges();
    merges.gate('S01', { ran: 12, skipped: 0 });
    merges.gate('S02', { ran: 4, skipped: 0 }, { dropsTests: true, stays: true });
    const below = merges.made;
    expect(merges.gate('S03', { ran: 4, skipped: 0 }, { onto: below, stays: true })).toBe('green');
    expect(merges.gate('S04', { ran: 4, skipped: 0 }, { stays: true })).toBe('red');
  });

  test('that counts nothing where integration counted something is a broken gate', () => {
    const merges = new Merges();
    merges.gate('S01', { ran: 12, skipped: 0 });
    expect(merges.gate('S02', null)).toBe('gating');
    expect(merges.story.state.tasks.get(key('S02'))?.progress).toMatchObject({ red: null });
    expect(merges.turn.events.at(-1)?.fact).toMatchObject({
      type: 'merge.stalled',
      reason: expect.stringContaining('reported no tests, where 12 ran before it') as string,
    });
  });

  test('is not compared when nothing was counted before, or when integration moved by itself', () => {
    const merges = new Merges();
    expect(merges.gate('S02', null)).toBe('merged');
    merges.gate('S01', { ran: 12, skipped: 0 });
    merges.story.tell({ type: 'project.based', project: PROJECT, integration: commit(0x4000) });
    expect(merges.gate('S03', { ran: 3, skipped: 0 })).toBe('merged');
  });

  test('that lands after a crash leaves the counts as they were', () => {
    const merges = new Merges();
    merges.gate('S01', { ran: 12, skipped: 0 });
    expect(merges.gate('S02', { ran: 14, skipped: 0 }, { crash: true })).toBe('merged');
    expect(merges.tests).toEqual([{ verify: 'make test', ran: 12, skipped: 0 }]);
  });
});

test('what was counted area by area counts for the tree that lands, together with what was counted on all of it', () => {
  const { turn } = new Merges();
  const counted = (verify: string, ran: number) => ({ verify, ran, skipped: 0 });
  turn.memory.testCounts.set('web', [counted('make web', 3)]);
  turn.memory.testCounts.set('api', [counted('make api', 5)]);
  gatherCounts(turn, 'tree', ['web', 'api', 'not counted']);
  expect(countsOf(turn, 'tree')).toEqual({ tests: [counted('make web', 3), counted('make api', 5)] });
  turn.memory.testCounts.set('above', [counted('make test', 8)]);
  gatherCounts(turn, 'above', ['web', 'above']);
  expect(countsOf(turn, 'above')).toEqual({ tests: [counted('make web', 3), counted('make test', 8)] });
  gatherCounts(turn, 'other', ['not counted']);
  expect(countsOf(turn, 'other')).toEqual({});
});
