/**
 * Which files a command runs, as far as they are named literally: the gate's own files. They are read out of the base,
 * so what a branch does to them cannot take them off the list. What a command computes is not followed; that is what
 * the sandbox and the counted tests are for.
 */

/** A file that may be run, with the folder in which its own commands run. */
export interface NamedFile {
  /** Relative to the repository's top. */
  readonly path: string;
  /** Counts even where the base lacks it: a program would take it before the one that is there. */
  readonly shadows: boolean;
}

/**
 * Files that a shell text may run, in the order in which it names them. `all`: every word that may be a file counts, as
 * in the verify command itself; otherwise only what is run, sourced, or given as a configuration.
 */
export function filesNamedBy(text: string, all: boolean): NamedFile[] {
  const found = new Map<string, NamedFile>();
  const add = (folder: string, word: string, shadows = false): void => {
    const path = inTree(folder, word);
    if (path !== null) found.set(path, { path, shadows: shadows || found.get(path)?.shadows === true });
  };
  let folder = '';
  for (const words of simpleCommands(text)) {
    const [program = '', ...args] = words;
    const [first = ''] = args;
    const name = program.slice(program.lastIndexOf('/') + 1);
    if (name === 'cd') {
      folder = inTree(folder, first) ?? folder;
      continue;
    }
    // What is only looked at is not run.
    if (program === 'test' || program === '[') continue;
    if (program.includes('/')) add(folder, program);
    if (MAKES.has(name)) addMakefiles(args, (word) => add(folder, word, true));
    if (PACKAGE_RUNNERS.has(name)) add(folder, 'package.json');
    if (SHELLS.has(name) && /^-\w*c$/.test(first)) {
      for (const inner of filesNamedBy(args[1] ?? '', all)) add(folder, inner.path, inner.shadows);
      continue;
    }
    if (INTERPRETERS.has(name)) {
      const script = args.find((word) => !word.startsWith('-'));
      if (script !== undefined) add(folder, script);
    }
    for (const [at, word] of args.entries()) {
      const given = /^--?[\w-]+=(.+)$/.exec(word)?.[1];
      if (given !== undefined) add(folder, given);
      else if (!word.startsWith('-') && (all || CONFIGURES.has(args[at - 1] ?? ''))) add(folder, word);
    }
  }
  return [...found.values()];
}

/** The commands of a Makefile's recipes. */
export function recipesOf(makefile: string): string {
  return makefile
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.startsWith('\t') || /^[\w.-]+:[^=]*;/.test(line))
    .map((line) => line.replace(/^(?:\t|[^;]*;)\s*[@+-]*/, '').replace(/\$\((?:MAKE|SHELL)\)/g, 'make'))
    .join('\n');
}

/** The scripts of a package.json that is no secret to npm; empty when it cannot be read. */
export function scriptsOf(manifest: string): string {
  try {
    const { scripts } = JSON.parse(manifest) as { scripts?: Record<string, unknown> };
    return Object.values(scripts ?? {})
      .filter((script) => typeof script === 'string')
      .join('\n');
  } catch {
    return '';
  }
}

const MAKES = new Set(['make', 'gmake']);
const PACKAGE_RUNNERS = new Set(['npm', 'pnpm', 'yarn', 'bun']);
const SHELLS = new Set(['sh', 'bash', 'dash', 'zsh', 'ksh']);
const INTERPRETERS = new Set([
  ...SHELLS,
  'source',
  '.',
  'node',
  'deno',
  'tsx',
  'ts-node',
  'python',
  'python3',
  'ruby',
  'perl',
  'php',
]);
const CONFIGURES = new Set([
  '-c',
  '--config',
  '--config-file',
  '--makefile',
  '--require',
  '--import',
  '--loader',
]);
/** Words before a command that are not the command. */
const LEADS = new Set([
  'if',
  'then',
  'else',
  'elif',
  'do',
  'while',
  'until',
  '!',
  '{',
  'exec',
  'env',
  'command',
  'time',
  'nice',
  'nohup',
  'sudo',
  'npx',
]);

/** make takes the first of three names that it finds. */
function addMakefiles(args: readonly string[], add: (word: string) => void): void {
  const after = args[args.indexOf('-C') + 1];
  const prefix = args.includes('-C') && after !== undefined ? `${after}/` : '';
  const given = args[args.indexOf('-f') + 1];
  if (args.includes('-f') && given !== undefined) add(`${prefix}${given}`);
  for (const name of ['GNUmakefile', 'makefile', 'Makefile']) add(`${prefix}${name}`);
}

/** The words of each simple command, quotes removed, without assignments and what only introduces a command. */
function simpleCommands(text: string): string[][] {
  const commands: string[][] = [];
  for (const line of text.replace(/\\\n/g, ' ').split('\n')) {
    let words: string[] = [];
    for (const match of line.matchAll(TOKEN)) {
      const [token] = match;
      if (token.startsWith('#')) break;
      if (/^[;&|()]/.test(token)) {
        commands.push(words);
        words = [];
        continue;
      }
      const word = token.replace(/(["'])(.*?)\1/gs, '$2');
      const leads = words.length === 0 && (LEADS.has(word) || /^\w+=/.test(word));
      if (!leads) words.push(word);
    }
    commands.push(words);
  }
  return commands.filter((words) => words.length > 0);
}

const TOKEN = /#.*$|[;&|()]+|(?:[^\s;&|()"']|"(?:[^"\\]|\\.)*"|'[^']*')+/g;

/** A word as a path inside the tree; null when it is none or is computed. */
function inTree(folder: string, word: string): string | null {
  if (word === '' || word.startsWith('/') || /[$`*?~<>{}\0]/.test(word)) return null;
  const parts: string[] = folder === '' ? [] : folder.split('/');
  for (const part of word.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (parts.pop() === undefined) return null;
    } else parts.push(part);
  }
  return parts.length === 0 ? null : parts.join('/');
}
