import { describe, expect, test } from 'vitest';
import { sectionsOf } from '../../src/spec/sections.ts';
import type { Answer, Message } from '../../src/models/ask.ts';
import type { ModelFailure } from '../../src/models/failure.ts';
import { type ProposedSpec, type SplitAnswer, specFile } from '../../src/split/answer.ts';
import { judge, type Standing } from '../../src/split/judge.ts';
import { splitDirection } from '../../src/split/rounds.ts';
import { configure, file, proposed } from './build.ts';

const standing = (there: Standing['there'] = []): Standing => ({
  config: configure(),
  budgetTokens: null,
  there,
  open: there.flatMap(({ spec }) => spec ?? []),
  basePaths: new Set(['src/a.ts', 'README.md']),
});

const FIVE = ['S1', 'S2', 'S3', 'S4', 'S5'].map((id) => proposed(id));
const ids = (good: readonly { readonly spec: { readonly id: string } }[]) => good.map(({ spec }) => spec.id);

describe('judging a proposal', () => {
  test('what is right is ordered by its dependencies, and becomes files that any spec could be', () => {
    const [one, two, ...rest] = FIVE;
    const specs = [{ ...(one as ProposedSpec), depends_on: ['S2', 'Q1'] }, two as ProposedSpec, ...rest];
    const { good, bad, problems } = judge(specs, standing([file('Q1')]), false);
    expect({ bad, problems }).toEqual({ bad: [], problems: [] });
    expect(ids(good)).toEqual(['S2', 'S3', 'S4', 'S5', 'S1']);
    expect(good[4]?.spec).toMatchObject({
      file: 'specs/web/pending/S1.md',
      dependsOn: ['S2', 'Q1'],
      title: 'The S1',
    });
  });

  test('a bad spec takes with it those that need it, and no others', () => {
    const specs = [
      ...FIVE.slice(1),
      proposed('S1', { depends_on: ['S9'] }),
      proposed('S6', { depends_on: ['S1'] }),
    ];
    const { good, bad, problems } = judge(specs, standing(), false);
    expect(ids(good)).toEqual(['S2', 'S3', 'S4', 'S5']);
    expect(bad.map((one) => one.file)).toEqual(['specs/web/pending/S1.md', 'specs/web/pending/S6.md']);
    expect(problems.map(({ code }) => code)).toEqual(['E_SPEC_UNKNOWN_DEPENDENCY']);
  });

  test.each([
    ['an id that is taken', { task_id: 'Q1' }, 'E_SPEC_DUPLICATE_ID'],
    ['an id that is no name', { task_id: 'a b/../c' }, 'E_SPEC_NAME'],
    ['a path outside of the repository', { modifies: ['../x'] }, 'E_SPEC_MODIFIES'],
    ['nothing that it may change', { modifies: [] }, 'E_SPEC_NO_MODIFIES'],
    ['no acceptance', { acceptance: [' '] }, 'E_SPEC_NO_ACCEPTANCE'],
    ['no don’ts', { donts: [] }, 'E_SPLIT_SECTION'],
    ['a circle', { depends_on: ['S1'] }, 'E_SPEC_CYCLE'],
    ['a path of an open spec', { modifies: ['src/Q1.ts'] }, 'E_SPLIT_OVERLAP'],
    ['a path of a sister', { modifies: ['src/S2.ts'] }, 'E_SPLIT_OVERLAP'],
    ['a priority that is none', { priority: 9 }, 'E_SPEC_VALUE'],
  ])('%s is told', (_, change, code) => {
    const specs = [proposed('S1', change), ...FIVE.slice(1)];
    const { problems } = judge(specs, standing([file('Q1')]), false);
    expect(problems.map((problem) => problem.code)).toContain(code);
  });

  test('a protected path that a model names waits for a person, as it would not where a person named it', () => {
    const { good } = judge(
      [proposed('S1', { modifies: ['CLAUDE.md'] }), ...FIVE.slice(1)],
      standing(),
      false,
    );
    expect(good.map(({ spec }) => spec.review)).toEqual([true, false, false, false, false]);
  });

  test('too few are told, and so are too many', () => {
    const codes = (specs: readonly ProposedSpec[]) =>
      judge(specs, standing(), false).problems.map(({ code }) => code);
    expect(codes(FIVE.slice(1))).toEqual(['E_SPLIT_COUNT']);
    expect(codes(Array.from({ length: 11 }, (_, n) => proposed(`S${n}`)))).toEqual(['E_SPLIT_COUNT']);
  });

  test('no text of a model can end its section, add front matter or smuggle a control character', () => {
    const text = specFile(
      proposed('S1', {
        title: 'a\n---\nverify: evil',
        goal: 'x\n## Acceptance\nnone\n---\n===\n\u001b[2J',
        donts: ['a\n# Goal\nb'],
        verify: 'make "test"\nevil: 1',
      }),
      { project: 'web', chinese: true, review: false },
    );
    const { goal, dont, acceptance } = sectionsOf(text);
    expect(goal).toContain('\\## Acceptance');
    expect(dont).toContain('b');
    expect(acceptance).toBe('- Its test passes.');
    expect(text).not.toContain('\u001b');
    expect(text).toContain('verify: "make \\"test\\"\\nevil: 1"');
    expect(text).toContain('## 验收标准');
  });
});

describe('the rounds of a direction', () => {
  const usage = { input: 10, output: 5, cached: 0 };
  const value = (specs: readonly ProposedSpec[]): Answer<SplitAnswer> => {
    return { value: { specs: [...specs] }, text: JSON.stringify({ specs }), usage };
  };
  const run = async (...answers: Answer<SplitAnswer>[]) => {
    const heard: Message[][] = [];
    const result = await splitDirection({
      prompt: 'PROMPT',
      direction: 'Do it',
      standing: standing(),
      ask: async (messages) => {
        heard.push([...messages]);
        const answer = answers.shift();
        if (answer === undefined) throw new Error('asked too often');
        return answer;
      },
    });
    return { ...result, heard };
  };
  const bad = [proposed('S1', { depends_on: ['S9'] }), ...FIVE.slice(1)];
  const failing = (failure: ModelFailure): Answer<SplitAnswer> => ({ failure, usage });

  test('an answer that is right ends them', async () => {
    const { judged, rounds, usage: used } = await run(value(FIVE));
    expect({ good: judged?.good.length, rounds, used }).toEqual({ good: 5, rounds: 1, used: usage });
  });

  test('problems go back with the model’s own words, and the mended answer counts', async () => {
    const { judged, rounds, heard, usage: used } = await run(value(bad), value(FIVE));
    expect({ good: judged?.good.length, rounds, tokens: used.input }).toEqual({
      good: 5,
      rounds: 2,
      tokens: 20,
    });
    expect(heard[1]?.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(heard[1]?.[1]?.content).toBe(JSON.stringify({ specs: bad }));
    expect(heard[1]?.[2]?.content).toContain('- S1: no spec has the id "S9"');
  });

  test('after three rounds the best answer counts, with what remains', async () => {
    const { judged, rounds } = await run(value(bad), value(bad.slice(0, 3)), value(bad.slice(0, 4)));
    expect({ rounds, good: judged?.good.length }).toEqual({ rounds: 3, good: 4 });
    expect(judged?.problems.map(({ code }) => code)).toEqual(['E_SPEC_UNKNOWN_DEPENDENCY']);
  });

  test('an answer that cannot be read goes back too; three of them are a failure', async () => {
    const unreadable: ModelFailure = {
      is: 'answer',
      said: 'there is no JSON object in the answer',
      text: '',
    };
    const mended = await run(failing(unreadable), value(FIVE));
    expect(mended.judged?.good).toHaveLength(5);
    expect(mended.heard[1]?.[1]?.content).toBe('(nothing)');
    const never = await run(failing(unreadable), failing(unreadable), failing(unreadable));
    expect(never).toMatchObject({ judged: null, failure: unreadable, rounds: 3 });
  });

  test('a failure after an answer with good specs keeps those; being stopped keeps nothing', async () => {
    const cut: ModelFailure = { is: 'cut', said: 'gone', tries: 5 };
    expect(await run(value(bad), failing(cut))).toMatchObject({ failure: null, rounds: 2 });
    expect(await run(failing(cut))).toMatchObject({ judged: null, failure: cut });
    expect(await run(value(bad), failing({ is: 'stopped' }))).toMatchObject({ failure: { is: 'stopped' } });
  });
});
