#!/usr/bin/env node
// A scripted stand-in for a coding agent: it reads its task from the environment as any agent would, truly edits files,
// runs the tests and commits. What it does per task and round stands in tools/work/<task>.mjs; some of it is wrong on
// purpose in the first round, and repaired when the gate's output comes back.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const task = process.env.DISPATCH_TASK_ID;
const round = Number(process.env.DISPATCH_ROUND ?? 1);
const gateOutput = process.env.DISPATCH_GATE_OUTPUT ?? '';

console.log(`[agent] ${task}, round ${round}; prompt of ${readFileSync(process.env.DISPATCH_PROMPT, 'utf8').length} characters`);
if (gateOutput !== '') console.log(`[agent] the gate said:\n${gateOutput.replace(/^/gm, '  | ')}`);

const { work } = await import(`./work/${task.split('-')[0]}.mjs`);
const { say, files } = work({ round, gateOutput, read: (path) => readFileSync(path, 'utf8') });
console.log(`[agent] ${say}`);
const notes = process.env.DISPATCH_NOTES;
if (notes !== undefined) writeFileSync(`${notes}/plan.md`, `${say}: ${Object.keys(files).join(', ')}\n`);
for (const [path, text] of Object.entries(files)) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(`[agent] wrote ${path} (${text.split('\n').length - 1} lines)`);
}

const tests = spawnSync('./run.sh', ['test'], { encoding: 'utf8' });
console.log(`[agent] ./run.sh test: exit ${tests.status}`);
if (notes !== undefined) {
  const tick = tests.status === 0 ? 'x' : ' ';
  writeFileSync(`${notes}/evidence.md`, `- [${tick}] ./run.sh test exits with 0: it exited with ${tests.status}\n`);
}
execFileSync('git', ['add', '-A']);
const changed = spawnSync('git', ['diff', '--cached', '--quiet']).status !== 0;
if (changed) {
  execFileSync('git', ['-c', 'user.name=scripted agent', '-c', 'user.email=agent@localhost', 'commit', '-q', '-m', `${task}: ${say}`]);
}
console.log('[agent] done');
