/**
 * 200 branches on a real project with a real test suite, through the command line: scripted agents in tmux, gates in the
 * sandbox, merges by git. Afterwards the suite runs on every commit that landed. `npx tsx bench/queue-real.ts`
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildForBench } from './build.ts';
import { line, seconds, title } from './figures.ts';
import { makeRealProject, type Mix, PROJECT } from './real-project.ts';
import { dispatch, figuresOf, redCommits, removeProject } from './real-run.ts';

const MIX: Mix = {
  good: 128,
  conflict: 20,
  clash: 16,
  flaky: 4,
  red: 10,
  scope: 6,
  marker: 6,
  hostile: 6,
  empty: 4,
};
const SLOTS = 8;

const build = await buildForBench();
const base = mkdtempSync(join(process.env.DISPATCH_BENCH_DIR ?? tmpdir(), 'dispatch-bench-real-'));
const project = makeRealProject(base, MIX, SLOTS);
try {
  const began = performance.now();
  const started = await dispatch(project, ['start', PROJECT, '-o', 'ndjson']);
  const wallMs = performance.now() - began;
  const collected = await dispatch(project, ['collect', PROJECT, '-o', 'ndjson']);
  const figures = await figuresOf(project);
  const { commits, red } = redCommits(project);
  title(
    `${project.tasks.length} branches on minimist, ${SLOTS} slots, 2 gate slots; node --test in the sandbox`,
  );
  line('landed', `${figures.landed}`);
  line('refused, by reason', JSON.stringify(figures.refused));
  line('good branches refused', `${figures.goodRefused.length} ${figures.goodRefused.join(' ')}`, 'aim 0');
  line('bad branches landed', `${figures.badLanded.length} ${figures.badLanded.join(' ')}`, 'aim 0');
  line('went back with a 409', `${figures.conflicts}`, `${figures.predicted} foreseen`);
  line('went back from a red merge', `${figures.returned}`);
  const perMerged = (figures.gateRuns / figures.landed).toFixed(3);
  line('gate runs', `${figures.gateRuns}, ${figures.gateRunsRed} red`, `${perMerged} per merged branch`);
  line('gate runs on what is refused without one', `${figures.gateRunsWasted}`, 'aim 0');
  line('start to the last landing', seconds(wallMs), `exit ${started}, collect ${collected}`);
  line('commits on main, suite run on each', `${commits}`, `${red.length} red, aim 0 ${red.join(' ')}`);
  const sound =
    figures.goodRefused.length + figures.badLanded.length + red.length + figures.gateRunsWasted === 0;
  if (!sound) process.exitCode = 1;
} finally {
  removeProject(project);
  build.remove();
}
