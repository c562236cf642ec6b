import fc from '../property.ts';
import { describe, expect, test } from 'vitest';
import { SafeText, safeLine, safeText } from '../../src/cli/render/safe-text.ts';
import { hasEscapes } from './dispatch.ts';

const ESC = '\u001b';

describe('text from a node', () => {
  test.each([
    ['a colour', `${ESC}[31mred${ESC}[0m`, 'red'],
    ['a cursor movement that rewrites the line above', `a${ESC}[1A${ESC}[2Kb`, 'ab'],
    ['a window title', `${ESC}]0;pwned\u0007after`, 'after'],
    ['a clipboard write, ended by ST', `${ESC}]52;c;cm0gLXJm${ESC}\\after`, 'after'],
    ['a hyperlink', `${ESC}]8;;https://evil.example${ESC}\\click${ESC}]8;;${ESC}\\`, 'click'],
    ['a device control string', `${ESC}P+q544e${ESC}\\x`, 'x'],
    ['an application command', `${ESC}_Gf=100;AAAA${ESC}\\x`, 'x'],
    ['a character set', `${ESC}(0lqqk${ESC}(B`, 'lqqk'],
    ['a reset', `${ESC}cx`, 'x'],
    ['an 8-bit control sequence', '\u009b31mred', 'red'],
    ['an 8-bit title', '\u009d0;pwned\u009cafter', 'after'],
    ['a bell and a backspace', 'a\u0007b\u0008c\u007f', 'abc'],
    ['a direction override', 'src/\u202egnp.exe', 'src/gnp.exe'],
    ['an isolate', '\u2066a\u2069', 'a'],
    ['a tag character', 'a\u{e0041}b', 'ab'],
    ['a progress bar', '10%\r20%\r\n', '10%\n20%\n'],
    ['a newline and a tab', 'a\n\tb', 'a\n\tb'],
    ['Chinese and emoji', '目标 ✔ 🚀', '目标 ✔ 🚀'],
    ['a title that never ends', `${ESC}]0;never\nnext line`, '\nnext line'],
    ['a sequence cut by a newline', `${ESC}[31\nx`, '\nx'],
    ['a second escape inside the first', `${ESC}${ESC}[31mx`, 'x'],
  ])('loses %s', (_, text, safe) => {
    expect(safeText(text)).toBe(safe);
  });

  test('goes on after an escape string that is not ended within reason', () => {
    const safe = safeText(`${ESC}]0;${'x'.repeat(5000)}`);
    expect(safe).toMatch(/^x+$/u);
  });

  test('is one line where one line is wanted', () => {
    expect(safeLine(' a\r\n\tb\n')).toBe('a b');
  });

  const pieces = [
    ...Array.from('\u001b[]\\;?03mAP(_^ a\n\r\t'),
    ...Array.from('\u0007\u0008\u0090\u009b\u009c\u009d\u202e'),
    '🚀',
    '目',
  ];
  const hostile = fc.array(fc.constantFrom(...pieces)).map((chars) => chars.join(''));

  test('has nothing left that a terminal obeys', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(hasEscapes(safeText(text))).toBe(false);
      }),
    );
  });

  test('is the same wherever it is cut into pieces', () => {
    fc.assert(
      fc.property(hostile, fc.array(fc.nat(50), { maxLength: 5 }), (text, cuts) => {
        const safe = new SafeText();
        const chars = Array.from(text);
        let joined = '';
        for (const length of cuts) joined += safe.push(chars.splice(0, length).join(''));
        joined += safe.push(chars.join(''));
        expect(joined).toBe(safeText(text));
      }),
    );
  });
});
