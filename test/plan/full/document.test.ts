import { expect, test } from 'vitest';
import { checkContract } from '../../../src/contract/check.ts';
import type { TaskSpec } from '../../../src/model/spec.ts';
import { fingerprintIn, planFingerprint } from '../../../src/plan/fingerprint.ts';
import { planDocument } from '../../../src/plan/full/document.ts';
import { milestonesOf } from '../../../src/plan/full/milestones.ts';
import { fileTree } from '../../../src/plan/full/tree.ts';
import { buildPlan } from '../../../src/plan/plan.ts';
import { config, spec } from '../../schedule/world.ts';

const SPECS = [
  task('A', ['api/posts.ts']),
  task('B', ['web/page.ts']),
  task('C', ['api/test/**'], ['A']),
  task('D', ['web/test/**', 'README.md'], ['B']),
];
const BASE = new Set(['api/posts.ts', 'api/test/a.test.ts', 'tools/one.sh', 'tools/two.sh', 'README.md']);
const CONTRACT = checkContract('### GET /posts\n```json\n[{ "id": 1 }]\n```\n', 'SHARED_CONTEXT.md');

test('waves become milestones, and large ones are split by folder while there are fewer than six', () => {
  const milestones = milestonesOf(planOf(SPECS));
  expect(milestones.map(({ folder, tasks, after }) => [folder, tasks.join(), after.join()])).toEqual([
    ['api', 'A', ''],
    ['web', 'B', ''],
    ['api', 'C', '1'],
    ['web', 'D', '2'],
  ]);
});

test('a project from nothing with fewer than six milestones is told what nobody makes', () => {
  const text = planDocument({ plan: planOf(SPECS), base: BASE, contract: null }, null);
  expect(text).toContain('at least 6 milestones; this has 4');
  expect(text).toContain('- the contract that tasks share (SHARED_CONTEXT.md)');
  expect(text).toContain('- one command that runs it and one that tests it');
  expect(text).not.toContain('- tests\n');
  const large = new Set([...BASE, ...Array.from({ length: 20 }, (_, at) => `lib/${at}.ts`)]);
  expect(planDocument({ plan: planOf(SPECS), base: large, contract: CONTRACT }, null)).not.toContain(
    'at least 6',
  );
});

test('each path has its owners, what is there is told from what is new, and what nobody owns is counted', () => {
  const rows = fileTree(SPECS, BASE).map(
    ({ depth, name, owners, is, unowned }) => `${' '.repeat(depth)}${name} ${owners.join()} ${is} ${unowned}`,
  );
  expect(rows).toEqual([
    'api/  there 0',
    ' test/  there 0',
    '  ** C pattern 0',
    '  a.test.ts C there 0',
    ' posts.ts A there 0',
    'tools/  there 2',
    'web/  there 0',
    ' test/  there 0',
    '  ** D pattern 0',
    ' page.ts B new 0',
    'README.md D there 0',
  ]);
});

test('what a person wrote stays, and what stands between marks is written anew', () => {
  const plan = planOf(SPECS);
  const first = planDocument({ plan, base: BASE, contract: CONTRACT }, null);
  expect(first).toContain('| `posts` | `id` number |');
  const own = first.replace('# Plan of p\n', '# Our plan\n\nAna decides on the colours.\n');
  const noted = `${own}\n## Notes\n<!-- dispatch:begin of nothing -->\n`;
  const later = planOf([...SPECS, task('E', ['web/more.ts'], ['D'])]);
  const second = planDocument({ plan: later, base: BASE, contract: CONTRACT }, noted);
  expect(second).toContain('# Our plan\n\nAna decides on the colours.\n');
  expect(second.endsWith('## Notes\n<!-- dispatch:begin of nothing -->\n')).toBe(true);
  expect(second).toContain('`E`');
  expect(second.match(/dispatch:begin milestones/gu)).toHaveLength(1);
  expect(planDocument({ plan: later, base: BASE, contract: CONTRACT }, second)).toBe(second);
});

test('it says of which specs it is: tasks, paths and order count, and their texts do not', () => {
  const text = planDocument({ plan: planOf(SPECS), base: null, contract: null }, null);
  const [first, ...rest] = SPECS as [TaskSpec, ...TaskSpec[]];
  expect(fingerprintIn(text)).toBe(planFingerprint([...rest, { ...first, title: 'another', digest: 'x' }]));
  expect(fingerprintIn(text)).not.toBe(planFingerprint([{ ...first, modifies: ['api/'] }, ...rest]));
  expect(fingerprintIn('# by hand\n')).toBeNull();
});

test('it speaks the language of the specs, and nothing in a title or a path becomes markup or a mark', () => {
  const evil = '<!-- dispatch:end milestones --> | <b>排期';
  const specs = [{ ...task('A', ['a/<!-- dispatch:end tree -->.ts']), title: evil }];
  const text = planDocument({ plan: planOf(specs), base: null, contract: null }, null);
  expect(text).toContain('## 里程碑');
  expect(text).not.toMatch(/(?<!\\)<b>/u);
  expect(text.match(/<!-- dispatch:end (?:milestones|tree) -->/gu)).toHaveLength(2);
});

function task(id: string, modifies: readonly string[], dependsOn: readonly string[] = []): TaskSpec {
  return spec('p', id, { modifies, dependsOn: dependsOn as TaskSpec['dependsOn'], title: `Make ${id}` });
}

function planOf(specs: readonly TaskSpec[]) {
  return buildPlan(config('p'), specs);
}
