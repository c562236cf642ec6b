// How long 10,000 specs take to read, check and plan. Run: npx tsx bench/plan.ts [count]
// Prints milliseconds per step; compare within one run, machines differ.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planMarkdown } from '../src/plan/markdown.ts';
import { buildPlan } from '../src/plan/plan.ts';
import { loadProject } from '../src/spec/load.ts';

const count = Number(process.argv[2] ?? 10_000);
async function main(): Promise<void> {
  for (const [name, modifies] of SHAPES) {
    const home = await mkdtemp(join(tmpdir(), 'dispatch-bench-plan-'));
    try {
      await writeProject(home, modifies);
      await measure(name, home);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  }
}

/** `modifies` of the i-th spec: what people write, and what is hard on the lock index. */
const SHAPES: readonly (readonly [string, (i: number) => readonly string[]])[] = [
  ['files and folders', (i) => [`src/area${i % 100}/part${i}.ts`, `test/area${i % 100}/part${i}/**`]],
  ['wide globs', (i) => [`src/**/part${i}.ts`, `test/**/part${i}-*.test.ts`]],
  ['one shared file', (i) => [`src/part${i}/`, 'package.json']],
];

async function writeProject(home: string, modifies: (i: number) => readonly string[]): Promise<void> {
  const folder = join(home, 'specs/big');
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'project.yaml'),
    'repo: ../big\nverify: make test\nshared_paths: [package-lock.json]\n',
  );
  for (let i = 0; i < count; i++) {
    const needed = [i - 100, i - 137].filter((n) => n >= 0).map(taskId);
    const lines = [
      '---',
      `task_id: ${taskId(i)}`,
      'project: big',
      `depends_on: [${needed.join(', ')}]`,
      `modifies: ${JSON.stringify(modifies(i))}`,
      'timeout: 30m',
      '---',
      '## Goal',
      `Part ${i} does what it says.`,
      '## Acceptance',
      '- its test passes',
    ];
    await writeFile(join(folder, `${taskId(i)}.md`), `${lines.join('\n')}\n`);
  }
}

function taskId(i: number): string {
  return `T${String(i).padStart(5, '0')}`;
}

async function measure(name: string, home: string): Promise<void> {
  const start = performance.now();
  const { config, specs, problems } = await loadProject(home, 'big');
  const loaded = performance.now();
  if (config === null || specs.length !== count)
    throw new Error(`not valid: ${JSON.stringify(problems.slice(0, 3))}`);
  const plan = buildPlan(
    config,
    specs.map(({ spec }) => spec),
  );
  const planned = performance.now();
  const size = planMarkdown(plan).length;
  const written = performance.now();
  const { conflicts, waves, widest } = plan;
  console.log(
    `${name}: ${count} specs, load and validate ${ms(loaded - start)}, plan ${ms(planned - loaded)}, ` +
      `markdown ${ms(written - planned)} (${size} characters); ${waves.length} waves, ${widest.tasks.length} at once, ` +
      `${conflicts.complete ? '' : 'more than '}${conflicts.count} conflicts`,
  );
}

function ms(span: number): string {
  return `${Math.round(span)} ms`;
}

await main();
