import { expect, test } from 'vitest';
import { chooseLanguage } from '../../src/cli/language.ts';
import { type Environment, readEnvironment } from '../../src/cli/environment.ts';
import type { Language } from '../../src/model/language.ts';

type Said = Parameters<typeof chooseLanguage>[1];

test.each<[Environment['variables'], Said, Language]>([
  [{}, { file: null }, 'en'],
  [{ LANG: 'zh_CN.UTF-8' }, { file: null }, 'zh'],
  [{ LANG: 'zh_CN.UTF-8', LC_ALL: 'en_US.UTF-8' }, { file: null }, 'en'],
  [{ LANG: 'C.UTF-8' }, { file: null }, 'en'],
  [{ LANG: 'zh_CN.UTF-8' }, { file: 'en' }, 'en'],
  [{ DISPATCH_LANG: 'zh' }, { file: 'en' }, 'zh'],
  [{ DISPATCH_LANG: 'zh-Hans' }, { file: null }, 'zh'],
  [{ DISPATCH_LANG: 'fr' }, { flag: 'zh', file: null }, 'zh'],
])('with %j and %j reports are in %s', (variables, said, language) => {
  expect(chooseLanguage({ ...readEnvironment(), variables }, said)).toBe(language);
});

test('a language that there is not is refused, with where it was said', () => {
  const environment = { ...readEnvironment(), variables: { DISPATCH_LANG: 'fr' } };
  expect(() => chooseLanguage(environment, { file: null })).toThrow('"fr" is not a language of reports');
});
