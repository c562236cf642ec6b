/** Which areas a change touches. */
import { expect, test } from 'vitest';
import { bordersOf, touchedBy } from '../../src/merge/areas.ts';
import { areasId } from '../../src/model/area.ts';

const AREAS = [
  { name: 'web', paths: ['web/', 'shared/*.css'], verify: 'make web' },
  { name: 'api', paths: ['api/'], verify: 'make api' },
];

test("a change lies in the one area, in several, or is everybody's when it is of a file in none", () => {
  expect(touchedBy(['web/a.ts', 'shared/x.css'], AREAS)).toEqual({ touched: ['web'], within: true });
  expect(touchedBy(['web/a.ts', 'api/b.ts'], AREAS)).toEqual({ touched: ['web', 'api'], within: false });
  expect(touchedBy(['web/a.ts', 'package.json'], AREAS)).toEqual({ touched: ['web', 'api'], within: false });
  expect(touchedBy([], AREAS)).toEqual({ touched: ['web', 'api'], within: false });
  expect(touchedBy(['package.json'], AREAS.slice(0, 1))).toEqual({ touched: ['web'], within: false });
});

test('an area sees its own files and those in none', () => {
  const { sees } = bordersOf(AREAS);
  const paths = ['web/a.ts', 'shared/x.css', 'shared/x.ts', 'api/b.ts', 'README.md'];
  expect(paths.filter((path) => sees('web', path))).toEqual([
    'web/a.ts',
    'shared/x.css',
    'shared/x.ts',
    'README.md',
  ]);
  expect(paths.filter((path) => sees('api', path))).toEqual(['shared/x.ts', 'api/b.ts', 'README.md']);
});

test('other borders have another name, another command has not', () => {
  const [web, api] = AREAS;
  if (web === undefined || api === undefined) throw new Error('no areas');
  expect(areasId([{ ...web, verify: 'make all' }, api])).toBe(areasId(AREAS));
  expect(areasId([{ ...web, paths: ['web/'] }, api])).not.toBe(areasId(AREAS));
  expect(areasId([])).toBeUndefined();
});
