import { describe, expect, test } from 'vitest';
import { freshMemory } from '../../src/controller/memory.ts';
import { advanceQueues } from '../../src/controller/queue.ts';
import { settleEnd } from '../../src/controller/settle.ts';
import { Turn } from '../../src/controller/turn.ts';
import { recordOf } from '../../src/merge/queue/view.ts';
import type { Outcome } from '../../src/model/attempt.ts';
import type { TaskKey } from '../../src/model/ids.ts';
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

const GREEN: Outcome = { kind: 'done', head: null, rounds: 1, usage: null };
const RED: Outcome = {
  kind: 'refused',
  findings: [],
  output: 'FAILED test/test_a.py::test_clock - assert 1 == 2\n1 failed in 0.10s',
  head: null,
  rounds: 1,
  usage: null,
};

/** One project whose branches are gated by themselves, each beside the stack. */
class Gates {
  readonly story = Story.of(...SET_UP);
  readonly turn = new Turn(this.story.state, freshMemory(this.story.state), 1, 1_800_000_000_000);
  #next = 0;
  get project() {
    const project = this.story.state.projects.get(PROJECT);
    if (project === undefined) throw new Error('no project');
    return project;
  }

  /** A branch whose merge stands aside, ungated. */
  branch(id: string): number {
    const number = (this.#next += 100);
    const [work, head] = [token(number), commit(number + 0x10000)];
    this.story.tell(
      added(id, { verify: 'make test', modifies: [`src/${id}`] }),
      claim(id, number),
      { type: 'attempt.ended', token: work, outcome: done(head) },
      { type: 'candidate.accepted', token: work, head, changed: 1 },
    );
    this.prepare(number);
    return number;
  }

  /** Merges it by itself, as the commit with this number on top of its own. */
  prepare(number: number, made = 0x20000): void {
    this.turn.record({
      type: 'merge.prepared',
      token: token(number),
      onto: BASE,
      commit: commit(number + made),
      tree: `tree-${number + made}`,
      aside: true,
    });
  }

  /** Its gate runs, ends so, and the queue moves on. @returns where the task is then. */
  gate(id: string, number: number, run: number, outcome: Outcome, made = 0x20000): string {
    const gate = token(number + run);
    const merged = { commit: commit(number + made), tree: `tree-${number + made}` };
    const subject = { of: 'merge', workToken: token(number), ...merged, ...BASIS } as const;
    this.turn.record({
      type: 'attempt.claimed',
      token: gate,
      task: key(id),
      n: 1,
      work: { kind: 'gate', subject },
      node: NODE,
      base: null,
    });
    const attempt = this.story.state.attempts.get(gate);
    if (attempt === undefined) throw new Error('no gate');
    settleEnd(this.turn, attempt, outcome, null);
    advanceQueues(this.turn, 8);
    return this.at(id);
  }

  /** A collect of what is there, whose gate ends so. */
  deliver(run: number, outcome: Outcome): void {
    const made = { commit: commit(0x50000 + run), tree: `tree-${run}` };
    const work = { kind: 'gate', subject: { of: 'delivery', ...made, ...BASIS } } as const;
    const task = `${PROJECT}/@delivery` as TaskKey;
    const prepared = { project: PROJECT, onto: BASE, targetTip: BASE, ...made } as const;
    this.turn.record({ type: 'delivery.requested', project: PROJECT });
    this.turn.record({ type: 'delivery.drained', project: PROJECT });
    this.turn.record({ type: 'delivery.prepared', ...prepared });
    const gate = token(0x9000 + run);
    this.turn.record({ type: 'attempt.claimed', token: gate, task, n: 0, work, node: NODE, base: null });
    const attempt = this.story.state.attempts.get(gate);
    if (attempt === undefined) throw new Error('no gate');
    settleEnd(this.turn, attempt, outcome, null);
  }

  at(id: string): string {
    return this.story.state.tasks.get(key(id))?.progress.at ?? '';
  }
}

describe('a gate that goes both ways on one commit', () => {
  test('is flaky, with its rate and the tests that its runner named; the branch goes back to the queue', () => {
    const gates = new Gates();
    const number = gates.branch('S01');
    expect(gates.gate('S01', number, 1, RED)).toBe('gating');
    expect(gates.project.gates).toMatchObject([{ verify: 'make test', runs: 1, flakes: 0 }]);
    expect(gates.gate('S01', number, 2, GREEN)).toBe('queued');
    expect(gates.project.gates).toMatchObject([
      { runs: 2, greens: 1, flakes: 1, tests: [{ name: 'test/test_a.py::test_clock', flakes: 1 }] },
    ]);
  });

  test('lets no branch in by itself: red twice on one commit is refused, known as flaky or not', () => {
    const gates = new Gates();
    for (let at = 0; at < 20; at++) {
      const number = gates.branch(`F${at}`);
      gates.gate(`F${at}`, number, 1, RED);
      gates.gate(`F${at}`, number, 2, GREEN);
    }
    expect(gates.project.gates).toMatchObject([{ runs: 40, flakes: 20 }]);
    const number = gates.branch('S01');
    expect(gates.gate('S01', number, 1, RED)).toBe('gating');
    expect(gates.gate('S01', number, 2, RED)).toBe('open');
    expect(gates.story.state.tasks.get(key('S01'))).toMatchObject({ returns: 1, feedback: { why: 'gate' } });
    expect(gates.turn.events.some(({ fact }) => fact.type === 'merge.passed')).toBe(false);
  });

  test('is known to the planner of a controller that has just started', () => {
    const gates = new Gates();
    const number = gates.branch('S01');
    gates.gate('S01', number, 1, RED);
    gates.gate('S01', number, 2, GREEN);
    expect(recordOf(gates.project, new Map())).toMatchObject({ greens: 1, flakes: 1 });
  });

  test('a red run on another commit of the same branch is no flake', () => {
    const gates = new Gates();
    const number = gates.branch('S01');
    gates.gate('S01', number, 1, RED);
    gates.turn.record({ type: 'merge.raced', token: token(number) });
    gates.prepare(number, 0x30000);
    gates.gate('S01', number, 2, GREEN, 0x30000);
    expect(gates.project.gates).toMatchObject([{ runs: 2, flakes: 0 }]);
  });

  test('is counted with the runs of deliveries too, by their command', () => {
    const gates = new Gates();
    gates.deliver(1, RED);
    expect(gates.project.delivery).toBeNull();
    expect(gates.project.gates).toMatchObject([{ verify: 'make test', runs: 1, greens: 0, flakes: 0 }]);
    gates.deliver(2, GREEN);
    expect(gates.project.delivery).toMatchObject({ at: 'gating', gate: null });
    expect(gates.project.gates).toMatchObject([{ runs: 2, greens: 1, flakes: 0 }]);
  });
});
