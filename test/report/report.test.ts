import { describe, expect, test } from 'vitest';
import type { Finding, Outcome } from '../../src/model/attempt.ts';
import type { TaskId } from '../../src/model/ids.ts';
import type { Event, Fact } from '../../src/model/event.ts';
import { evolve } from '../../src/model/evolve.ts';
import { emptyState } from '../../src/model/state.ts';
import { buildReport } from '../../src/report/build.ts';
import { countsLine, reportMarkdown, tokensText } from '../../src/report/markdown.ts';
import type { Report } from '../../src/report/model.ts';
import {
  added,
  BASE,
  BASIS,
  claim,
  commit,
  config,
  key,
  PROJECT,
  SET_UP,
  token,
  wayToMerge,
  clash,
} from '../model/builder.ts';

const SECOND = 1000;

/** A report after facts at given seconds; those before them happen at second 0. */
function reportAt(
  now: number,
  slots: number,
  ...timed: readonly (Fact | [second: number, ...facts: Fact[]])[]
): Report {
  const state = emptyState();
  const events: Event[] = [];
  const tell = (at: number, fact: Fact): void => {
    const event = { seq: events.length + 1, at: at * SECOND, epoch: 1, fact, source: null };
    evolve(state, event);
    events.push(event);
  };
  for (const item of timed) {
    if (Array.isArray(item)) for (const fact of item.slice(1) as Fact[]) tell(item[0], fact);
    else tell(0, item as Fact);
  }
  const project = state.projects.get(PROJECT);
  if (project === undefined) throw new Error('no project');
  return buildReport({ state, events, project, slots, now: now * SECOND });
}

function ended(number: number, outcome: Outcome): Fact {
  return { type: 'attempt.ended', token: token(number), outcome };
}

function doneWith(tokens: number | null, rounds = 1): Outcome {
  const usage = {
    inputTokens: tokens,
    outputTokens: tokens === null ? null : 1,
    cachedTokens: null,
    costUsd: null,
  };
  return { kind: 'done', head: commit(9), rounds, usage };
}

const FINDING: Finding = {
  gate: 'scope',
  path: 'src/x.ts',
  line: 3,
  message: 'is not claimed',
  fix: 'claim it',
};
const REFUSED: Outcome = {
  kind: 'refused',
  findings: [FINDING],
  output: '',
  head: null,
  rounds: 4,
  usage: null,
};

describe('a task in the report', () => {
  test('has its node, attempts, rounds, time, tokens and commit', () => {
    const [, , , ...rest] = wayToMerge('S01', 2, BASE, 2);
    const report = reportAt(
      100,
      4,
      ...SET_UP,
      added('S01', { title: 'First' }),
      [10, claim('S01', 1), { type: 'attempt.running', token: token(1) }],
      [
        20,
        ended(1, { kind: 'failed', cause: 'executor', message: 'x', exitCode: 1, rounds: 2, usage: null }),
      ],
      [20, { type: 'task.backedoff', task: key('S01'), notBefore: 0, reason: 'x' }],
      [30, claim('S01', 2, 2), { type: 'attempt.running', token: token(2) }],
      [45, ended(2, { ...doneWith(1000, 3), head: commit(0x1002) } as Outcome)],
      [50, ...rest],
    );
    expect(report.tasks).toEqual([
      {
        id: 'S01',
        title: 'First',
        status: 'merged',
        reason: null,
        restsOn: [],
        nodes: ['mac2'],
        attempts: 2,
        rounds: 5,
        workMs: 25 * SECOND,
        elapsedMs: 40 * SECOND,
        tokens: { total: 1001, unknown: 1, costUsd: null },
        commit: commit(0x2002),
      },
    ]);
    expect(report.span).toEqual({ from: 10 * SECOND, to: 45 * SECOND });
  });

  test('that was reverted says why, waits for a person, and is named by what rests on it, however far', () => {
    const on = (id: string) => ({ dependsOn: [key(id).slice('app/'.length) as TaskId] });
    const facts = [
      ...SET_UP,
      added('S01'),
      added('S02', on('S01')),
      added('S03', on('S02')),
      ...wayToMerge('S01', 1, BASE),
      ...wayToMerge('S02', 2, commit(0x2001)),
      ...wayToMerge('S03', 3, commit(0x2002)),
      { type: 'revert.requested', task: key('S01'), by: 'ana', reason: 'the wrong schema' },
      {
        type: 'merge.prepared',
        token: token(1),
        onto: commit(0x2003),
        commit: commit(9),
        tree: 't',
        aside: false,
      },
      { type: 'merge.passed', token: token(1), tree: 't', below: [] },
    ] as const satisfies Fact[];
    const under = reportAt(100, 1, ...facts);
    expect(under.tasks.map(({ reason }) => reason)).toEqual(['is being reverted', null, null]);
    const landed = {
      type: 'revert.landed',
      token: token(1),
      commit: commit(9),
      onto: commit(0x2003),
    } as const;
    const report = reportAt(100, 1, ...facts, landed);
    expect(report.tasks.map(({ status, reason, restsOn }) => [status, reason, restsOn])).toEqual([
      ['reverted', 'the wrong schema', []],
      ['merged', 'rests on reverted work: S01', ['S01']],
      ['merged', 'rests on reverted work: S01', ['S01']],
    ]);
    expect(report.waiting).toEqual([
      { task: 'S01', what: 'reverted', reason: 'the wrong schema', command: 'dispatch retry app/S01' },
    ]);
    const again = reportAt(100, 1, ...facts, landed, { type: 'task.retried', task: key('S01'), by: 'ana' });
    expect(again.tasks[0]).toMatchObject({ status: 'ready', reason: 'was reverted: the wrong schema' });
  });

  test('that never ran has no figures at all', () => {
    const [task] = reportAt(5, 1, ...SET_UP, added('S01')).tasks;
    expect(task).toMatchObject({
      attempts: 0,
      rounds: null,
      elapsedMs: null,
      nodes: [],
      tokens: { total: null, unknown: 0 },
    });
    expect(reportMarkdown(reportAt(5, 1, ...SET_UP, added('S01')))).toContain(
      '| S01 | ready | - | 0 | - | - | - | - |',
    );
  });

  test('that ran while the clock was set back by an hour has taken no less than nothing', () => {
    const hour = 3600;
    const way: Fact[] = [...SET_UP, added('S01')];
    const report = reportAt(10, 1, ...way, [hour, claim('S01', 1)], [20, ended(1, doneWith(1))]);
    expect(report.tasks[0]).toMatchObject({ workMs: 0, elapsedMs: 0 });
  });

  test('that runs is counted until now', () => {
    const report = reportAt(30, 1, ...SET_UP, added('S01'), [10, claim('S01', 1)]);
    expect(report.tasks[0]).toMatchObject({
      status: 'running',
      workMs: 20 * SECOND,
      tokens: { total: null, unknown: 0 },
    });
    expect(report.span).toEqual({ from: 10 * SECOND, to: 30 * SECOND });
  });
});

describe('concurrency', () => {
  test('is used against what dependencies and slots allowed', () => {
    // S01 and S02 could run at once from 0; S03 only after S01. Two slots. S02 starts late, at 10.
    const report = reportAt(
      100,
      2,
      ...SET_UP,
      added('S01'),
      added('S02', { modifies: ['b'] }),
      added('S03', { modifies: ['c'], dependsOn: ['S01' as never] }),
      ...wayToMerge('S01', 1, BASE).slice(0, 2),
      [10, ...wayToMerge('S01', 1, BASE).slice(2), claim('S02', 2)],
      [10, claim('S03', 3)],
      [20, ended(2, doneWith(null)), ended(3, doneWith(null))],
    );
    expect(report.concurrency).toEqual({ slots: 2, peak: 2, used: 1.5, possible: 2 });
  });

  test('never counts more as possible than there are slots', () => {
    const report = reportAt(
      10,
      1,
      ...SET_UP,
      added('S01'),
      added('S02', { modifies: ['b'] }),
      claim('S01', 1),
      [10, ended(1, doneWith(null))],
    );
    expect(report.concurrency).toEqual({ slots: 1, peak: 1, used: 1, possible: 1 });
  });

  test('is not told before anything ran', () => {
    expect(reportAt(10, 1, ...SET_UP, added('S01')).concurrency).toBeNull();
  });
});

describe('what was refused', () => {
  test('names who refused, and what a person can type', () => {
    const head = commit(9);
    const report = reportAt(
      9,
      1,
      ...SET_UP,
      added('S01'),
      added('S02', { modifies: ['b'] }),
      claim('S01', 1),
      ended(1, REFUSED),
      {
        type: 'task.failed',
        task: key('S01'),
        reason: 'refused by the scope gate after 4 rounds',
        findings: [FINDING],
      },
      claim('S02', 2),
      ended(2, { ...doneWith(5), head } as Outcome),
      { type: 'candidate.accepted', token: token(2), head, changed: 1 },
      {
        type: 'merge.conflicted',
        token: token(2),
        onto: BASE,
        clash: clash('S02', {
          conflicts: [{ path: 'src/a|b.ts', tasks: ['S01' as never] }],
          times: 3,
          next: 'person',
        }),
      },
      { type: 'task.parked', task: key('S02'), token: token(2), reason: 'conflicted, 3 times' },
    );
    expect(report.refusals).toEqual([{ task: 'S01', n: 1, at: 0, by: 'node', findings: [FINDING] }]);
    expect(report.conflicts).toMatchObject([{ task: 'S02', n: 1, conflicts: [{ path: 'src/a|b.ts' }] }]);
    expect(report.waiting.map(({ task, what, command }) => [task, what, command])).toEqual([
      ['S01', 'failed', 'dispatch retry app/S01'],
      ['S02', 'parked', 'dispatch retry app/S02'],
    ]);
    const markdown = reportMarkdown(report);
    expect(markdown).toContain(
      '- **S01** attempt 1, by gates on the node\n  - scope `src/x.ts:3`: is not claimed',
    );
    expect(markdown).toContain(
      '- **S02** attempt 1: 409, Do S02, against S01 (Do S01); 3 of 3 times; waits for you: dispatch retry app/S02\n  - `src/a|b.ts` against S01',
    );
    expect(markdown).toContain('- `dispatch logs app/S01`: see what happened');
  });

  test('says what each branch claimed, changed, and changed outside of that', () => {
    const head = commit(7);
    const report = reportAt(
      9,
      1,
      ...SET_UP,
      added('S01', { expands: ['docs/**'] }),
      claim('S01', 1),
      ended(1, { ...doneWith(5), head } as Outcome),
      {
        type: 'candidate.accepted',
        token: token(1),
        head,
        changed: 2,
        approvals: [{ ...FINDING, approval: true }],
        paths: ['src/a.ts', 'docs/x.md'],
      },
    );
    expect(report.scopes).toEqual([
      { task: 'S01', n: 1, claimed: ['src/a.ts'], actual: ['src/a.ts', 'docs/x.md'], outside: ['docs/x.md'] },
    ]);
    expect(reportMarkdown(report)).toContain(
      '- **S01** claimed `src/a.ts`; changed `src/a.ts`, `docs/x.md`; outside: `docs/x.md`',
    );
    expect(report.waiting[0]?.reason).toContain(FINDING.message);
  });

  test('is not told twice when the gate on the merged tree was red', () => {
    const [first, second, end, accepted, prepared] = wayToMerge('S01', 1, BASE) as [
      Fact,
      Fact,
      Fact,
      Fact,
      Fact,
    ];
    const subject = {
      of: 'merge',
      workToken: token(1),
      commit: commit(0x2001),
      tree: commit(0x3001),
      ...BASIS,
    } as const;
    const report = reportAt(
      9,
      1,
      ...SET_UP,
      added('S01'),
      first,
      second,
      end,
      accepted,
      prepared,
      {
        ...(claim('S01', 7, 1) as Extract<Fact, { type: 'attempt.claimed' }>),
        work: { kind: 'gate', subject },
      },
      ended(7, REFUSED),
      { type: 'merge.refused', token: token(1), findings: [FINDING], output: 'red' },
    );
    expect(report.refusals.map(({ by, task, n }) => [by, task, n])).toEqual([['merge', 'S01', 1]]);
    expect(report.tasks[0]?.reason).toBe('refused by the gate on the merged tree');
    expect(report.tasks[0]?.attempts).toBe(1);
  });
});

describe('the delivery', () => {
  const landed: Fact = {
    type: 'delivery.landed',
    project: PROJECT,
    commit: commit(0x2001),
    tasks: ['S01' as never],
  };

  test('is offered while something merged is not on the target', () => {
    const merged = [...SET_UP, added('S01'), ...wayToMerge('S01', 1, BASE)];
    expect(reportAt(1, 1, ...merged).next).toEqual([
      { command: 'dispatch collect app', purpose: 'land what merged on main' },
    ]);
    const collected = reportAt(3, 1, ...merged, [2, landed]);
    expect(collected.delivery).toEqual({ is: 'landed', commit: commit(0x2001), when: 2000, pending: 0 });
    expect(collected.next).toEqual([]);
  });

  test('that was refused says so until one lands', () => {
    const failed: Fact = {
      type: 'delivery.failed',
      project: PROJECT,
      code: 'E_TARGET_CONFLICT',
      message: 'a <b> c',
    };
    const report = reportAt(3, 1, ...SET_UP, added('S01'), ...wayToMerge('S01', 1, BASE), [2, failed]);
    expect(report.delivery).toMatchObject({ is: 'failed', code: 'E_TARGET_CONFLICT' });
    expect(reportMarkdown(report)).toContain(
      'refused at 1970-01-01T00:00:02Z: E_TARGET_CONFLICT: a \\<b\\> c',
    );
  });

  test('is never offered without a repository', () => {
    const report = reportAt(
      1,
      1,
      SET_UP[0] as Fact,
      { type: 'project.configured', config: config({ repo: null }) },
      added('S01'),
      { ...(claim('S01', 1) as Extract<Fact, { type: 'attempt.claimed' }>), base: null },
      ended(1, { ...doneWith(3), head: null } as Outcome),
      { type: 'task.completed', task: key('S01'), token: token(1) },
    );
    expect(report.next).toEqual([]);
  });
});

describe('words', () => {
  test('of counts put merged first', () => {
    expect(countsLine({ running: 8, merged: 12, failed: 2 }, 40)).toBe('12/40 merged · 8 running · 2 failed');
    expect(countsLine({}, 0)).toBe('0/0 merged');
  });

  test('of tokens call unknown what is unknown', () => {
    expect(tokensText({ total: null, unknown: 2, costUsd: null })).toBe('unknown');
    expect(tokensText({ total: 1234567, unknown: 0, costUsd: 1.5 })).toBe('1,234,567 ($1.50)');
    expect(tokensText({ total: 10, unknown: 1, costUsd: null })).toBe('10 and 1 unknown');
  });

  test('of agents cannot become markup', () => {
    const evil = '| a | <img src=x onerror=alert(1)> [x](javascript:y) `code`\n# head';
    const markdown = reportMarkdown(
      reportAt(1, 1, ...SET_UP, added('S01'), {
        type: 'task.failed',
        task: key('S01'),
        reason: evil,
        findings: [],
      }),
    );
    expect(markdown).not.toMatch(/(?<!\\)<img/u);
    expect(markdown).not.toMatch(/^# head/mu);
    expect(markdown).not.toMatch(/(?<!\\)\[x\]/u);
    const row = markdown.split('\n').find((line) => line.startsWith('| S01'));
    expect(row?.match(/(?<!\\)\|/gu)).toHaveLength(10);
  });
});

test('a result that came too late is named with the ref that keeps it, and one that left none is not', () => {
  const report = reportAt(
    9,
    1,
    ...SET_UP,
    added('A'),
    added('B', { modifies: ['src/b.ts'] }),
    claim('A', 1),
    claim('B', 2),
    { type: 'attempt.fenced', token: token(1), reason: 'mac2 was lost (silent for 30m 00s)' },
    { type: 'attempt.fenced', token: token(2), reason: 'mac2 was lost (silent for 30m 00s)' },
    { type: 'attempt.late', token: token(1), what: 'ended: done' },
    { type: 'attempt.late', token: token(2), what: 'the node does not know it' },
    { type: 'attempt.kept', token: token(1), head: commit(7) },
  );
  const kept = { commit: commit(7), ref: `refs/cand/${token(1)}` };
  expect(report.late).toMatchObject([{ task: key('A'), n: 1, node: 'mac2', kept }]);
  expect(reportMarkdown(report)).toContain(
    `## Came too late\n\n- app/A attempt 1 on mac2: mac2 was lost (silent for 30m 00s); its branch is kept as refs/cand/${token(1)}, and is not merged`,
  );
});
