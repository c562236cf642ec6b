/** A gate that cannot judge is nobody's fault: the line stops, nothing merges, and a person is told. */
import { expect, test } from 'vitest';
import type { Outcome, TestCounts } from '../../src/model/attempt.ts';
import { projectName } from '../../src/model/ids.ts';
import type { Project } from '../../src/model/task.ts';
import { verifyVerdict } from '../../src/gates/verify.ts';
import { alertsOf } from '../../src/report/alerts.ts';
import { commit, key, spec } from '../schedule/world.ts';
import { N1, Story, TIP } from './story.ts';

const P = projectName('p');

/** What a node reports of a gate whose command ended so; the same judgement as on the node. */
function ended(exit: { code: number | null; signal?: string; timedOut?: boolean }, output = ''): Outcome {
  const { code, signal = null, timedOut = false } = exit;
  const { verdict, findings, tests } = verifyVerdict({ code, signal, timedOut }, output, {
    min: 0,
    none: 'broken',
  });
  if (verdict === 'broken') {
    const message = findings[0]?.message ?? '';
    return { kind: 'failed', cause: 'gate', message, exitCode: code, rounds: 1, usage: null };
  }
  if (verdict === 'red') return { kind: 'refused', findings, output, head: null, rounds: 1, usage: null };
  return { kind: 'done', head: null, rounds: 1, usage: null, ...(tests === null ? {} : { tests }) };
}

function projectIn(story: Story): Project {
  const project = story.core.state.projects.get(P);
  if (project === undefined) throw new Error('no project');
  return project;
}

/** Two branches of a project whose integration ran this many tests, if any; B stands on A and is gated. */
function line(counted: TestCounts | null = null): Story {
  const story = new Story([spec('p', 'first'), spec('p', 'A'), spec('p', 'B')]);
  const [first, a, b] = [story.started('first'), story.started('A'), story.started('B')];
  story.queued(first);
  story.merged(first, TIP, 201, 'tree of first');
  story.endGate('first', {
    kind: 'done',
    head: null,
    rounds: 1,
    usage: null,
    ...(counted === null ? {} : { tests: counted }),
  });
  story.lands([first], TIP, 201);
  story.queued(a);
  story.queued(b);
  story.mergedOntoTip(a, 202, 'tree of A');
  story.merged(b, commit(202), 203, 'tree of A and B');
  return story;
}

const TAP_NONE =
  'TAP version 13\n1..0\n# tests 0\n# pass 0\n# fail 0\n# cancelled 0\n# skipped 0\n# todo 0\n';
const COUNTED: TestCounts = { ran: 12, skipped: 0 };

test.each<[what: string, outcome: Outcome, says: RegExp, counted: TestCounts | null]>([
  ['whose command is not there', ended({ code: 127 }), /was not found/, null],
  ['whose command cannot be executed', ended({ code: 126 }), /could not be executed/, null],
  ['that a signal ends', ended({ code: 137 }), /ended by signal 9/, null],
  ['that a signal ends without a shell between', ended({ code: null, signal: 'SIGKILL' }), /SIGKILL/, null],
  ['that is out of time', { kind: 'timeout', rounds: 1, head: null }, /did not end in time/, null],
  ['that runs no test', ended({ code: 0 }, TAP_NONE), /ran no test/, null],
  ['that reports no test where there were some', ended({ code: 0 }), /no tests, where 12 ran/, COUNTED],
])(
  'a gate %s stops the line, blames nobody, merges nothing and raises an alert',
  (_, outcome, says, counted) => {
    const story = line(counted);
    for (let time = 1; time <= 3; time++) {
      expect(projectIn(story).hold).toBeNull();
      story.endGate('B', outcome);
      expect(story.gateOf('B')).toBeNull();
      expect(alertsOf(story.core.state, projectIn(story))).toMatchObject([
        { code: 'E_GATE_BROKEN', message: expect.stringMatching(says) as string },
      ]);
      story.later();
    }
    expect(projectIn(story).hold).toMatchObject({
      by: 'dispatch',
      reason: expect.stringMatching(says) as string,
    });
    expect(alertsOf(story.core.state, projectIn(story))).toMatchObject([{ fix: 'dispatch queue release p' }]);
    for (const id of ['A', 'B']) {
      expect(story.gateOf(id)).toBeNull();
      expect(story.core.state.tasks.get(key('p', id))).toMatchObject({
        returns: 0,
        failures: 0,
        feedback: null,
      });
    }
    expect([...story.effects.keys()].filter((effect) => effect.startsWith('land:'))).toHaveLength(1);
  },
);

test('a machine that cannot begin a gate has judged nothing: the line is not held, it is tried on, and told when that lasts', () => {
  const story = line();
  const reason = 'no clean checkout could be made: No space left on device';
  const outcome = {
    kind: 'failed',
    cause: 'gate',
    message: reason,
    blame: 'node',
    exitCode: null,
    rounds: 1,
    usage: null,
  } as const;
  for (let time = 1; time <= 5; time++) {
    story.endGate('B', outcome);
    // Nothing new goes to that node for a while, and no other is there.
    expect(story.gateOf('B')).toBeNull();
    expect(story.core.memory.shunned.get(N1)).toBeGreaterThan(0);
    expect(projectIn(story)).toMatchObject({ hold: null, broken: null });
    expect(alertsOf(story.core.state, projectIn(story)).map(({ code }) => code)).toEqual(
      time < 3 ? [] : ['E_NODE_FAILING'],
    );
    story.setClock(600_000);
    story.later();
  }
  story.endGate('B', ended({ code: 0 }));
  expect(alertsOf(story.core.state, projectIn(story))).toEqual([]);
  expect(story.core.state.tasks.get(key('p', 'B'))?.progress.at).toBe('landing');
});

test('a gate that can judge again ends the alert, and the line goes on', () => {
  const story = line();
  story.endGate('B', ended({ code: 127 }));
  story.later();
  story.endGate('B', ended({ code: 0 }));
  expect(alertsOf(story.core.state, projectIn(story))).toEqual([]);
  expect(story.core.state.tasks.get(key('p', 'B'))?.progress.at).toBe('landing');
});

test('a controller that starts meanwhile goes on counting, so a broken gate does not run for ever', () => {
  const story = line();
  story.endGate('B', ended({ code: 127 }));
  story.later();
  story.endGate('B', ended({ code: 127 }));
  story.restart();
  story.later();
  story.endGate('B', ended({ code: 127 }));
  expect(projectIn(story).hold).toMatchObject({ by: 'dispatch' });
});
