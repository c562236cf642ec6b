/**
 * Functions whose whole body is empty. Only a function whose signature and body were both added is looked at. A body
 * that holds a comment is not empty: whoever says why nothing is to be done there has thought about it. Left alone
 * are what languages make people write: constructors (also those that are functions with a prototype), abstract and
 * overloaded declarations, marker methods, functions named for doing nothing, and doubles in tests; an empty test is not.
 */
import type { RunLine } from './run-line.ts';
import type { Stubs, Syntax } from './language.ts';
import { emptyPython } from './python.ts';
import { isTestPath } from './test-path.ts';

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

const IDLE_NAME =
  /^_*(?:do_?nothing|nothing|ignore|identity|empty|dummy|constructor|initialize|init|nop)(?![a-z])|no_?op|^__\w+__$|^__construct/i;
const TEST_NAME = /^(?:test|it$|specify$|Test)/;

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
        /^\s*(?:export\s+)?const\s+([\w$]+)\s*(?::[^=]*(?:=>[^=]*)?)?=\s*(?:async\s*)?(?:\((?:[^{}=]|=(?!>))*\)|[\w$]+)\s*(?::\s*[^={}]+)?=>\s*(?=\{)/,
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
      const name = match[1] ?? '';
      if (ignoresAll(match[0]) || (stubs === 'script' && isNoStub(run, at, name))) break;
      if (isEmptyBody(run, at, body, shape, stubs)) found.push({ line, name });
      break;
    }
  }
  return found;
}

/** The class of the time before `class`, whose methods are on its prototype; or declared, in its own comment, abstract. */
function isNoStub(run: readonly RunLine[], at: number, name: string): boolean {
  return isConstructor(run, name) || isDeclaredAbstract(run, at);
}

function isConstructor(run: readonly RunLine[], name: string): boolean {
  if (!/^[A-Z]/.test(name)) return false;
  const own = [`${name}.prototype`, `inherits(${name},`];
  return run.some(({ split }) =>
    own.some((text) => split.code.includes(text) && standsAlone(split.code, text)),
  );
}

/** Not the end of a longer name. */
function standsAlone(code: string, text: string): boolean {
  return !/[\w$]/.test(code[code.indexOf(text) - 1] ?? '');
}

/** In the comment right above it. */
function isDeclaredAbstract(run: readonly RunLine[], at: number): boolean {
  for (let above = at - 1; above >= 0; above--) {
    const { code = '', comment = '' } = run[above]?.split ?? {};
    if (comment === '' || code.trim() !== '') return false;
    if (/^[\s*/]*@(?:abstract|virtual)\b/.test(comment)) return true;
  }
  return false;
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

/** Parameters that are all named as unused: the author meant to do nothing with them. */
function ignoresAll(signature: string): boolean {
  const inner = signature.slice(signature.indexOf('(') + 1, signature.lastIndexOf(')'));
  return inner.trim() !== '' && inner.split(',').every((parameter) => /^\s*(?:\.\.\.)?_/.test(parameter));
}
