import { expect, test } from 'vitest';
import { builtinExecutors } from '../../src/executors/builtin.ts';
import { poolOf, withCredential } from '../../src/executors/pool.ts';
import { callOf } from '../../src/executors/kinds.ts';
import { parseExecutors } from '../../src/spec/parse-executors.ts';
import { places } from './check.ts';

const read = (text: string) => parseExecutors(text, 'executors.yaml', builtinExecutors());
const names = (text: string, executor: string): string[] => {
  const def = read(text).executors[executor];
  return def === undefined ? ['no executor'] : poolOf(def).map(({ name }) => name);
};

test('an agent has a key named like itself, a child shares it, and a shell command has none', () => {
  const text = `
executors:
  fast: { extends: glm, model: x }
  own: { extends: glm, secrets: { ANTHROPIC_AUTH_TOKEN: { file: k } } }
  chore: { command: [sh] }
`;
  expect(names(text, 'glm')).toEqual(['glm']);
  expect(names(text, 'fast')).toEqual(['glm']);
  expect(names(text, 'own')).toEqual(['own']);
  expect(names(text, 'chore')).toEqual([]);
});

test('a bound is set on the key or on the executor, and pools and a fallback are named', () => {
  const { executors, problems } = read(`
credentials:
  glm: { max_in_flight: 2 }
  glm-b: { max_in_flight: 3, secrets: { ANTHROPIC_AUTH_TOKEN: { file: secrets/glm-b } } }
executors:
  pooled: { extends: glm, credentials: [glm, glm-b], fallback: claude }
  few: { command: [sh], limits: { max_in_flight: 1 } }
`);
  expect(problems).toEqual([]);
  expect(executors.glm?.pool).toEqual([{ name: 'glm', maxInFlight: 2, secrets: null }]);
  expect(executors.pooled?.pool?.map(({ maxInFlight }) => maxInFlight)).toEqual([2, 3]);
  expect(executors.pooled?.fallback).toBe('claude');
  expect(executors.few?.pool).toEqual([{ name: 'few', maxInFlight: 1, secrets: null }]);
});

test('an attempt runs with the secrets of the key it was given, and no login stands in for them', () => {
  const { executors } = read(`
credentials: { b: { secrets: { ANTHROPIC_API_KEY: { file: secrets/b } } } }
executors: { claude: { credentials: [b] } }
`);
  const def = executors.claude;
  const run = def === undefined ? undefined : withCredential(def, 'b');
  expect(run?.secrets).toEqual({ ANTHROPIC_API_KEY: { file: 'secrets/b' } });
  expect(run === undefined ? [] : callOf(run).loginUnless).toBeNull();
  expect(def === undefined ? null : withCredential(def, undefined)).toBe(def);
});

test.each([
  ['executors: { glm: { credentials: [glmm] } }\ncredentials: { glm: {} }', 'E_PROJECT_EXECUTOR 1:35', 'glm'],
  ['executors: { glm: { fallback: clade } }', 'E_PROJECT_EXECUTOR 1:31', 'claude'],
  ['executors: { glm: { fallback: glm } }', 'E_PROJECT_EXECUTOR 1:31', ''],
  ['credentials: { a: { max_inflight: 2 } }', 'E_SPEC_UNKNOWN_KEY 1:21', 'max_in_flight'],
  ['credentials: { a: { max_in_flight: 0 } }', 'E_SPEC_VALUE 1:36', ''],
])('%s is refused with its place', (text, place, says) => {
  const { problems } = read(text);
  expect(places(problems)).toEqual([place]);
  expect(problems[0]?.fix ?? '').toContain(says);
});
