import { describe, expect, test } from 'vitest';
import { builtinExecutors } from '../../src/executors/builtin.ts';
import { callOf } from '../../src/executors/kinds.ts';
import { parseExecutors } from '../../src/spec/parse-executors.ts';
import { codes, places } from './check.ts';

const read = (text: string) => parseExecutors(text, 'executors.yaml', builtinExecutors());

test('executors.yaml adds to the built-in ones, and may be empty', () => {
  expect(read('').executors).toEqual(builtinExecutors());
  const { executors, problems } = read('executors: { fast: { extends: codex, model: o5-mini } }');
  expect(problems).toEqual([]);
  expect(executors.fast).toMatchObject({ kind: 'codex', command: ['codex'], model: 'o5-mini' });
  expect(Object.keys(executors)).toContain('opencode');
});

test('an agent of one’s own is described in full: how it is called, resumed, read, probed and bounded', () => {
  const { executors, problems } = read(`
executors:
  mine:
    command: [my-agent, work]
    prompt: file
    arguments: [--task, "{prompt_file}", --name, "{session}", "{model_arguments}"]
    resume: [--continue, "{session}", --task, "{prompt_file}"]
    model_arguments: [--llm, "{model}"]
    model: big-1
    unset: [MY_AGENT_HOST]
    login: true
    reads:
      session: { when: { kind: hello }, at: id }
      result: { when: { kind: bye }, at: words }
      error: { when: { kind: oops }, at: what.text }
      usage: { when: { kind: bye }, input: used.in, output: used.out, cost: used.usd, counts: session }
    probe: { least: 1.4.0, needs: [--task, --continue] }
    limits: { round: 20m, hang: 5s }
`);
  expect(problems).toEqual([]);
  expect(executors.mine && callOf(executors.mine)).toMatchObject({
    prompt: 'file',
    resume: ['--continue', '{session}', '--task', '{prompt_file}'],
    modelArguments: ['--llm', '{model}'],
    loginUnless: [],
    roundMs: 1_200_000,
    hangMs: 5000,
    probe: { program: null, least: '1.4.0', help: [{ args: ['--help'], flags: ['--task', '--continue'] }] },
    reads: {
      session: [{ when: { kind: 'hello' }, at: 'id' }],
      finished: [{ kind: 'bye' }],
      usage: { input: 'used.in', cached: null, costUsd: 'used.usd', counts: 'session' },
    },
  });
});

test('another agent’s stream is named instead of described, and a child keeps what it does not say', () => {
  const { executors } = read(`
executors:
  a: { command: [a], reads: codex, prompt: stdin, limits: { hang: 1s } }
  b: { extends: a, limits: { round: 1m } }
`);
  expect(executors.b && callOf(executors.b)).toMatchObject({
    reads: callOf({ kind: 'codex' }).reads,
    hangMs: 1000,
    roundMs: 60_000,
  });
});

describe('what is wrong has a place and a way out', () => {
  test.each([
    ['executors: { a: { comand: [x] } }', 'E_SPEC_UNKNOWN_KEY 1:19', 'command'],
    ['executors: { a: { kind: codexx } }', 'E_SPEC_VALUE 1:25', 'codex'],
    ['executors: { a: { command: [x], arguments: ["{sesion}"] } }', 'E_PROJECT_EXECUTOR 1:45', '{session}'],
    ['executors: { a: { command: [x], prompt: file } }', 'E_PROJECT_EXECUTOR 1:33', '{prompt_file}'],
    ['executors: { a: { command: [x], resume: ["{session}"] } }', 'E_PROJECT_EXECUTOR 1:33', '{session}'],
    ['executors: { a: { command: [x], limits: { hang: soon } } }', 'E_SPEC_VALUE 1:49', '90s'],
    ['executors: { a: { command: [x], probe: { least: 2, neds: [] } } }', 'E_SPEC_UNKNOWN_KEY 1:52', 'needs'],
    [
      'executors: { a: { command: [x], reads: { result: { at: "a..b" } } } }',
      'E_SPEC_VALUE 1:56',
      'dotted path',
    ],
    ['executor: { a: {} }', 'E_SPEC_UNKNOWN_KEY 1:1', 'executors'],
    ['executors: { a: { extends: codx } }', 'E_SPEC_UNKNOWN_EXECUTOR 1:28', 'codex'],
  ])('%s', (text, place, says) => {
    const { problems } = read(text);
    expect(places(problems)).toEqual([place]);
    expect(`${problems[0]?.message} ${problems[0]?.fix}`).toContain(says);
  });

  test('and leaves the built-in ones usable', () => {
    const { executors, problems } = read('executors: [');
    expect(codes(problems)).toContain('E_SPEC_SYNTAX');
    expect(executors).toEqual(builtinExecutors());
  });
});

test('words that tell what a silent agent waits for come before those of its kind, and their causes are checked', () => {
  const { executors, problems } = read(`
executors:
  mine:
    extends: claude
    stalls:
      - { text: Pick a tenant, cause: login }
`);
  expect(problems).toEqual([]);
  const own = executors.mine === undefined ? [] : callOf(executors.mine).stalls;
  expect(own[0]).toEqual({ text: 'Pick a tenant', cause: 'login' });
  expect(own.slice(1)).toEqual(callOf({ kind: 'claude' }).stalls);
  const wrong = read('executors: { mine: { extends: claude, stalls: [{ text: hm, cause: mood }] } }');
  expect(codes(wrong.problems)).toEqual(['E_SPEC_VALUE']);
});

test('what an agent needs of the home of the node’s user, where its model is, and its least cage are data', () => {
  const { executors, problems } = read(`
executors:
  mine: { command: [mine], home: [~/.mine/login.json, .config/mine], hosts: [api.mine.dev], cage: strict }
  child: { extends: mine, hosts: ["other.dev:8443"] }
`);
  expect(problems).toEqual([]);
  const { mine, child } = executors;
  expect(mine?.cage).toBe('strict');
  expect(mine && callOf(mine)).toMatchObject({
    homeFiles: ['.mine/login.json', '.config/mine'],
    hosts: ['api.mine.dev'],
  });
  expect(child).toMatchObject({ cage: 'strict', call: { homeFiles: ['.mine/login.json', '.config/mine'] } });
  for (const wrong of [
    'home: [/etc/passwd]',
    'home: [~/../x]',
    'home: [~/]',
    'hosts: ["a b"]',
    'cage: loose',
  ])
    expect(codes(read(`executors: { mine: { command: [mine], ${wrong} } }`).problems), wrong).not.toEqual([]);
});
