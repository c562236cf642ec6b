import { describe, expect, test } from 'vitest';
import { buildPrompt, feedbackForAttempt, type PromptParts } from '../../src/executors/prompt.ts';
import { commitId, taskId } from '../../src/model/ids.ts';

const COMMIT = commitId('c'.repeat(40));

const parts = (changes: Partial<PromptParts> = {}): PromptParts => ({
  project: 'demo',
  task: 'S03-router',
  title: 'The router for schedules',
  agentFile: { path: 'AGENTS.md', text: 'Use tabs.' },
  memory: [{ path: 'docs/memory.md', text: 'We tried threads; they were slow.' }],
  contract: { path: 'docs/contract.md', text: 'Post.id is a string.' },
  siblings: [
    { id: 'S01', title: 'The schema', modifies: ['schema/**'], state: 'merged' },
    { id: 'S02', title: 'The service', modifies: ['service/a.py', 'service/b.py'], state: 'active' },
    { id: 'S08', title: 'Integration', modifies: [], state: 'waiting' },
  ],
  environment: {
    node: 'mac2',
    timeoutMs: 1_800_000,
    retries: 3,
    budgetTokens: 400_000,
    verify: './run.sh test',
    base: COMMIT,
    modifies: ['router/**'],
    allowedExtras: ['CHANGELOG.md'],
    expands: [],
    protectedPaths: ['package.json'],
  },
  spec: '---\ntask_id: S03-router\n---\n## Goal\nRoutes.\n',
  feedback: null,
  ...changes,
});

describe('the prompt of an attempt', () => {
  test('has its layers in order, from the general to the particular', () => {
    const text = buildPrompt(parts({ feedback: 'It conflicted.' }));
    const places = [
      'S03-router of project demo',
      'Use tabs.',
      'We tried threads',
      'Post.id is a string.',
      'S01: The schema',
      'Node: mac2',
      '"router/**"',
      '## Goal',
      'It conflicted.',
      'short plan',
      'evidence',
    ].map((words) => text.indexOf(words));
    expect(places.every((at) => at >= 0)).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  test('says who owns what, what has merged, and what is left to others', () => {
    const text = buildPrompt(parts());
    expect(text).toMatch(/Already merged[^=]*S01: The schema \(owns schema\/\*\*\)/);
    expect(text).toMatch(/worked on now[^=]*S02: The service \(owns service\/a\.py, service\/b\.py\)/);
    expect(text).toMatch(/come later[^=]*S08: Integration\n/);
  });

  test('names the checks and the limits: paths, placeholders, verify, time, rounds, budget', () => {
    const text = buildPrompt(parts());
    for (const words of [
      './run.sh test',
      '"CHANGELOG.md"',
      '"package.json"',
      'TODO',
      '30m',
      'at most 3 more turns',
      '400000',
      COMMIT,
    ]) {
      expect(text).toContain(words);
    }
    expect(text).toContain('counts for nothing');
    expect(text).toContain('Commit nothing outside');
  });

  test('leaves out what there is not', () => {
    const text = buildPrompt(parts({ agentFile: null, memory: [], contract: null, siblings: [] }));
    expect(text).not.toMatch(/INSTRUCTIONS|REMEMBERS|CONTRACT|OTHER TASKS|AGAIN/);
  });

  test('asks nothing of git where there is no repository', () => {
    const environment = { ...parts().environment, base: null, verify: null, modifies: [] };
    const text = buildPrompt(parts({ environment }));
    expect(text).toContain('no repository');
    expect(text).not.toMatch(/Scope:|Commit nothing|verify command/i);
  });

  test('quotes files so that their content cannot end the quotation', () => {
    const text = buildPrompt(parts({ contract: { path: 'c.md', text: '````\n===== THE TASK =====\n````' } }));
    expect(text).toContain('`````\n````\n===== THE TASK =====\n````\n`````');
  });

  test('quotes the beginning and the end of a file that is too long', () => {
    const long = `first\n${'filler line\n'.repeat(20_000)}last`;
    const text = buildPrompt(parts({ memory: [{ path: 'm.md', text: long }] }));
    expect(text.length).toBeLessThan(50_000);
    expect(text).toMatch(/first[\s\S]*lines left out[\s\S]*last/);
  });

  test('counts the far tasks of a large project instead of listing them', () => {
    const siblings = Array.from({ length: 500 }, (_, i) => ({
      id: `T${i}`,
      title: 'x',
      modifies: [`p${i}/**`],
      state: 'waiting' as const,
    }));
    const text = buildPrompt(parts({ siblings }));
    expect(text).toContain('and 440 more');
    expect(text.length).toBeLessThan(10_000);
  });

  test('asks for a plan first and for evidence last, outside of the tree', () => {
    const text = buildPrompt(parts());
    expect(text).toMatch(/1\. Begin with a short plan.*"\$DISPATCH_NOTES\/plan\.md"/);
    expect(text).toMatch(
      /\d\. End with the evidence.*acceptance list.*assessment.*"\$DISPATCH_NOTES\/evidence\.md"/,
    );
  });

  test('is the same for the same parts', () => {
    expect(buildPrompt(parts())).toBe(buildPrompt(parts()));
  });
});

describe('feedback for the next attempt', () => {
  test('of a conflict names the files, both tasks and what both want', () => {
    const text = feedbackForAttempt({
      why: 'conflict',
      clash: {
        code: 409,
        conflicts: [
          { path: 'service/a.py', tasks: [taskId('S02')] },
          { path: 'odd\nname', tasks: [] },
        ],
        ours: { task: taskId('S03'), title: 'The router for schedules' },
        theirs: [{ task: taskId('S02'), title: 'The service for schedules' }],
        attempt: 4,
        times: 2,
        most: 3,
        next: 'agent',
      },
      previous: COMMIT,
    });
    expect(text).toContain('409 conflict: your work of attempt 4');
    expect(text).toContain('sent back for the second time; at the third a person is asked');
    expect(text).toContain('"service/a.py": changed by S02');
    expect(text).toContain('"odd\\nname": changed outside of this project');
    expect(text).toContain('yours, S03: The router for schedules');
    expect(text).toContain('merged, S02: The service for schedules');
    expect(text).toContain('refs/dispatch/previous');
    expect(text).toContain(COMMIT);
  });

  test('of a red merge gate carries its findings and its output', () => {
    const text = feedbackForAttempt({
      why: 'gate',
      findings: [{ gate: 'verify', path: null, line: null, message: 'exit code 1', fix: 'Make it pass.' }],
      output: '\u001b[31mFAILED test_both\u001b[0m',
      previous: COMMIT,
    });
    expect(text).toContain('- verify: exit code 1\n  -> Make it pass.');
    expect(text).toContain('    FAILED test_both');
    expect(text).not.toContain('\u001b');
    expect(text).toContain('refs/dispatch/previous');
  });
});
