import fc from '../property.ts';
import { describe, expect, test } from 'vitest';
import { shorten, stripControls } from '../../src/gates/shorten.ts';

const bytes = (text: string): number => Buffer.byteLength(text);

describe('shortened output', () => {
  test('is the output itself when it fits', () => {
    expect(shorten('a\nb\n', 100)).toBe('a\nb\n');
  });

  test('keeps the first and the last lines and says how much is gone', () => {
    const text = Array.from({ length: 1000 }, (_, i) => `line ${i}`).join('\n');
    const short = shorten(text, 600);
    expect(short.startsWith('line 0\nline 1\n')).toBe(true);
    expect(short.endsWith('line 998\nline 999')).toBe(true);
    expect(short).toMatch(/\[\.\.\. \d+ lines left out \.\.\.\]/);
    expect(bytes(short)).toBeLessThanOrEqual(600);
  });

  test.each([
    ['FAILED tests/test_post.py::test_schema - AssertionError', 'pytest'],
    ['tests/test_a.py::test_b FAILED          [ 50%]', 'pytest -v'],
    [' FAIL  test/gates/scope.test.ts > the scope gate > refuses', 'vitest'],
    ['  ✗ refuses a change outside', 'tap-like'],
    ['not ok 3 - adds numbers', 'tap'],
    ['--- FAIL: TestAdd (0.00s)', 'go'],
    ['test gates::scope ... FAILED', 'cargo'],
    ['  ● suite › adds', 'jest'],
    ['src/a.ts(3,7): error TS2322: Type', 'tsc'],
    ['main.c:12:3: error: expected', 'gcc'],
    ['E   AssertionError: assert 1 == 2', 'pytest detail'],
  ])('keeps the line %j from the middle (%s)', (line) => {
    const noise = 'some progress that nobody needs to see\n'.repeat(500);
    expect(shorten(`${noise}${line}\n${noise}`, 2000)).toContain(line);
  });

  test('cuts one endless line instead of letting it push out the rest', () => {
    const short = shorten(`first\n${'x'.repeat(1_000_000)}\nlast`, 5000);
    expect(short).toMatch(/^first\nx+ \[\.\.\.\]\nlast$/);
    expect(bytes(short)).toBeLessThanOrEqual(5000);
  });

  test('never exceeds the limit and never breaks a character', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 80 }), { maxLength: 60 }),
        fc.integer({ min: 0, max: 1500 }),
        (lines, limit) => {
          const short = shorten(lines.join('\n'), limit);
          expect(bytes(short)).toBeLessThanOrEqual(limit);
          expect(short.includes('\ufffd')).toBe(
            lines.join('\n').includes('\ufffd') && short.includes('\ufffd'),
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('stripped text', () => {
  test.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007text', 'text'],
    ['\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['\u001bPq...\u001b\\after', 'after'],
    ['\u009b2Jclear', 'clear'],
    ['a\u0008b\u0000c', 'abc'],
    ['10%\r50%\r100%', '100%'],
    ['done\r\nnext\r\n', 'done\nnext\n'],
    ['tab\tand 漢字 é 🙂', 'tab\tand 漢字 é 🙂'],
    ['safe\u202egnp.exe', 'safegnp.exe'],
    ['\u001b(Bplain', 'plain'],
    ['unfinished \u001b[', 'unfinished '],
  ])('of %j is %j', (text, expected) => {
    expect(stripControls(text)).toBe(expected);
  });

  test('holds no control character, whatever it was made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // oxlint-disable-next-line no-control-regex
        expect(stripControls(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      }),
    );
  });
});
