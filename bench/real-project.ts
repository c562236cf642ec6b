/**
 * A real project for a merge queue to work on: minimist, a parser of command lines, with its own test suite, run by
 * `node --test`; and specs whose scripted agents do what a fleet of agents does: most of it right, some of it red, in
 * conflict, flaky, unfinished, out of scope or hostile. Used by queue-real.ts and, smaller, by a test.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a task's agent does. */
export type Kind =
  /** A module with its test. */
  | 'good'
  /** A line at the end of a file that its twin writes to as well; done again on the new base, it fits. */
  | 'conflict'
  /** Takes a key that its twin takes as well: each is green alone, both together are red; done again, it takes another. */
  | 'clash'
  /** Good, with a test that fails now and then. */
  | 'flaky'
  | 'red'
  | 'scope'
  | 'marker'
  | 'hostile'
  | 'empty';

/** Kinds that come in twins are counted in tasks, so even. */
export type Mix = Readonly<Record<Kind, number>>;

export const LANDS: ReadonlySet<Kind> = new Set(['good', 'conflict', 'clash', 'flaky']);

export interface RealProject {
  /** Holds everything; to be removed by whoever asked for it. */
  readonly base: string;
  readonly home: string;
  /** The user's repository, bare. */
  readonly repo: string;
  readonly tasks: readonly string[];
}

export const PROJECT = 'minimist';
const SOURCE = join(import.meta.dirname, '..', 'node_modules', 'minimist');

/** The kind of a task is the first part of its id. */
export function kindOf(task: string): Kind {
  return task.slice(0, task.indexOf('-')) as Kind;
}

/** @param base an empty directory. @param slots of the one node, this machine. */
export function makeRealProject(base: string, mix: Mix, slots: number): RealProject {
  const [home, repo] = [join(base, 'home'), join(base, 'minimist.git')];
  const tasks = spread(mix);
  makeRepository(base, repo, tasks);
  writeFiles(base, { 'agent.mjs': AGENT });
  writeFiles(join(home, 'specs', PROJECT), {
    'project.yaml': projectText(base, repo),
    ...Object.fromEntries(tasks.map((task) => [`${task}.md`, specText(task)])),
  });
  const node = { name: 'here', local: true, slots, gate_slots: 2, root: join(base, 'node') };
  writeFiles(home, { 'nodes.json': JSON.stringify([node]) });
  return { base, home, repo, tasks };
}

/** All tasks, the kinds evenly among each other; twins stand side by side, so that they are at work together. */
function spread(mix: Mix): string[] {
  const placed = Object.entries(mix).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, index) => ({
      task: `${kind}-${String(index + 1).padStart(3, '0')}`,
      place: ((kind === 'conflict' || kind === 'clash' ? index - (index % 2) : index) + 0.5) / count,
    })),
  );
  return placed.toSorted((a, b) => a.place - b.place).map(({ task }) => task);
}

function makeRepository(base: string, repo: string, tasks: readonly string[]): void {
  const work = join(base, 'work');
  mkdirSync(work);
  for (const name of ['index.js', 'README.md', 'LICENSE', 'test'])
    cpSync(join(SOURCE, name), join(work, name), { recursive: true });
  const { version } = JSON.parse(readFileSync(join(SOURCE, 'package.json'), 'utf8')) as { version: string };
  writeFiles(work, {
    'package.json': `${JSON.stringify({ name: PROJECT, version, main: 'index.js' }, null, 2)}\n`,
    'node_modules/tape/index.js': TAPE,
    'test/suite.js': SUITE,
    'test/keys.js': KEYS,
    'keys/first.txt': 'first\n',
    ...Object.fromEntries(
      tasks.filter((task) => kindOf(task) === 'conflict').map((task) => [noteOf(task), '# Notes\n']),
    ),
  });
  gitIn(work, 'init', '-q', '-b', 'main');
  gitIn(work, 'add', '-A', '-f');
  gitIn(work, 'commit', '-q', '-m', `minimist ${version}`);
  execFileSync('git', ['clone', '-q', '--bare', work, repo]);
  rmSync(work, { recursive: true });
}

/** The file that twins share: numbers 1 and 2, 3 and 4, … */
function noteOf(task: string): string {
  const number = Number(task.slice(task.indexOf('-') + 1));
  return `notes/${number + (number % 2)}.md`;
}

/** What the suite needs of the runner that it was written for, on top of the one that comes with Node.js. */
const TAPE = `'use strict';
const assert = require('node:assert');
const { test } = require('node:test');

module.exports = (name, run) =>
  test(name, (_, done) => {
    let left = null;
    const count = () => {
      if (left === null) return;
      left -= 1;
      if (left === 0) done();
    };
    const same = (a, b, why) => {
      assert.deepEqual(JSON.parse(JSON.stringify(a ?? null)), JSON.parse(JSON.stringify(b ?? null)), why);
      count();
    };
    const equal = (a, b, why) => {
      assert.strictEqual(a, b, why);
      count();
    };
    const plan = (expected) => {
      left = expected;
    };
    run({ deepEqual: same, same, equal, plan, end: () => done() });
  });
`;

/** One process for all files, so that a run does not take longer with every task that lands. */
const SUITE = `'use strict';
const { readdirSync } = require('node:fs');
const { join } = require('node:path');

for (const file of readdirSync(__dirname)) {
  if (file.endsWith('.js') && file !== 'suite.js') require(join(__dirname, file));
}
`;

const KEYS = `'use strict';
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const test = require('tape');

test('every key is taken once', (t) => {
  const dir = join(__dirname, '..', 'keys');
  const keys = readdirSync(dir).map((file) => readFileSync(join(dir, file), 'utf8').trim());
  t.equal(new Set(keys).size, keys.length);
  t.end();
});
`;

/** Runs in the tree of an attempt. */
const AGENT = `import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const task = process.env.DISPATCH_TASK;
const again = process.env.DISPATCH_ATTEMPT !== '1' || process.env.DISPATCH_ROUND !== '1';
const [kind, digits] = task.split('-');
const number = Number(digits);
const twins = number + (number % 2);
const put = (path, text) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
const feature = (remark = '', check = '') => {
  put(\`lib/\${task}.js\`, \`'use strict';
const parse = require('..');
\${remark}
/** The arguments of \${task}, with a default of their own. */
module.exports = (args) => parse(args, { default: { n: \${number} } });
\`);
  put(\`test/\${task}.js\`, \`'use strict';
const test = require('tape');
const parse = require('../lib/\${task}.js');

test('\${task} has its default, and an argument goes before it', (t) => {
  t.equal(parse([]).n, \${number});
  t.equal(parse(['--n', '7']).n, 7);\${check}
  t.end();
});
\`);
};

switch (kind) {
  case 'good':
    feature();
    break;
  case 'conflict':
    feature();
    appendFileSync(\`notes/\${twins}.md\`, \`- \${task}\\n\`);
    break;
  case 'clash':
    feature();
    put(\`keys/\${task}.txt\`, \`key-\${twins}\${again ? \`-\${number}\` : ''}\\n\`);
    break;
  case 'flaky':
    feature('', "\\n  if (process.env.STEADY !== '1') t.equal(Math.random() < 0.03, false);");
    break;
  case 'red':
    feature('', '\\n  t.equal(parse([]).n, -1);');
    break;
  case 'scope':
    feature();
    appendFileSync('index.js', '\\nmodule.exports.extra = true;\\n');
    break;
  case 'marker':
    feature('// TODO: handle the rest');
    break;
  case 'hostile':
    feature();
    if (number % 2 === 0) put(\`lib/\${task}.key\`, \`-----BEGIN RSA PRIVATE KEY-----\\n\${'MIIEpAIBAAKCAQEA7'.repeat(20)}\\n\`);
    else symlinkSync('/etc/passwd', \`lib/\${task}.link\`);
    break;
  case 'empty':
    break;
}
`;

function specText(task: string): string {
  const modifies = [`lib/${task}*`, `test/${task}.js`, `keys/${task}.txt`];
  return `---
task_id: ${task}
modifies: ${JSON.stringify(modifies)}
---
## Goal
Arguments of ${task}, with a default.
## Acceptance
- its test passes
`;
}

function projectText(base: string, repo: string): string {
  return [
    `repo: ${repo}`,
    'verify: node --test test/suite.js',
    'executor: scripted',
    `executors: { scripted: { command: [node, ${join(base, 'agent.mjs')}] } }`,
    'timeout: 10m',
    'retries: 1',
    'max_attempts: 1',
    "gates: { extras: ['notes/**'], control: { skip: the queue is what is looked at } }",
    '',
  ].join('\n');
}

function writeFiles(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
}

export function gitIn(dir: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@t'];
  return execFileSync('git', ['-C', dir, ...identity, ...args], { encoding: 'utf8' });
}
