import { describe, expect, test } from 'vitest';
import { VERIFY_OUTPUT_BYTES, verifyVerdict } from '../../src/gates/verify.ts';

const exit = (code: number | null, signal: string | null = null, timedOut = false) => ({
  code,
  signal,
  timedOut,
});

describe('the verdict of a verify command', () => {
  test('is green for exit code 0 alone', () => {
    expect(verifyVerdict(exit(0), 'ok\n')).toEqual({ verdict: 'green', findings: [], output: 'ok\n' });
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
});
