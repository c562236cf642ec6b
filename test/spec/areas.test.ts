/** The areas of project.yaml. */
import { expect, test } from 'vitest';
import { codes, configure } from './check.ts';

const HEAD = 'repo: ../app\nverify: make test\nareas:\n';

test('areas come in the order of the file, and are missing where there are none', () => {
  const web = '  web: { paths: [web/, "docs/web/**"], verify: make web }\n';
  const api = '  api: { paths: [api/], verify: make api }\n';
  const { config, problems } = configure(HEAD + web + api);
  expect(problems).toEqual([]);
  expect(config?.areas).toEqual([
    { name: 'web', paths: ['web/', 'docs/web/**'], verify: 'make web' },
    { name: 'api', paths: ['api/'], verify: 'make api' },
  ]);
  expect(configure('repo: ../app\nverify: make test\nareas: {}\n').config).not.toHaveProperty('areas');
});

test('a path in two areas is an error where the second pattern stands, with the path and the way out', () => {
  const { config, problems } = configure(
    `${HEAD}  web: { paths: [web/], verify: make web }\n  lib:\n    paths:\n      - lib/\n      - "**/*.css"\n    verify: make lib\n`,
  );
  expect(config).toBeNull();
  expect(problems).toMatchObject([
    {
      code: 'E_SPEC_AREAS_OVERLAP',
      line: 8,
      col: 9,
      message: expect.stringMatching(/"web\/.*\.css" would lie in two areas, lib and web/) as string,
      got: '**/*.css',
    },
  ]);
});

test('two patterns of one area may meet, and two areas whose paths differ only by case may not', () => {
  expect(configure(`${HEAD}  web: { paths: [web/, web/a.ts], verify: x }\n`).problems).toEqual([]);
  const twins = configure(`${HEAD}  a: { paths: [Web/], verify: x }\n  b: { paths: [web/], verify: y }\n`);
  expect(codes(twins.problems)).toEqual(['E_SPEC_AREAS_OVERLAP']);
});

test('an area without a command, or without paths, is none', () => {
  for (const area of ['{ paths: [web/] }', '{ verify: make web }', '{ paths: [], verify: make web }']) {
    expect(configure(`${HEAD}  web: ${area}\n`).config).toBeNull();
  }
});
