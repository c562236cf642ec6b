/** The merge queue on a real project: what bench/queue-real.ts does with 200 branches, with 24. */
import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { kindOf, LANDS, makeRealProject, type Mix, PROJECT } from '../../bench/real-project.ts';
import { dispatch, figuresOf, redCommits, removeProject } from '../../bench/real-run.ts';

/** Nothing by chance: what is flaky is measured by the bench. */
const MIX: Mix = {
  good: 10,
  conflict: 4,
  clash: 2,
  flaky: 0,
  red: 2,
  scope: 2,
  marker: 1,
  hostile: 2,
  empty: 1,
};

test('24 branches, good, red, in conflict, hostile: what is good lands, nothing else does, and every landed commit is green', async () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'dcl-real-')));
  const project = makeRealProject(base, MIX, 4);
  onTestFinished(() => removeProject(project));
  expect(await dispatch(project, ['start', PROJECT, '-o', 'ndjson'])).toBe(3);
  expect(await dispatch(project, ['collect', PROJECT, '-o', 'ndjson'])).toBe(3);
  const figures = await figuresOf(project);
  expect(figures).toMatchObject({
    landed: project.tasks.filter((task) => LANDS.has(kindOf(task))).length,
    goodRefused: [],
    badLanded: [],
    gateRunsWasted: 0,
  });
  expect(Object.values(figures.refused).reduce((sum, count) => sum + count, 0)).toBe(8);
  const { commits, red } = redCommits(project);
  expect(commits).toBeGreaterThan(1);
  expect(red).toEqual([]);
}, 300_000);
