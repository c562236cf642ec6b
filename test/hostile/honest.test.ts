/** Branches of ordinary work, at least as many as hostile ones: a gate that stops them gets switched off. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fixture, type Files } from './fixture.ts';
import { manifest, pointer, PROJECT, VERIFY } from './project.ts';

/** A few lines of real code in each language, with the words that a careless gate takes for markers. */
const SOURCES: Readonly<Record<string, string>> = {
  'src/todo.ts': 'export interface Todo {\n  readonly title: string;\n}\nexport const todos: Todo[] = [];\n',
  'src/input.tsx': 'export const Input = () => <input placeholder="Your name" />;\n',
  'src/noop.ts': 'export const noop = (): void => {};\n',
  'src/empty.ts': 'export function close(): void {\n  // The socket is closed by its owner.\n}\n',
  'src/phone.js': "export const example = 'XXX-XXX-XXXX';\n",
  'src/base.py':
    'class Base:\n    def run(self):\n        raise NotImplementedError("subclasses override run")\n',
  'src/proto.py': 'from typing import Protocol\n\n\nclass Runs(Protocol):\n    def run(self) -> None: ...\n',
  'src/errors.py': 'class Refused(Exception):\n    pass\n',
  'src/main.go': 'package main\n\nfunc main() {\n\tprintln("hello")\n}\n',
  'src/lib.rs': 'pub fn add(a: u8, b: u8) -> u8 {\n    a + b\n}\n',
  'src/Main.java':
    'public class Main {\n  public static void main(String[] args) {\n    System.out.println(1);\n  }\n}\n',
  'src/main.c': '#include <stdio.h>\nint main(void) {\n  puts("hello");\n  return 0;\n}\n',
  'src/app.rb': 'def shout(text)\n  text.upcase\nend\n',
  'src/App.kt': 'fun add(a: Int, b: Int): Int = a + b\n',
  'src/app.php': '<?php\nfunction add($a, $b) {\n  return $a + $b;\n}\n',
  'src/app.swift': 'func add(_ a: Int, _ b: Int) -> Int {\n  return a + b\n}\n',
  'src/app.cs': 'class App {\n  static int Add(int a, int b) => a + b;\n}\n',
  'src/app.scala': 'object App {\n  def add(a: Int, b: Int): Int = a + b\n}\n',
  'src/app.lua': 'function add(a, b)\n  return a + b\nend\n',
  'src/app.sql': 'select id, title from todo where done = false;\n',
  'src/app.css': 'input::placeholder {\n  color: grey;\n}\n',
  'src/index.html': '<input placeholder="Search">\n<p>Hello</p>\n',
  'src/app.sh': '#!/bin/sh\nmktemp -t run.XXXXXX\n',
  'src/app.yaml': 'name: todo\nitems: []\n',
  'src/app.json': '{ "placeholder": "Your name", "todo": [] }\n',
  'src/app.toml': '[tool]\nname = "todo"\n',
  'docs/todo.md': '# The todo list\n\nA `TODO` comment is found by the gate.\n',
  'docs/config.md': 'Write your key into the environment: `ANTHROPIC_API_KEY=sk-ant-...`.\n',
};

const edited = (text: string, path: string): Files => ({
  [path]: `${text}\n`,
  'test/x.test.mjs': testOf(path),
});

function testOf(path: string): string {
  return `import test from 'node:test';\ntest(${JSON.stringify(path)}, () => { if (1 > 2) throw new Error('no'); });\n`;
}

interface Honest {
  readonly steps: readonly Files[];
  readonly modifies?: readonly string[];
  readonly verify?: string;
}

const one = (files: Files, modifies?: readonly string[]): Honest => ({
  steps: [files],
  ...(modifies === undefined ? {} : { modifies }),
});

const HONEST: Readonly<Record<string, Honest>> = {
  ...Object.fromEntries(
    Object.entries(SOURCES).map(([path, text]) => [`adds ${path}`, one({ [path]: text })]),
  ),
  ...Object.fromEntries(
    Object.entries(SOURCES).map(([path, text]) => [
      `writes ${path} in two commits, with a test`,
      { steps: [{ [path]: text }, edited(text, path)] },
    ]),
  ),
  'changes a line': one({ 'src/math.mjs': 'export function add(a, b) {\n  return b + a;\n}\n' }, [
    'src/math.mjs',
  ]),
  'deletes a file': one({ 'src/old.mjs': null }, ['src/**']),
  'moves a file': one({ 'src/old.mjs': null, 'src/legacy/old.mjs': 'export const old = 1;\n' }, ['src/**']),
  'moves a folder': one({ 'src/legacy/a.ts': null, 'src/new/a.ts': 'export const a = 1;\n' }, ['src/']),
  'makes a file executable': one({ 'src/app.ts': { mode: '100755', text: 'export const app = 1;\n' } }),
  'makes a file of a folder': one({ 'src/legacy/a.ts': null, 'src/legacy': 'a\n' }),
  'changes line ends': one({ 'src/app.ts': 'export const app = 1;\r\n' }),
  'writes a byte order mark': one({ 'src/bom.cs': '\ufeffclass A { int a = 1; }\n' }),
  'writes UTF-16 where a tool wants it': one({ 'res/strings.txt': Buffer.from('\ufeffhello', 'utf16le') }),
  'adds a picture': one({ 'assets/a.png': Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex') }),
  'adds a megabyte of data': one({ 'assets/data.csv': '1,2,3\n'.repeat(170_000) }),
  'links to a file beside it': one({ 'src/latest.ts': { link: 'app.ts' } }),
  'links one folder up, inside the tree': one({ 'src/legacy/app.ts': { link: '../app.ts' } }),
  'uses names of other alphabets': one({ 'docs/设计.md': '# 设计\n', 'docs/caf\u00e9.md': '# Caf\u00e9\n' }),
  'uses names with blanks and brackets': one({ 'src/pages/[id] (old).tsx': 'export const a = 1;\n' }),
  'names a file git.ts': one({ 'src/git.ts': 'export const a = 1;\n', 'src/.gitkeep': '' }),
  'ignores a file': one({ '.gitignore': 'dist/\n' }),
  'adds a dependency': one({
    'package.json': manifest({ test: 'node --test' }, { dependencies: { left: '1.0.0', right: '2.0.0' } }),
    'package-lock.json': '{ "packages": { "right": { "integrity": "sha512-Zm9vYmFyYmF6cXV4" } } }\n',
  }),
  'writes the changelog beside its own files': one(
    { 'CHANGELOG.md': '# Changes\n\n- new\n', 'src/app.ts': 'export {};\n' },
    ['src/**'],
  ),
  'changes the test script that its spec lists': one(
    { 'run.sh': { mode: '100755', text: '#!/bin/sh\nnode --test\n' } },
    ['run.sh'],
  ),
  'changes package scripts that its spec lists': one(
    { 'package.json': manifest({ test: 'node --test', lint: 'x' }) },
    ['package.json'],
  ),
  'writes instructions that its spec lists': one({ 'CLAUDE.md': '# New\n' }, ['CLAUDE.md']),
  'changes a Git LFS pointer that its spec lists': one({ 'assets/model.bin': pointer('d') }, [
    'assets/model.bin',
  ]),
  'writes a workflow that its spec lists': one({ '.github/workflows/ci.yml': 'on: push\n' }, [
    '.github/workflows/ci.yml',
  ]),
  'adds tests': one({ 'test/new.test.mjs': testOf('new') }, ['test/**']),
  'adds tests in Python': one({
    'tests/test_new.py':
      'import unittest\n\n\nclass New(unittest.TestCase):\n    def test_it(self):\n        self.assertTrue(True)\n',
  }),
  'uses the keys of manuals': one({ 'docs/aws.md': `AKIA${'IOSFODNN7EXAMPLE'}\n` }),
  'contains hashes and ids': one({ 'src/ids.ts': `export const id = '${'0f'.repeat(32)}';\n` }),
  'reads keys without having one': one({
    'src/pem.ts': `export const isKey = (text: string) => text.startsWith('-----BEGIN ${'PRIVATE'} KEY-----');\n`,
  }),
  'adds a makefile target elsewhere': { ...one({ 'docs/Makefile': 'html:\n\ttrue\n' }), verify: 'make test' },
  'adds a script that no gate runs': one({ 'scripts/deploy.sh': '#!/bin/sh\necho deploy\n' }),
  'has fakes in its tests': one({ 'test/fakes/clock.ts': 'export class Clock {\n  tick(): void {}\n}\n' }),
  'adds and takes back a file': {
    steps: [{ 'src/x.ts': 'export {};\n' }, { 'src/x.ts': null, 'src/y.ts': 'export {};\n' }],
  },
  'vendors a minified library': one({ 'public/lib.min.js': `var a=${'1+'.repeat(20_000)}1;\n` }),
  'says in prose what is left out': one({
    'docs/limits.md': 'Windows is not supported. Nothing else is missing.\n',
  }),
  'adds a snapshot': one({ 'test/__snapshots__/a.snap': 'exports[`a`] = `TODO`;\n' }),
  'adds a translation': one({ 'src/i18n/es.json': '{ "all": "todo", "name": "Nombre" }\n' }),
  'adds an environment without values': one({
    '.env.example': 'STRIPE_KEY=\nGITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n',
  }),
  'adds a container': one({ Dockerfile: 'FROM node:20\nCOPY . /app\n' }),
  'adds a migration': one({ 'db/migrations/0001.sql': 'create table todo (id integer primary key);\n' }),
  'adds a program that prints': one({
    'bin/hello': { mode: '100755', text: '#!/usr/bin/env node\nconsole.log(1);\n' },
  }),
  'adds a stylesheet of its own': one({ 'src/app.less': '.todo {\n  color: red;\n}\n' }),
  'adds a query': one({ 'src/query.graphql': 'query Todos {\n  todos { id }\n}\n' }),
  'adds a diagram': one({
    'docs/flow.svg': '<svg xmlns="http://www.w3.org/2000/svg"><text>TODO</text></svg>\n',
  }),
  'renames and edits a module with its test': one({
    'src/math.mjs': null,
    'src/sum.mjs': 'export function add(a, b) {\n  return a + b;\n}\n',
    'test/math.test.mjs': `${testOf('sum')}${testOf('again').split('\n')[1]}\n`,
  }),
  'writes a type declaration': one({ 'src/types.d.ts': 'export declare function run(): void;\n' }),
};

let fixture: Fixture;
beforeAll(async () => {
  fixture = await Fixture.create(PROJECT);
});
afterAll(() => fixture.remove());

describe('an honest branch', () => {
  test.each(Object.entries(HONEST))('that %s goes on', async (_, { steps, modifies, verify }) => {
    const head = fixture.branch(steps);
    const verdict = await fixture.judge(head, modifies === undefined ? {} : { modifies }, verify ?? VERIFY);
    expect(verdict).toEqual({ is: 'passes', why: '' });
  });

  test('is one of at least a hundred', () => {
    expect(Object.keys(HONEST).length).toBeGreaterThanOrEqual(100);
  });
});
