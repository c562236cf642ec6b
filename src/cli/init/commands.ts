/**
 * The commands of a repository: one that runs it and one that tests it, in a Makefile or a run.sh at its top. Agents and
 * gates need them to be one word long and the same for everybody. Files are read as text; nothing is run.
 */
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface RepositoryCommands {
  /** `make run`; null: there is none. */
  readonly run: string | null;
  readonly test: string | null;
}

/** What is offered where a command is missing; never in the place of a file that is there. */
export interface Scaffold {
  readonly file: 'run.sh' | 'Makefile';
  readonly text: string;
}

/** True for a checkout on this machine, where a person edits files; a bare repository or a URL is none. */
export function isCheckout(repo: string): boolean {
  return statSync(join(repo, '.git'), { throwIfNoEntry: false }) !== undefined;
}

export function commandsIn(repo: string): RepositoryCommands {
  const script = textOf(join(repo, 'run.sh'));
  const make = textOf(join(repo, 'Makefile'));
  const found = (words: readonly string[]): string | null => {
    const word = words.find((one) => hasCase(script, one));
    if (word !== undefined) return `./run.sh ${word}`;
    const target = words.find((one) => hasTarget(make, one));
    return target === undefined ? null : `make ${target}`;
  };
  return { run: found(['run', 'start', 'serve', 'dev']), test: found(['test', 'tests', 'check']) };
}

/** null: nothing is missing, or both files are there and only a person can add to them. */
export function scaffoldFor(repo: string): Scaffold | null {
  const { run, test } = commandsIn(repo);
  if (run !== null && test !== null) return null;
  const native = nativeCommands(repo);
  if (isFree(repo, 'run.sh')) return { file: 'run.sh', text: script(native) };
  return isFree(repo, 'Makefile') ? { file: 'Makefile', text: makefile(native) } : null;
}

/** A `word)` of a case, also as one of several. */
function hasCase(text: string, word: string): boolean {
  return new RegExp(`^\\s*\\(?(?:[^\\s()#]+\\s*\\|\\s*)*["']?${word}["']?(?:\\s*\\|[^()]*)?\\)`, 'mu').test(
    text,
  );
}

function hasTarget(text: string, word: string): boolean {
  return new RegExp(`^(?:[\\w./-]+[ \\t]+)*${word}(?:[ \\t]+[\\w./-]+)*[ \\t]*::?(?!=)`, 'mu').test(text);
}

/** Neither a file nor a link that leads nowhere. */
function isFree(repo: string, file: string): boolean {
  return lstatSync(join(repo, file), { throwIfNoEntry: false }) === undefined;
}

/** What the repository's own tools have for it, by the manifests at its top. */
function nativeCommands(repo: string): RepositoryCommands {
  const has = (file: string): boolean => statSync(join(repo, file), { throwIfNoEntry: false }) !== undefined;
  if (has('package.json')) return { run: 'npm start', test: 'npm test' };
  if (has('Cargo.toml')) return { run: 'cargo run', test: 'cargo test' };
  if (has('go.mod')) return { run: 'go run .', test: 'go test ./...' };
  if (has('pyproject.toml') || has('requirements.txt')) return { run: null, test: 'python3 -m pytest -q' };
  return { run: null, test: null };
}

/** What nobody knows yet fails and says so: a test command that passes without a test would prove everything. */
const UNKNOWN = 'echo "not known yet: write the command into this file" >&2; exit 64';

function script({ run, test }: RepositoryCommands): string {
  const call = (command: string | null): string => (command === null ? UNKNOWN : `exec ${command}`);
  return `#!/bin/sh
# One command runs it, one command tests it.
set -eu
cd "$(dirname "$0")"
case "\${1:-}" in
  run) ${call(run)} ;;
  test) ${call(test)} ;;
  *) echo "usage: ./run.sh run|test" >&2; exit 2 ;;
esac
`;
}

function makefile({ run, test }: RepositoryCommands): string {
  return `# One command runs it, one command tests it.
.PHONY: run test

run:
\t${run ?? UNKNOWN}

test:
\t${test ?? UNKNOWN}
`;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
