import { expect, test } from 'vitest';
import { projectName } from '../../src/model/ids.ts';
import { builtinExecutors } from '../../src/executors/builtin.ts';
import { parseHome } from '../../src/spec/parse-home.ts';
import { parseProject } from '../../src/spec/parse-project.ts';
import { places } from './check.ts';

const project = (text: string) => parseProject(text, 'project.yaml', projectName('p'), builtinExecutors());

test('project.yaml bounds an attempt, a day and the whole project, each alone or together', () => {
  const { config, budgetTokens, problems } = project(
    'repo: x\nverify: make test\nbudget: { tokens: 400, day: { usd: 2.5 }, total: { tokens: 9000, usd: 40 } }\n',
  );
  expect(problems).toEqual([]);
  expect(budgetTokens).toBe(400);
  expect(config?.budget).toEqual({ day: { tokens: null, usd: 2.5 }, total: { tokens: 9000, usd: 40 } });
  const ofTasks = project('repo: x\nverify: make test\nbudget: { task: { usd: 5 } }\n').config;
  expect(ofTasks).toMatchObject({ taskBudget: { tokens: null, usd: 5 } });
  expect(ofTasks).not.toHaveProperty('budget');
  const alone = project('repo: x\nverify: make test\nbudget: { tokens: 400 }\n');
  expect(alone.config).not.toHaveProperty('budget');
  expect(alone.config).not.toHaveProperty('taskBudget');
});

test('dispatch.yaml bounds all projects and keys, and says what tokens cost', () => {
  const { config, problems } = parseHome(
    `budget:
  day: { usd: 50 }
  reserve: 1000
  credentials: { glm: { total: { tokens: 5 } } }
prices: { glm-5.3: { in: 1.4, out: 4.4 }, "Mine/X": { in: 1, cached: 0.1, out: 2 } }
`,
    'dispatch.yaml',
  );
  expect(problems).toEqual([]);
  expect(config.budget).toEqual({
    home: { day: { tokens: null, usd: 50 }, total: null },
    credentials: { glm: { day: null, total: { tokens: 5, usd: null } } },
    reserveTokens: 1000,
    // What is read from a cache of which no price is named costs what other input costs.
    prices: {
      'glm-5.3': { input: 1.4, cached: 1.4, output: 4.4 },
      'Mine/X': { input: 1, cached: 0.1, output: 2 },
    },
  });
});

test('a bound of nothing, below nothing or without a figure is refused with its place', () => {
  const { problems } = parseHome(
    'budget:\n  day: {}\n  total: { usd: -1 }\n  week: { usd: 1 }\nprices: { m: { in: -1 } }\n',
    'dispatch.yaml',
  );
  expect(places(problems).map((place) => place.split(' ')[1])).toEqual(
    expect.arrayContaining(['2:8', '3:17', '4:3', '5:20']),
  );
});
