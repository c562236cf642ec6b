import picocolors from 'picocolors';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { cut, renderTable } from '../../src/cli/render/table.ts';
import { wrap } from '../../src/cli/render/wrap.ts';

const PLAIN = picocolors.createColors(false);
const COLUMNS = [
  { title: 'name', value: (row: readonly string[]) => row[0] ?? '' },
  { title: 'what', value: (row: readonly string[]) => row[1] ?? '' },
];

describe('a table', () => {
  test('stands straight with wide characters', () => {
    const lines = renderTable(
      [
        ['目标', 'x'],
        ['🚀', 'y'],
        ['ab', 'z'],
      ],
      COLUMNS,
      { tty: true, columns: 80 },
      PLAIN,
    )
      .trimEnd()
      .split('\n');
    const columns = lines.map((line) =>
      stringWidth(line.slice(0, line.length - (line.endsWith('WHAT') ? 4 : 1))),
    );
    expect(new Set(columns)).toEqual(new Set([6]));
  });

  test('cuts the last column to the terminal, and nothing in a pipe', () => {
    const rows = [['a', 'x'.repeat(100)]];
    const shown = renderTable(rows, COLUMNS, { tty: true, columns: 40 }, PLAIN);
    expect(Math.max(...shown.split('\n').map((line) => stringWidth(line)))).toBe(40);
    expect(shown).toContain('…');
    expect(renderTable(rows, COLUMNS, { tty: false, columns: 40 }, PLAIN)).toBe(
      `NAME\tWHAT\na\t${'x'.repeat(100)}\n`,
    );
  });

  test('keeps each row on one line, whatever a cell holds', () => {
    const rows = [['a\nb\tc', '\u001b[31mred\u001b[0m']];
    expect(renderTable(rows, COLUMNS, { tty: false, columns: 80 }, PLAIN)).toBe('NAME\tWHAT\na b c\tred\n');
  });
});

describe('text', () => {
  test.each([
    ['short', 10, 'short'],
    ['exactly ten', 11, 'exactly ten'],
    ['too long', 5, 'too …'],
    ['目标目标', 5, '目标…'],
  ])('%j in %i columns is %j', (text, width, shown) => {
    expect(cut(text, width)).toBe(shown);
  });

  test('is wrapped at words, and indented lines stay as they are', () => {
    const long = `  ${'x'.repeat(50)}`;
    expect(wrap(`one two three four five six\n\n${long}`, 20)).toBe(
      `one two three four\nfive six\n\n${long}`,
    );
  });
});
