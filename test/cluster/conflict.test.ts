/** Work that does not fit what merged before it: with the target, with another task, in text and in meaning. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitIn, type Home, makeHome, PROJECT } from './home.ts';
import type { Running } from './running.ts';

/** For what takes several attempts one after the other, on a machine that is busy with other things. Milliseconds. */
const PATIENT_MS = 180_000;

interface ConflictNews {
  readonly detail: string;
  readonly conflict: { readonly next: string } | null;
}

/** The first news of a task with this word, and, when given, with a conflict after which this happens. */
function newsOf(started: Running, task: string, word: string, next?: string): ConflictNews | null {
  const news = started.lines
    .filter(({ type }) => type === 'News')
    .map(({ data }) => data as unknown as ConflictNews & { about: string; word: string });
  const found = news.find(
    (one) =>
      one.about === `${PROJECT}/${task}` &&
      one.word === word &&
      (next === undefined || one.conflict?.next === next),
  );
  return found ?? null;
}

describe('a target that has moved', () => {
  test('without a conflict: collect merges the two, gates the result, and lands it', async () => {
    const home = makeHome({ tasks: { A: {} } });
    expect((await home.start().ended).code).toBe(0);
    home.commit({ 'src/other.txt': 'other\n' }, 'by somebody else');
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect([home.file('src/A.txt'), home.file('src/other.txt')]).toEqual(['A\n', 'other\n']);
    expect(home.git('log', '--format=%s', 'main')).toContain('by somebody else');
  });

  test('so that verify is red on the merge: nothing lands, and the person is told', async () => {
    const home = makeHome({ tasks: { A: {} } });
    expect((await home.start().ended).code).toBe(0);
    home.commit({ 'tests/none.sh': 'test ! -e src/A.txt\n' }, 'there may be no A');
    const { code, stderr } = await home.dispatch(['collect', PROJECT]);
    expect(code).toBe(3);
    expect(stderr).toContain('error[E_TIP_RED]');
    expect(stderr).toContain('FAIL tests/none.sh');
    expect(stderr).toContain(`then: dispatch collect ${PROJECT}`);
    expect(home.subjects()).toEqual(['there may be no A', 'first']);
  });

  test('with a conflict: collect names the files, lands nothing, and takes what the person makes of it', async () => {
    const home = makeHome({ tasks: { A: { agent: 'put src/A.txt "from the task"' } } });
    expect((await home.start().ended).code).toBe(0);
    home.commit({ 'src/A.txt': 'from a person\n' }, 'by a person');
    const { code, stderr } = await home.dispatch(['collect', PROJECT]);
    expect(code).toBe(6);
    expect(stderr).toContain('error[E_TARGET_CONFLICT] main has changed and conflicts with the merged work');
    expect(stderr).toContain('in src/A.txt');
    expect(stderr).toContain(`git merge refs/dispatch/${PROJECT}`);
    expect(home.subjects()).toEqual(['by a person', 'first']);

    const work = mkdtempSync(join(home.base, 'work-'));
    gitIn(work, 'clone', '-q', home.repo, '.');
    gitIn(work, 'fetch', '-q', 'origin', `refs/dispatch/${PROJECT}`);
    gitIn(work, 'merge', '-q', '-s', 'ours', '-m', 'both, solved', 'FETCH_HEAD');
    gitIn(work, 'push', '-q', 'origin', 'main');
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.subjects()[0]).toBe('both, solved');
    expect(home.file('src/A.txt')).toBe('from a person\n');
  });
});

describe('two tasks that write the same line of a file that all may touch', () => {
  /** What each attempt of B is given, and the line it adds. */
  const B = [
    'cp "$DISPATCH_PROMPT" "$MARKS/prompt-$DISPATCH_ATTEMPT"',
    'printf %s "$DISPATCH_GATE_OUTPUT" >"$MARKS/output-$DISPATCH_ATTEMPT"',
    'git show refs/dispatch/previous:CHANGELOG.md >"$MARKS/previous-$DISPATCH_ATTEMPT" 2>/dev/null',
    'cp CHANGELOG.md "$MARKS/base-$DISPATCH_ATTEMPT"',
    'mark "B-$DISPATCH_ATTEMPT"',
    'await "A$DISPATCH_ATTEMPT-merged"',
    'put src/B.txt b',
    'echo "- B, try $DISPATCH_ATTEMPT" >>CHANGELOG.md',
  ].join('\n');
  const other = (n: number): string => `await B-${n}; echo "- A${n}" >>CHANGELOG.md; put src/A${n}.txt a`;

  /** Lets B go on when the other one has merged. */
  async function rival(home: Home, started: Running, n: number): Promise<void> {
    await started.news(`${PROJECT}/A${n}`, 'merged', PATIENT_MS);
    home.mark(`A${n}-merged`);
  }

  test('the second goes back to an agent with all it needs, on the new base, and then merges', async () => {
    const home = makeHome({
      files: { 'CHANGELOG.md': '# Changes\n' },
      project: { gates: { extras: ['CHANGELOG.md'] } },
      tasks: { A1: { agent: other(1) }, B: { agent: B } },
    });
    home.mark('A2-merged');
    const started = home.start();
    await rival(home, started, 1);
    const { code } = await started.ended;
    expect(code).toBe(0);
    expect(started.hasNews(`${PROJECT}/B`, 'conflict')).toBe(true);
    expect(home.attempts()).toEqual(['A1 1', 'B 1', 'B 2']);

    expect(home.read('output-1')).toBe('');
    expect(newsOf(started, 'B', 'conflict')?.conflict).toEqual({
      code: 409,
      conflicts: [{ path: 'CHANGELOG.md', tasks: ['A1'] }],
      ours: { task: 'B', title: 'The goal of B.' },
      theirs: [{ task: 'A1', title: 'The goal of A1.' }],
      attempt: 1,
      times: 1,
      most: 3,
      next: 'agent',
    });
    for (const told of [home.read('prompt-2'), home.read('output-2')]) {
      expect(told).toContain('409 conflict: your work of attempt 1');
      expect(told).toContain('yours, B: The goal of B.');
      expect(told).toContain('"CHANGELOG.md": changed by A1');
      expect(told).toContain('merged, A1: The goal of A1.');
      expect(told).toContain('refs/dispatch/previous');
    }
    expect(home.read('base-2')).toBe('# Changes\n- A1\n');
    expect(home.read('previous-2')).toBe('# Changes\n- B, try 1\n');
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.file('CHANGELOG.md')).toBe('# Changes\n- A1\n- B, try 2\n');
  });

  test(
    'at the third conflict a person is asked, and a retry begins anew',
    async () => {
      const home = makeHome({
        files: { 'CHANGELOG.md': '# Changes\n' },
        project: { gates: { extras: ['CHANGELOG.md'] } },
        tasks: {
          A1: { agent: other(1) },
          A2: { agent: other(2), depends_on: ['A1'] },
          A3: { agent: other(3), depends_on: ['A2'] },
          B: { agent: B },
        },
      });
      const started = home.start({ limitMs: PATIENT_MS });
      for (const n of [1, 2, 3]) await rival(home, started, n);
      const { code } = await started.ended;
      expect(code).toBe(3);
      expect(home.attempts()).toEqual(['A1 1', 'A2 1', 'A3 1', 'B 1', 'B 2', 'B 3']);
      const { B: row } = await home.status();
      expect(row?.status).toBe('conflict');
      const why = await home.dispatch(['why', 'B']);
      expect(why.stdout).toContain('409: conflicts with what merged before it (CHANGELOG.md), 3 times');
      expect(why.stdout).toContain(
        'B (The goal of B.) against A3 (The goal of A3.); attempt 3, sent back 3 of 3',
      );
      expect(why.stdout).toContain(`dispatch retry ${PROJECT}/B`);
      expect(row?.reason).toContain('409');
      expect(row?.conflict).toMatchObject({ code: 409, theirs: [{ task: 'A3' }], next: 'person' });
      const report = await home.dispatch(['report', PROJECT]);
      expect(report.stdout).toContain(
        'attempt 3: 409, The goal of B., against A3 (The goal of A3.); 3 of 3 times',
      );

      home.mark('A4-merged');
      expect((await home.dispatch(['retry', 'B'])).code).toBe(0);
      expect((await home.start().ended).code).toBe(0);
      expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
      expect(home.file('CHANGELOG.md')).toBe('# Changes\n- A1\n- A2\n- A3\n- B, try 4\n');
    },
    PATIENT_MS,
  );
});

test(
  'two ready branches that conflict: both show it while the first is gated, then the second goes back',
  async () => {
    const home = makeHome({
      files: { 'CHANGELOG.md': '# Changes\n' },
      tasks: {
        A: { agent: 'echo "- A" >>CHANGELOG.md; put src/A.txt a' },
        B: {
          agent: 'test "$DISPATCH_ATTEMPT" = 2 || await A-gated; echo "- B" >>CHANGELOG.md; put src/B.txt b',
        },
      },
    });
    // A gate on a merged tree knows no round, and waits; without a sandbox, where it could not see the mark.
    home.writeProject({
      gates: { extras: ['CHANGELOG.md'] },
      verify: `test -n "$DISPATCH_ROUND" || while ! test -e ${home.marks}/go; do sleep 0.05; done; sh test.sh`,
      trusted: true,
    });
    const started = home.start({ limitMs: PATIENT_MS });
    await started.news(`${PROJECT}/A`, 'gating', PATIENT_MS);
    home.mark('A-gated');
    await started.until(
      'a conflict that is foreseen',
      () => newsOf(started, 'B', 'gating', 'waits') !== null,
      PATIENT_MS,
    );
    expect(newsOf(started, 'B', 'gating', 'waits')?.detail).toContain(
      '409 conflict on CHANGELOG.md: B (The goal of B.)',
    );

    const { A, B } = await home.status();
    expect([A?.status, B?.status]).toEqual(['gating', 'gating']);
    expect(B?.reason).toContain('Conflict409(CHANGELOG.md <- A)');
    expect(A?.reason).toContain('Ahead409(B)');
    const shown = await home.dispatch(['queue', 'show', '-o', 'json']);
    expect(JSON.parse(shown.stdout).data).toMatchObject([
      { task: 'A', conflict: null, ahead: [{ code: 409, ours: { task: 'B' } }] },
      { task: 'B', conflict: { code: 409, theirs: [{ task: 'A' }], next: 'waits' } },
    ]);
    const why = await home.dispatch(['why', 'B']);
    expect(why.stdout).toContain('it waits until A has landed, then goes back to an agent');

    home.mark('go');
    expect((await started.ended).code).toBe(0);
    expect(newsOf(started, 'B', 'conflict')?.conflict).toMatchObject({ code: 409, times: 1, next: 'agent' });
    expect(home.attempts()).toEqual(['A 1', 'B 1', 'B 2']);
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.file('CHANGELOG.md')).toBe('# Changes\n- A\n- B\n');
  },
  PATIENT_MS,
);

describe('the gate on the merged tree', () => {
  test('is red though each branch was green alone: the second goes back with its output, and fits itself in', async () => {
    const home = makeHome({
      files: {
        'src/api.txt': 'v1\n',
        'tests/fit.sh': 'test ! -e src/use.txt || cmp src/use.txt src/api.txt\n',
      },
      tasks: {
        A: { modifies: ['src/api.txt'], agent: 'await B-1; put src/api.txt v2' },
        B: {
          modifies: ['src/use.txt'],
          agent: [
            'cp "$DISPATCH_PROMPT" "$MARKS/prompt-$DISPATCH_ATTEMPT"',
            'cp src/api.txt src/use.txt',
            'mark "B-$DISPATCH_ATTEMPT"',
            'await A-merged',
          ].join('\n'),
        },
      },
    });
    const started = home.start();
    await started.news(`${PROJECT}/A`, 'merged');
    home.mark('A-merged');
    expect((await started.ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1', 'B 1', 'B 2']);
    const prompt = home.read('prompt-2');
    expect(prompt).toContain('passed alone, but not together with what merged');
    expect(prompt).toContain('FAIL tests/fit.sh');
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.file('src/use.txt')).toBe('v2\n');
    // No first parent of the target was ever red.
    expect(home.subjects()).toHaveLength(3);
  });

  test('is broken: nobody is blamed, it is tried again, then the line stands still until a person releases it', async () => {
    const home = makeHome({ tasks: { A: {} } });
    // Only a verify that an agent's round has started knows the round.
    const broken = `test -e ${home.marks}/mended || test -n "$DISPATCH_ROUND" || exit 127; sh test.sh`;
    // Without a sandbox, where it could not see that it was mended.
    home.writeProject({ verify: broken, trusted: true });
    const { code, stdout } = await home.dispatch(['start', PROJECT]);
    expect(code).toBe(3);
    expect(stdout).toContain("the gate broke 3 times (nobody's fault)");
    expect(stdout).toContain(`dispatch queue release ${PROJECT}`);
    expect(home.attempts()).toEqual(['A 1']);
    expect((await home.words()).A).toBe('gating');
    home.mark('mended');
    expect((await home.dispatch(['queue', 'release', PROJECT])).code).toBe(0);
    expect((await home.start().ended).code).toBe(0);
  });
});
