import { describe, expect, test } from 'vitest';
import { VERIFY_OUTPUT_BYTES, verifyVerdict } from '../../src/gates/verify.ts';

const exit = (code: number | null, signal: string | null = null, timedOut = false) => ({
  code,
  signal,
  timedOut,
});

describe('the verdict of a verify command', () => {
  test('is green for exit code 0 alone', () => {
    expect(verifyVerdict(exit(0), 'ok\n')).toEqual({
      verdict: 'green',
      findings: [],
      output: 'ok\n',
      tests: null,
    });
  });

  test.each([1, 2, 5, 100, 125, 255])('is red for exit code %i, with a finding that names it', (code) => {
    const { verdict, findings } = verifyVerdict(exit(code), '1 failed');
    expect(verdict).toBe('red');
    expect(findings).toHaveLength(1);
    expect(findings[0]?.message).toContain(String(code));
  });

  test.each([
    ['a missing program', exit(127)],
    ['a program that cannot be executed', exit(126)],
    ['a signal', exit(null, 'SIGKILL')],
    ["a child's signal, as a shell reports it", exit(137)],
    ['a deadline', exit(null, 'SIGTERM', true)],
    ['a deadline met by a command that then ended well', exit(0, null, true)],
    ['no exit code at all', exit(null)],
  ])('is broken for %s: nobody is to blame', (_, how) => {
    const { verdict, findings } = verifyVerdict(how, '');
    expect(verdict).toBe('broken');
    expect(findings[0]?.fix).toBeTruthy();
  });

  test('names the signal, the code or the deadline that broke it', () => {
    expect(verifyVerdict(exit(null, 'SIGKILL'), '').findings[0]?.message).toContain('SIGKILL');
    expect(verifyVerdict(exit(137), '').findings[0]?.message).toContain('signal 9');
    expect(verifyVerdict(exit(127), '').findings[0]?.message).toContain('not found');
    expect(verifyVerdict(exit(126), '').findings[0]?.message).toContain('executed');
    expect(verifyVerdict(exit(null, 'SIGTERM', true), '').findings[0]?.message).toContain('time limit');
  });

  test('keeps a bounded part of a long output', () => {
    const { output } = verifyVerdict(exit(1), `${'line of noise\n'.repeat(10_000)}the end`);
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(VERIFY_OUTPUT_BYTES);
    expect(output).toContain('the end');
  });

  test('a success without a test is a fault of the work, and of nobody at the merge', () => {
    const none = 'No test files found, exiting with code 0\n';
    expect(verifyVerdict(exit(0), none)).toMatchObject({ verdict: 'red', findings: [{ gate: 'tests' }] });
    expect(verifyVerdict(exit(0), none, { min: 0, none: 'broken' }).verdict).toBe('broken');
    const pytest = 'no tests ran in 0.01s\n';
    expect(verifyVerdict(exit(5), pytest, { min: 0, none: 'broken' }).verdict).toBe('broken');
    expect(verifyVerdict(exit(2), 'Tests:       0 total\n', { min: 0, none: 'broken' }).verdict).toBe('red');
  });

  test('fewer tests than the project wants is red, with both figures; no report at all cannot meet it', () => {
    const rule = { min: 12, none: 'broken' } as const;
    const verdict = verifyVerdict(exit(0), '11 passed in 0.3s\n', rule);
    expect(verdict).toMatchObject({ verdict: 'red', tests: { ran: 11, skipped: 0 } });
    expect(verdict.findings[0]?.message).toContain('ran 11 tests, where at least 12');
    expect(verifyVerdict(exit(0), '12 passed in 0.3s\n', rule).verdict).toBe('green');
    expect(verifyVerdict(exit(0), 'all good\n', rule).verdict).toBe('broken');
  });
});
