/**
 * Functions whose whole body is empty. Only a function whose signature and body were both added is looked at. A body
 * that holds a comment is not empty: whoever says why nothing is to be done there has thought about it. Left alone
 * are what languages make people write: constructors, abstract and overloaded declarations, marker methods, functions
 * named for doing nothing, and doubles in tests; an empty test is not.
 */
import type { Stubs, Syntax } from './language.ts';
import type { SplitLine } from './split-line.ts';

export interface RunLine {
  readonly line: number;
  readonly text: string;
  readonly split: SplitLine;
}

/** Empty functions in a run of consecutive added lines: the line of each signature, and the function's name. */
export function emptyFunctions(
  run: readonly RunLine[],
  syntax: Syntax,
  path: string,
): { line: number; name: string }[] {
  if (syntax.stubs === 'none' || path.endsWith('.pyi') || path.endsWith('.d.ts')) return [];
  const found = syntax.stubs === 'python' ? emptyPython(run) : emptyBraced(run, syntax.stubs);
  const test = isTestPath(path);
  return found.filter(({ name }) => !IDLE_NAME.test(name) && (!test || TEST_NAME.test(name)));
}

/** True for paths where functions that do nothing are doubles of the real ones. */
function isTestPath(path: string): boolean {
  return /(?:^|\/)(?:tests?|__tests__|specs?|fixtures?|mocks?|__mocks__|fakes?|testing|testdata)\/|[._-](?:tests?|spec|mock|fake|stories|bench)\.[^/]+$|(?:^|\/)(?:test_[^/]*|conftest)\.py$|Tests?\.(?:java|kt|cs|swift)$/.test(
    path,
  );
}

const IDLE_NAME =
  /^_*(?:no_?op|do_?nothing|nothing|ignore|identity|empty|dummy|constructor|__construct|initialize|init)(?![a-z])/i;
const TEST_NAME = /^(?:test|it$|specify$|Test)/;

// -------------------------------------------------------------------------------------------------------------- Python

/** `pass` or `...` alone, with or without a docstring. */
function emptyPython(run: readonly RunLine[]): { line: number; name: string }[] {
  const found: { line: number; name: string }[] = [];
  for (const [at, line] of run.entries()) {
    const name = /^\s*(?:async\s+)?def\s+(\w+)/.exec(line.split.code)?.[1];
    if (name === undefined || excusedPython(run, at)) continue;
    const end = signatureEnd(run, at);
    if (end === null) continue;
    const rest = (run[end]?.split.code ?? '').replace(/^.*:(?=\s*(?:pass|\.\.\.)?\s*$)/, '').trim();
    const inline = /^(?:pass|\.\.\.)$/.test(rest);
    if (inline ? run[end]?.split.comment === '' : emptyPythonBody(run, at, end))
      found.push({ line: line.line, name });
  }
  return found;
}

/** Index of the line on which the signature ends, or null when it does not end among the added lines. */
function signatureEnd(run: readonly RunLine[], start: number): number | null {
  let depth = 0;
  for (let at = start; at < Math.min(run.length, start + 40); at++) {
    const code = run[at]?.split.code ?? '';
    depth += count(code, /[([{]/g) - count(code, /[)\]}]/g);
    if (depth <= 0 && /:\s*(?:pass|\.\.\.)?\s*$/.test(code)) return at;
    if (depth <= 0 && /:\s*\S/.test(code)) return null;
  }
  return null;
}

function emptyPythonBody(run: readonly RunLine[], start: number, end: number): boolean {
  const indent = indentOf(run[start]?.text ?? '');
  let idle = false;
  for (const { text, split } of run.slice(end + 1)) {
    if (text.trim() === '') continue;
    const inDocstring = split.code.replace(/"/g, '').trim() === '';
    if (inDocstring) {
      if (/^\s*#/.test(text)) return false;
      continue;
    }
    if (indentOf(text) <= indent) break;
    if (!/^\s*(?:pass|\.\.\.)\s*;?\s*$/.test(split.code) || split.comment !== '') return false;
    idle = true;
  }
  return idle;
}

/** Abstract, overloaded or a protocol's: the decorators above, or the class around, say so. */
function excusedPython(run: readonly RunLine[], at: number): boolean {
  let above = at - 1;
  for (; above >= 0 && /^\s*@/.test(run[above]?.text ?? ''); above--) {
    if (
      /@(?:[\w.]+\.)?(?:abstract\w*|overload|hookspec\w*|\w+\.setter|final_noop)\b/.test(
        run[above]?.text ?? '',
      )
    )
      return true;
  }
  const indent = indentOf(run[at]?.text ?? '');
  for (; above >= 0; above--) {
    const { text = '', split } = run[above] ?? {};
    if (split?.code.trim() && indentOf(text) < indent)
      return /^\s*class\s+\w+.*\b(?:Protocol|ABC)\b/.test(text);
  }
  return false;
}

// ------------------------------------------------------------------------------------------- languages with braces, ends

interface Shape {
  /** A signature up to the place where its body begins; group 1 is the name. */
  readonly signature: RegExp;
  /** The body, empty, on the signature's line. */
  readonly inline: RegExp;
  /** Opens a body at the end of the signature's line. */
  readonly opens: RegExp;
  /** A line that ends it. */
  readonly closes: RegExp;
}

const BRACES = { inline: /\{\s*\}\s*[;,]?\s*$/, opens: /\{\s*$/, closes: /^\s*\}[;,)]*\s*$/ };
const NOT_A_NAME =
  '(?!(?:if|for|foreach|while|switch|catch|with|return|function|else|do|try|new|await|using|lock|constructor|match|loop|unsafe|when|synchronized|sizeof)\\b)';

const SHAPES: Readonly<Record<Exclude<Stubs, 'python' | 'none'>, readonly Shape[]>> = {
  script: [
    {
      signature:
        /^\s*(?:export\s+)?(?:default\s+)?(?:(?:public|private|protected|static|final|async|abstract)\s+)*function\s*\*?\s*&?([\w$]+)\s*(?:<.*>)?\(.*\)\s*(?::\s*[^={}]+)?(?=\{)/,
      ...BRACES,
    },
    {
      signature:
        /^\s*(?:export\s+)?const\s+([\w$]+)\s*(?::[^=]*(?:=>[^=]*)?)?=\s*(?:async\s*)?(?:\([^{}]*\)|[\w$]+)\s*(?::\s*[^={}]+)?=>\s*(?=\{)/,
      ...BRACES,
    },
    {
      signature: new RegExp(
        `^\\s+(?:(?:public|private|protected|static|async|override|get|set)\\s+)*${NOT_A_NAME}([#\\w$]+)\\s*(?:<[^>]*>)?\\([^{}"]*\\)\\s*(?::\\s*[^={}]+)?(?=\\{)`,
      ),
      ...BRACES,
    },
    {
      signature:
        /^\s*(it|test|specify)(?:\.only)?\(\s*"",\s*(?:async\s*)?(?:function\s*)?\([\w\s,{}]*\)\s*(?:=>)?\s*(?=\{)/,
      inline: /\{\s*\}\s*\)\s*;?\s*$/,
      opens: /\{\s*$/,
      closes: /^\s*\}\s*\)\s*;?\s*$/,
    },
  ],
  // A method without a named receiver cannot do anything: it marks a type.
  go: [{ signature: /^func\s+(?:\(\s*\w+\s+[^)]*\)\s*)?(\w+)\s*(?:\[.*\])?\(.*\)[^{]*(?=\{)/, ...BRACES }],
  // A method may implement a trait that leaves it the choice to do nothing; a free function may not.
  rust: [
    {
      signature:
        /^\s*(?:pub(?:\([^)]*\))?\s+)?(?:async\s+)?fn\s+(\w+)\s*(?:<.*>)?\((?!\s*&|.*\bself\b).*\)\s*(?=\{)/,
      ...BRACES,
    },
  ],
  typed: [
    {
      signature: new RegExp(
        `^\\s*(?:(?:public|private|protected|internal|static|final|async|synchronized|sealed|external)\\s+)*(?:void|Task|Future<void>)\\s+${NOT_A_NAME}(\\w+)\\s*\\([^{}]*\\)\\s*(?:throws\\s+[\\w.,\\s]+)?(?:async\\s*)?(?=\\{)`,
      ),
      ...BRACES,
    },
  ],
  c: [{ signature: /^(?:static\s+|inline\s+|extern\s+)*void\s+(\w+)\s*\([^{}]*\)\s*(?=\{)/, ...BRACES }],
  fun: [
    {
      signature:
        /^\s*(?:(?:public|private|internal|protected|final|static|suspend|inline|fileprivate)\s+)*(?:fun|func)\s+(?:<.*>\s*)?([\w.]+)\s*(?:<.*>)?\([^{}]*\)\s*(?:async\s*)?(?:throws\s*)?(?=\{)/,
      ...BRACES,
    },
  ],
  ruby: [
    {
      signature: /^\s*def\s+((?:self\.)?\w+[?!=]?)(?:\s*\([^)]*\))?\s*(?=;|$)/,
      inline: /;\s*end\s*$/,
      opens: /[\w?!=)]\s*$/,
      closes: /^\s*end\s*$/,
    },
  ],
  shell: [
    {
      signature: /^\s*(?:function\s+)?([\w-]+)\s*\(\)\s*(?=\{)/,
      inline: /\{\s*(?::|true)\s*;\s*\}\s*$/,
      opens: /\{\s*$/,
      closes: /^\s*\}\s*$/,
    },
  ],
};

function emptyBraced(
  run: readonly RunLine[],
  stubs: Exclude<Stubs, 'python' | 'none'>,
): { line: number; name: string }[] {
  const found: { line: number; name: string }[] = [];
  for (const [at, { line, split }] of run.entries()) {
    for (const shape of SHAPES[stubs]) {
      const match = shape.signature.exec(split.code);
      if (match === null) continue;
      const body = split.code.slice(match[0].length);
      if (isEmptyBody(run, at, body, shape, stubs)) found.push({ line, name: match[1] ?? '' });
      break;
    }
  }
  return found;
}

function isEmptyBody(run: readonly RunLine[], at: number, body: string, shape: Shape, stubs: Stubs): boolean {
  const line = run[at];
  if (line === undefined || line.split.comment !== '') return false;
  if (stubs === 'ruby' ? shape.inline.test(body) : new RegExp(`^${shape.inline.source}`).test(body))
    return true;
  const opensHere = stubs === 'ruby' ? body.trim() === '' : new RegExp(`^${shape.opens.source}`).test(body);
  if (!opensHere) return false;
  for (const { text, split } of run.slice(at + 1, at + 6)) {
    if (text.trim() === '') continue;
    if (split.comment !== '') return false;
    if (stubs === 'shell' && /^\s*(?::|true)\s*$/.test(split.code)) continue;
    return shape.closes.test(split.code);
  }
  return false;
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
