import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dispatch } from './dispatch.ts';
import { choresHome } from './fleet.ts';

test('where a plan is required, work starts only with one of just these specs', async () => {
  const home = choresHome({ note: 'true' }, { A: 'note', B: 'note' });
  const project = join(home, 'specs/chores/project.yaml');
  writeFileSync(project, `${readFileSync(project, 'utf8')}require_plan: true\n`);
  const start = () => dispatch(['start', 'chores'], { cwd: home });

  const missing = await start();
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('E_PLAN_MISSING');
  expect(missing.stderr).toContain('dispatch plan chores --full');

  const written = await dispatch(['plan', 'chores', '--full', '-o', 'json'], { cwd: home });
  const file = join(home, 'specs/chores/PLAN.md');
  expect(JSON.parse(written.stdout)).toMatchObject({ kind: 'FullPlan', data: { file, changed: true } });
  // It is no spec.
  expect((await dispatch(['validate', 'chores', '--strict'], { cwd: home })).code).toBe(0);

  const spec = join(home, 'specs/chores/B.md');
  writeFileSync(spec, readFileSync(spec, 'utf8').replace('task_id: B\n', 'task_id: B\ndepends_on: [A]\n'));
  writeFileSync(file, `${readFileSync(file, 'utf8')}\nAsk Ana about B.\n`);
  const stale = await start();
  expect(stale.code).toBe(2);
  expect(stale.stderr).toContain('E_PLAN_STALE');

  expect((await dispatch(['plan', 'chores', '--full'], { cwd: home })).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain('\nAsk Ana about B.\n');
  expect((await start()).code).toBe(0);
});
