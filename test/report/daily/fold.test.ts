import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/model/attempt.ts';
import type { Event, Fact } from '../../../src/model/event.ts';
import type { NodeName } from '../../../src/model/ids.ts';
import type { NodeConfig } from '../../../src/model/spec.ts';
import { endOf, tokensOf } from '../../../src/report/attempts.ts';
import { DailyFold } from '../../../src/report/daily/fold.ts';
import { dailyMarkdown } from '../../../src/report/daily/markdown.ts';
import type { DailyReport } from '../../../src/report/daily/model.ts';
import { dayOf, type Period } from '../../../src/model/period.ts';
import {
  added,
  BASE,
  claim,
  clash,
  commit,
  key,
  NODE,
  SET_UP,
  token,
  wayToMerge,
} from '../../model/builder.ts';
import { History } from '../../model/history.ts';
import { node } from '../../schedule/world.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const DAY = dayOf('2026-11-20', 'Asia/Shanghai');
const NODES = [node(NODE, { slots: 2 })];
const UP: Fact = { type: 'node.connected', node: NODE, bootId: 'b', journal: 'j', program: 'p' };
const RUNNING: Fact = { type: 'attempt.running', token: token(1) };

/** Hours of the day, and what happened then; negative ones are of the day before. */
type Story = readonly (readonly [hour: number, ...facts: Fact[]])[];

interface Told {
  readonly period?: Period;
  readonly nodes?: readonly NodeConfig[];
  /** Hour of the day at which the report is made; 24 by default. */
  readonly at?: number;
  readonly alive?: boolean;
}

function reportOf(
  story: Story,
  { period = DAY, nodes = NODES, at = 24, alive = true }: Told = {},
): DailyReport {
  const fold = new DailyFold({ period, nodes, now: DAY.from + at * HOUR });
  let seq = 0;
  for (const [hour, ...facts] of story) {
    for (const fact of facts) {
      seq += 1;
      const event: Event = { seq, at: DAY.from + hour * HOUR, epoch: 1, fact, source: null };
      if (!fold.push(event)) return fold.finish(alive);
    }
  }
  return fold.finish(alive);
}

function ended(number: number, outcome: Outcome): Fact {
  return { type: 'attempt.ended', token: token(number), outcome };
}

const TIMEOUT: Outcome = { kind: 'timeout', rounds: 1, head: null };
const BACK_OFF: Fact = { type: 'task.backedoff', task: key('S01'), notBefore: 0, reason: 'x' };

describe('a day', () => {
  test('in which nothing has ever happened is empty, and nothing in it is a number that is none', () => {
    const report = reportOf([]);
    expect(report).toMatchObject({ before: null, projects: [], tomorrow: [{ do: 'reach' }], events: 0 });
    expect(report.measures).toMatchObject({ merged: 0, usedMs: 0, availableMs: 0, specToMerge: null });
    expect(JSON.stringify(report)).not.toContain('NaN');
  });

  test('tells what merged in it, how long it took from the spec on, and by whom', () => {
    const report = reportOf([
      [-2, ...SET_UP, UP, added('S01'), added('S02')],
      [-1, ...wayToMerge('S01', 1, BASE)],
      [3, ...wayToMerge('S02', 2, commit(0x2001))],
    ]);
    expect(report.projects[0]?.merged).toMatchObject([
      { task: 'S02', tookMs: 5 * HOUR, attempts: 1, rounds: 1, node: NODE, executor: 'shell' },
    ]);
    expect(report.measures).toMatchObject({
      merged: 1,
      specToMerge: { median: 5 * HOUR, p90: 5 * HOUR, of: 1 },
      firstRound: { passed: 1, of: 1 },
    });
    expect(report.before?.merged).toBe(1);
    expect(report.trend.map(({ measures }) => measures.merged)).toEqual([1, 1]);
    expect(report.tomorrow).toMatchObject([{ do: 'collect', command: 'dispatch collect app', count: 2 }]);
  });

  test('is told as it was in its evening, whatever came later', () => {
    const story: Story = [
      [1, ...SET_UP, UP, added('S01')],
      [2, claim('S01', 1)],
      [30, ...wayToMerge('S01', 1, BASE).slice(1)],
    ];
    const report = reportOf(story, { at: 48 });
    expect(report.projects[0]?.standing).toMatchObject({ total: 1, agents: 1, merged: 0 });
    expect(report.events).toBe(story.slice(0, 2).flat().length - 2);
  });

  test('is not ended by an event from the future of a clock that was wrong', () => {
    const report = reportOf(
      [
        [1, ...SET_UP, UP],
        [100, added('S01')],
        [2, ...wayToMerge('S01', 1, BASE)],
      ],
      { at: 20 },
    );
    expect(report.measures.merged).toBe(1);
    expect(report.measures.specToMerge?.median).toBe(0);
  });
});

describe('a gate that is tried on a copy that is broken on purpose', () => {
  const subject = {
    of: 'control',
    part: 'broken',
    files: 'f',
    base: 'b',
    broken: 3,
    verify: 'make test',
    environment: 'e',
    commit: BASE,
    tree: 't',
  } as const;
  const tried = (outcome: Outcome): DailyReport =>
    reportOf([
      [1, ...SET_UP, UP, added('S01')],
      [
        2,
        {
          type: 'attempt.claimed',
          token: token(9),
          task: key('S01'),
          n: 0,
          work: { kind: 'gate', subject },
          node: NODE,
          base: BASE,
        },
      ],
      [3, ended(9, outcome)],
    ]);

  test('is no red gate when it is red, and no good one when it stays green', () => {
    const usual = { head: null, rounds: 1, usage: null };
    const red = tried({ kind: 'refused', findings: [], output: 'red', ...usual });
    expect(red.timeline.lanes[0]?.spans).toMatchObject([{ kind: 'gate' }]);
    expect(red.gates).toEqual([]);
    const green = tried({ kind: 'done', ...usual });
    expect(green.timeline.lanes[0]?.spans).toMatchObject([{ kind: 'red' }]);
  });
});

test('what was found wrong is told with its level, the worst first, and no more once its day is over', () => {
  const wrong = (key: string, level: 'P0' | 'P2'): Fact => {
    const cause = { key, rule: 'wal', level, code: 'E_WAL_SIZE', about: 'here', fix: null } as const;
    return { type: 'alert.raised', ...cause, message: `${key} is large` };
  };
  const story: Story = [
    [-8, ...SET_UP, UP, wrong('old', 'P0')],
    [-4, { type: 'alert.resolved', key: 'old' }],
    [2, wrong('idle', 'P2'), wrong('disk', 'P0'), wrong('gone', 'P0')],
    [4, { type: 'alert.resolved', key: 'gone' }],
  ];
  expect(reportOf(story).alerts.map(({ level, key, is }) => `${level} ${key} ${is}`)).toEqual([
    'P0 disk open',
    'P2 idle open',
    'P0 gone over',
  ]);
  expect(dailyMarkdown(reportOf(story), 'en')).toContain('| P2 | here | idle is large |');
});

describe('an attempt across midnight', () => {
  const story: Story = [
    [-3, ...SET_UP, UP, added('S01')],
    [-2, claim('S01', 1), RUNNING],
    [-1, { type: 'attempt.progressed', token: token(1), round: 1, step: 'agent' }],
    [4, ended(1, TIMEOUT), BACK_OFF],
  ];

  test('counts on both days with what lies in them', () => {
    const report = reportOf(story);
    expect(report.measures.usedMs).toBe(4 * HOUR);
    expect(report.before?.usedMs).toBe(2 * HOUR);
    expect(report.steps).toEqual({ prepare: 0, agent: 4 * HOUR, gates: 0, verify: 0 });
    expect(report.timeline.lanes[0]?.spans).toMatchObject([
      { from: DAY.from, to: DAY.from + 4 * HOUR, kind: 'bad' },
    ]);
    expect(report.fleet.buckets.slice(0, 17).map(({ usedMs }) => usedMs / MINUTE)).toEqual([
      ...Array.from({ length: 16 }, () => 15),
      0,
    ]);
  });

  test('ends, fails and costs on the day on which it ends', () => {
    const report = reportOf(story);
    expect(report.failures).toEqual([{ cause: { is: 'timeout' }, count: 1, tasks: ['app/S01'] }]);
    expect([report.measures.tokens.unknown, report.before?.tokens.unknown]).toEqual([1, 0]);
    expect(report.measures.firstRound).toEqual({ passed: 0, of: 1 });
  });

  test('that has not ended is at work until now', () => {
    const report = reportOf(story.slice(0, 3), { at: 3 });
    expect(report.measures.usedMs).toBe(3 * HOUR);
    expect(report.timeline.lanes[0]?.spans).toMatchObject([{ kind: 'running', to: DAY.from + 3 * HOUR }]);
  });
});

describe('slots that could have worked', () => {
  test.each<[string, Story, Told, available: number]>([
    ['are those of a node that is connected', [[-1, SET_UP[0] as Fact, UP]], {}, 2 * 24],
    [
      'are counted from the connection on',
      [
        [0, SET_UP[0] as Fact],
        [6, UP],
      ],
      {},
      2 * 18,
    ],
    [
      'are none while the connection is gone',
      [
        [0, SET_UP[0] as Fact, UP],
        [6, down()],
        [10, UP],
      ],
      {},
      2 * 20,
    ],
    [
      'are none of a node that is cordoned',
      [
        [0, SET_UP[0] as Fact, UP],
        [6, mark('cordon')],
        [7, mark('none')],
      ],
      {},
      2 * 23,
    ],
    [
      'are none while the machine of the controller sleeps',
      [
        [0, SET_UP[0] as Fact, UP],
        [12, { type: 'controller.slept', ms: 5 * HOUR }],
      ],
      {},
      2 * 19,
    ],
    [
      'are none while it sleeps across midnight',
      [
        [-3, SET_UP[0] as Fact, UP],
        [7, { type: 'controller.slept', ms: 9 * HOUR }],
      ],
      {},
      2 * 17,
    ],
    [
      'are none while it sleeps through the end of the day',
      [
        [0, SET_UP[0] as Fact, UP],
        [30, { type: 'controller.slept', ms: 9 * HOUR }],
      ],
      { at: 40 },
      2 * 21,
    ],
    [
      'are none between a controller’s last word and the next controller',
      [
        [0, SET_UP[0] as Fact, UP],
        [2, added('S9')],
        [8, SET_UP[0] as Fact, UP],
      ],
      {},
      2 * 18,
    ],
    [
      'are none after the last word of a controller that is gone',
      [
        [0, SET_UP[0] as Fact, UP],
        [2, mark('none')],
      ],
      { alive: false },
      2 * 2,
    ],
    ['are those up to now while the day lasts', [[0, SET_UP[0] as Fact, UP]], { at: 5 }, 2 * 5],
    [
      'are those that work, also without a controller, and on a node that nodes.json lists no more',
      [
        [0, ...SET_UP, UP, added('S01')],
        [1, claim('S01', 1)],
      ],
      { alive: false, nodes: [] },
      23,
    ],
  ])('%s', (_, story, told, hours) => {
    const known = story.some(([, ...facts]) => facts.some(({ type }) => type === 'task.added'));
    const whole: Story = known ? [[-4, ...SET_UP.slice(1)], ...story.map(withoutSetUp)] : story;
    expect(reportOf(whole, told).measures.availableMs / HOUR).toBe(hours);
  });

  test('and those that sleep or are alone are told apart', () => {
    const { fleet } = reportOf([
      [0, SET_UP[0] as Fact, UP],
      [2, { type: 'controller.slept', ms: HOUR }],
      [3, down()],
      [5, SET_UP[0] as Fact, UP],
    ]);
    expect(fleet).toMatchObject({ asleepMs: HOUR, absentMs: 2 * HOUR, restarts: 2 });
    expect(fleet.nodes).toMatchObject([{ node: NODE, slots: 2, outages: 1, awayMs: 0 }]);
    expect(fleet.onboarded).toEqual([{ node: NODE, connectedAt: DAY.from, tookMs: null }]);
  });
});

test('a node that is new tells how long it took until its first attempt ended well', () => {
  const report = reportOf([
    [0, ...SET_UP, added('S01'), added('S02')],
    [1, UP],
    [2, claim('S01', 1)],
    [3, ended(1, TIMEOUT), BACK_OFF],
    [4, ...wayToMerge('S02', 2, BASE)],
  ]);
  expect(report.fleet.onboarded).toEqual([{ node: NODE, connectedAt: DAY.from + HOUR, tookMs: 3 * HOUR }]);
});

test('a person’s acts are counted once for each command, and not what the node or dispatch did', () => {
  const cancel = (id: string): Fact => ({ type: 'task.cancelled', task: key(id), reason: 'x' });
  const report = reportOf([
    [0, ...SET_UP, UP, added('S01'), added('S02'), added('S03')],
    [1, claim('S01', 1)],
    [2, ended(1, { kind: 'cancelled', reason: 'by hand' }), cancel('S01')],
    [3, cancel('S02'), cancel('S03')],
    [4, { type: 'task.retried', task: key('S01'), by: 'lin' }],
    [5, { type: 'queue.held', project: 'app' as never, by: 'dispatch', reason: 'x' }],
    [6, { type: 'queue.released', project: 'app' as never, by: 'lin' }],
  ]);
  expect(report.person).toEqual({
    minutes: 4,
    acts: [
      { act: 'cancel', count: 1, minutesEach: 1 },
      { act: 'retry', count: 1, minutesEach: 2 },
      { act: 'queue', count: 1, minutesEach: 1 },
    ],
  });
});

test('what came back is told with its reason, and what waits for a person with its command', () => {
  const [, , , accepted, prepared] = wayToMerge('S02', 2, BASE);
  const report = reportOf([
    [0, ...SET_UP, UP, added('S01'), added('S02')],
    [1, claim('S01', 1), claim('S02', 2)],
    [
      2,
      ended(1, { kind: 'refused', findings: [], output: '', head: null, rounds: 4, usage: null }),
      { type: 'task.failed', task: key('S01'), reason: 'refused by the scope gate', findings: [] },
      ...wayToMerge('S02', 2, BASE).slice(1, 3),
      accepted as Fact,
      prepared as Fact,
      { type: 'merge.raced', token: token(2) },
      { type: 'merge.conflicted', token: token(2), onto: BASE, clash: clash('S02') },
      { type: 'task.parked', task: key('S02'), token: token(2), reason: 'conflicts, 3 times' },
    ],
  ]);
  const [day] = report.projects;
  expect(day?.refusals).toMatchObject([{ task: 'S01', n: 1, by: 'node' }]);
  expect(day?.conflicts).toEqual([{ task: 'S02', against: ['S01'], paths: ['src/a.ts'], times: 1 }]);
  expect(day?.standing).toMatchObject({ you: 2, total: 2 });
  expect(report.tomorrow.map(({ command }) => command)).toEqual([
    'dispatch logs app/S01',
    'dispatch logs app/S02',
  ]);
});

describe('for any history', () => {
  const NAMES = ['mac2', 'codex-node-1', 'codex-node-2'] as NodeName[];
  const nodes = NAMES.map((name) => node(name, { slots: 2 }));
  const steps = fc.array(fc.integer({ min: 1, max: 2 ** 30 }), { minLength: 20, maxLength: 150 });

  test('two spans that follow each other have in them together what the log has', () => {
    fc.assert(
      fc.property(steps, fc.double({ min: 0, max: 1, noNaN: true }), (numbers, where) => {
        const history = new History();
        for (const number of numbers) history.step(number);
        const { events, state } = history;
        const [first, last] = [events[0]?.at ?? 0, events.at(-1)?.at ?? 0];
        const end = last + 1000;
        const cut = first + (last - first) * where;
        const halves = [
          [first, cut],
          [cut, end],
        ].map(([from, to]) => folded(events, { ...DAY, from: from ?? 0, to: to ?? 0 }, end));
        const sum = (figure: (report: DailyReport) => number): number =>
          halves.reduce((total, half) => total + figure(half), 0);
        const count = (...types: Fact['type'][]): number =>
          events.filter(({ fact }) => types.includes(fact.type)).length;
        const attempts = [...state.attempts.values()];
        const used = attempts.reduce((ms, one) => ms + endOf(one, end) - one.claimedAt, 0);
        const tokens = tokensOf(attempts);

        expect(sum(({ measures }) => measures.usedMs)).toBeCloseTo(used, 3);
        expect(sum(({ measures }) => measures.merged)).toBe(count('merge.landed', 'task.completed'));
        expect(sum(({ measures }) => measures.failed)).toBe(count('task.failed'));
        expect(sum(({ measures }) => measures.reverted)).toBe(count('revert.landed'));
        expect(sum(({ measures }) => measures.tokens.total ?? 0)).toBe(tokens.total ?? 0);
        expect(sum(({ measures }) => measures.tokens.unknown)).toBe(tokens.unknown);
        expect(sum(({ events: seen }) => seen)).toBe(events.length);
        for (const half of halves) agreesWithItself(half);
      }),
      { numRuns: 20 },
    );
  });

  function folded(events: readonly Event[], period: Period, now: number): DailyReport {
    const fold = new DailyFold({ period, nodes, now });
    for (const event of events) if (!fold.push(event)) break;
    return fold.finish(true);
  }

  function agreesWithItself({ measures, fleet, projects, spending }: DailyReport): void {
    const total = (figures: readonly number[]): number => figures.reduce((sum, figure) => sum + figure, 0);
    expect(total(fleet.nodes.map(({ usedMs }) => usedMs))).toBeCloseTo(measures.usedMs, 3);
    expect(total(fleet.buckets.map(({ usedMs }) => usedMs))).toBeCloseTo(measures.usedMs, 3);
    expect(total(fleet.buckets.map(({ availableMs }) => availableMs))).toBeCloseTo(measures.availableMs, 3);
    expect(total(fleet.buckets.map(({ merged }) => merged))).toBe(measures.merged);
    expect(total(projects.map(({ merged }) => merged.length))).toBe(measures.merged);
    expect(total(projects.map((project) => project.refusals.length))).toBe(measures.refusals);
    expect(total(spending.map(({ tokens }) => tokens.unknown))).toBe(measures.tokens.unknown);
    expect(measures.availableMs).toBeGreaterThanOrEqual(measures.usedMs - 0.001);
    for (const { standing } of projects) {
      const { total: all, ...parts } = standing;
      expect(total(Object.values(parts))).toBe(all);
    }
  }
});

function down(): Fact {
  return { type: 'node.disconnected', node: NODE, reason: 'x' };
}

function mark(as: 'none' | 'cordon'): Fact {
  return { type: 'node.marked', node: NODE, mark: as };
}

function withoutSetUp([hour, ...facts]: Story[number]): Story[number] {
  return [hour, ...facts.filter(({ type }) => !type.startsWith('project.'))];
}
