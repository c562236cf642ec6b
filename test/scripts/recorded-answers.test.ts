import { expect, test } from 'vitest';
import { recordedAnswers } from '../../scripts/demo/recorded-answers.ts';
import { splitAnswer } from '../../src/split/answer.ts';
import { judge } from '../../src/split/judge.ts';
import { configure } from '../split/build.ts';

const standing = { config: configure(), budgetTokens: null, there: [], open: [], basePaths: null };

test('the demo’s stand-in answers as a model is asked to, with a mistake at first that the next answer mends', () => {
  const judged = recordedAnswers().map((answer) => {
    const { good, problems } = judge(splitAnswer.strict().parse(answer).specs, standing, false);
    return [good.length, problems.map(({ code }) => code)];
  });
  expect(judged).toEqual([
    [7, expect.arrayContaining(['E_SPEC_UNKNOWN_DEPENDENCY', 'E_SPLIT_OVERLAP'])],
    [8, ['E_SPLIT_OVERLAP']],
    [8, ['E_SPLIT_OVERLAP']],
  ]);
});
