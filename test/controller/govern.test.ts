/** What the end of an attempt makes of its key and its task. */
import { expect, test } from 'vitest';
import { Core } from '../../src/controller/core.ts';
import type { Input } from '../../src/controller/door.ts';
import type { Outcome, RefusalKind } from '../../src/model/attempt.ts';
import { nodeName, projectName, type Token } from '../../src/model/ids.ts';
import type { JournalEntry } from '../../src/protocol/messages.ts';
import { emptyState } from '../../src/model/state.ts';
import { settlement } from '../../src/controller/settlement.ts';
import { config, key, node, spec } from '../schedule/world.ts';

const N1 = nodeName('n1');
const P = projectName('p');
const T0 = 1_700_000_000_000;

/** A project of chores for one agent with a key, on a node with eight slots. */
function story(tasks: number) {
  let seed = 0;
  const core = new Core(emptyState(), {
    epoch: 1,
    random: () => Uint8Array.from({ length: 16 }, () => (seed += 7)),
  });
  core.setNodes([node('n1', { slots: 8 })]);
  const plain = { command: ['run'], env: {}, secrets: {}, model: null };
  const executors = { glm: { ...plain, name: 'glm', kind: 'claude' as const } };
  const specs = Array.from({ length: tasks }, (_, i) => ({
    spec: spec('p', `T${i}`, { executor: 'glm', modifies: [], verify: null }),
    text: '',
  }));
  const turn = (now: number, ...inputs: Input[]) => core.turn(inputs, now);
  turn(T0, {
    is: 'command',
    command: { verb: 'load', config: config('p', { repo: null, executors }), specs },
  });
  turn(T0, { is: 'command', command: { verb: 'start', project: P } });
  const welcome = {
    protocol: 1,
    program: 'x',
    bootId: 'b',
    journal: 'j',
    seq: 0,
    platform: 'linux',
    epoch: 1,
  };
  turn(T0, { is: 'node.up', node: N1, welcome, inventory: [] });
  let seq = 1000;
  const live = () => [...(core.state.live.get(N1) ?? [])];
  const end = (now: number, outcome: Outcome) => {
    const [token] = live();
    if (token === undefined) throw new Error('nothing runs');
    const entries = [
      { seq: ++seq, at: now, type: 'attempt.running' as const, token },
      { seq: ++seq, at: now, type: 'attempt.ended' as const, token, outcome },
    ];
    return turn(now, { is: 'node.news', node: N1, journal: 'j', entries });
  };
  return { core, turn, live, end };
}

function refused(kind: RefusalKind, retryAfterMs: number | null = null): Outcome {
  const message = `the provider says no (${kind})`;
  const refusal = { kind, retryAfterMs };
  return { kind: 'failed', cause: 'executor', message, refusal, exitCode: 1, rounds: 1, usage: null };
}
const done: Outcome = { kind: 'done', head: null, rounds: 1, usage: null };

test('a task is not blamed for a busy key, and starts again when the key may be used, and not before', () => {
  const { core, turn, live, end } = story(8);
  expect(live()).toHaveLength(8);
  const { wakeAt } = end(T0 + 1000, refused('rate', 20_000));
  expect(core.state.credentials.get('glm')).toMatchObject({ limit: 4, seen: 8, notBefore: T0 + 21_000 });
  expect(core.state.tasks.get(key('p', 'T0'))).toMatchObject({ failures: 0, progress: { at: 'open' } });
  expect(wakeAt).toBe(T0 + 21_000);
  // Those that began together with it and are refused as well are the same refusal.
  for (let i = 0; i < 4; i++) end(T0 + 1100 + i, refused('rate'));
  expect(core.state.credentials.get('glm')).toMatchObject({ limit: 4, strikes: 1 });
  turn(T0 + 20_999, { is: 'tick' });
  expect(live()).toHaveLength(3);
  turn(T0 + 21_000, { is: 'tick' });
  expect(live()).toHaveLength(4);
  for (let i = 0; i < 4; i++) end(T0 + 90_000 + i, done);
  expect(core.state.credentials.get('glm')?.strikes).toBe(0);
});

test('a key that is not taken fails its tasks in the end, is tried now and then, and at once when a person starts again', () => {
  const { core, turn, live, end } = story(2);
  end(T0 + 1000, refused('login'));
  end(T0 + 1001, refused('login'));
  expect(core.state.tasks.get(key('p', 'T0'))?.failures).toBe(1);
  turn(T0 + 60_000, { is: 'tick' });
  expect(live()).toEqual([]);
  const over = settlement(core.snapshot(), [P], T0 + 60_000);
  expect(over?.blocked).toEqual([key('p', 'T0'), key('p', 'T1')]);
  turn(T0 + 61_000, { is: 'command', command: { verb: 'start', project: P } });
  expect(live()).toHaveLength(2);
});

test('a refusal in the middle of an attempt spares the key at once, whatever becomes of the attempt', () => {
  const { core, turn, live, end } = story(8);
  const [first, second] = live();
  if (first === undefined || second === undefined) throw new Error('nothing runs');
  const refusal = { kind: 'rate', retryAfterMs: null } as const;
  const message = 'API Error: 429';
  const says = (seq: number, token: Token) =>
    ({ seq, at: 0, type: 'provider.refused', token, refusal, message }) as const;
  const entries: JournalEntry[] = [
    { seq: 101, at: 0, type: 'attempt.running', token: first },
    { seq: 102, at: 0, type: 'attempt.running', token: second },
    says(103, first),
    says(104, second),
  ];
  const news = { is: 'node.news', node: N1, journal: 'j', entries } as const;
  const { wakeAt } = turn(T0 + 1000, news);
  // Both began under the old bound: one refusal, of eight at once.
  expect(core.state.credentials.get('glm')).toMatchObject({ limit: 4, seen: 8, strikes: 1, refusals: 1 });
  expect(wakeAt).toBe(T0 + 6000);
  expect(live()).toHaveLength(8);
  // A node says the same again after a new connection; and the attempt that was refused may get through after all.
  turn(T0 + 2000, news);
  end(T0 + 3000, done);
  expect(core.state.credentials.get('glm')).toMatchObject({ limit: 4, strikes: 1, refusals: 1 });
});
