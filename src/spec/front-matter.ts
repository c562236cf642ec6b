/**
 * Front matter, cut off and parsed by gray-matter, which left alone would run code (`---js` is evaluated) and answers
 * from a poisoned cache after a failure. So: options on every call (no cache), the language forced, every engine but
 * our own YAML refused, and size and fences checked before it sees the text.
 */
import matter from 'gray-matter';
import type { ErrorCode } from '../model/codes/index.ts';
import type { Problem } from '../model/error.ts';
import { FILE_START, type Position } from './problem.ts';
import type { Source } from './source.ts';
import { readYaml } from './yaml-source.ts';

export const MAX_SPEC_BYTES = 256 * 1024;
const MAX_FRONT_MATTER = 16 * 1024;

export interface FrontMatter {
  readonly source: Source;
  /** The Markdown after it. */
  readonly body: string;
}

/** The front matter and body of a spec's text (a byte order mark and Windows line ends are fine), or what is wrong. */
export function readFrontMatter(text: string, file: string): FrontMatter | { problems: Problem[] } {
  const plain = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const problem = fenceProblem(plain, file);
  if (problem !== null) return { problems: [problem] };
  let read: ReturnType<typeof readYaml> | null = null;
  const parse = (yaml: string): object => {
    // What gray-matter hands over begins right behind the opening `---`, so lines count as in the file. It ends before
    // the last line feed, and a carriage return alone would be read as text.
    read = readYaml(`${yaml}\n`, file);
    return {};
  };
  try {
    const { content } = matter(plain, {
      language: 'yaml',
      delimiters: '---',
      engines: { ...REFUSED, yaml: { parse } },
    });
    // Only comments between the fences: gray-matter does not call its engine then.
    const result = read ?? readYaml('', file);
    return 'problems' in result ? result : { source: result.source, body: content };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      problems: [problemAt('E_SPEC_SYNTAX', file, FILE_START, `the front matter cannot be read: ${why}`)],
    };
  }
}

const refuse = {
  parse: (): object => {
    throw new Error('front matter is YAML and nothing else');
  },
};
const REFUSED = {
  js: refuse,
  javascript: refuse,
  coffee: refuse,
  coffeescript: refuse,
  cson: refuse,
  json: refuse,
  toml: refuse,
};

function fenceProblem(text: string, file: string): Problem | null {
  const size = Buffer.byteLength(text);
  if (size > MAX_SPEC_BYTES) {
    return {
      ...problemAt('E_SPEC_TOO_LARGE', file, FILE_START, 'the file is too large for a spec'),
      expected: `at most ${MAX_SPEC_BYTES / 1024} KiB`,
      got: `${Math.ceil(size / 1024)} KiB`,
    };
  }
  const nul = text.indexOf('\0');
  if (nul >= 0)
    return problemAt('E_SPEC_ENCODING', file, placeOf(text, nul), 'the file contains a NUL character');
  const opening = /^---([^\n]*)(?:\n|$)/.exec(text);
  const language = opening?.[1]?.trim();
  if (language === undefined || language.startsWith('-')) {
    return {
      ...problemAt('E_SPEC_NO_FRONT_MATTER', file, FILE_START, 'the file does not begin with front matter'),
      expected: 'a line `---`, YAML, a line `---`',
      fix: 'begin with `---`, `task_id: ...`, `---`; a file that is no spec may be called README.md',
    };
  }
  if (language !== '' && language !== 'yaml' && language !== 'yml') {
    return {
      ...problemAt('E_SPEC_NO_FRONT_MATTER', file, FILE_START, `front matter in ${language} is not read`),
      expected: '`---` alone on the first line, and YAML',
      got: `---${language}`,
      fix: 'write the front matter as YAML',
    };
  }
  const end = text.indexOf('\n---');
  if (end < 0) {
    return {
      ...problemAt('E_SPEC_NO_FRONT_MATTER', file, FILE_START, 'the front matter does not end'),
      expected: 'a second line `---` before the Markdown',
      fix: 'add a line `---` after the last key',
    };
  }
  const fence = text
    .slice(end + 1)
    .split('\n', 1)[0]
    ?.trimEnd();
  if (fence !== '---') {
    return {
      ...problemAt(
        'E_SPEC_NO_FRONT_MATTER',
        file,
        placeOf(text, end + 1),
        'a line that begins with `---` and goes on',
      ),
      expected: '`---` alone on the line that ends the front matter',
      fix: 'put `---` on a line of its own, or indent the line if it is part of a text',
    };
  }
  if (end <= MAX_FRONT_MATTER) return null;
  return {
    ...problemAt('E_SPEC_TOO_LARGE', file, FILE_START, 'the front matter is too large'),
    expected: `at most ${MAX_FRONT_MATTER / 1024} KiB`,
    got: `${Math.ceil(end / 1024)} KiB`,
  };
}

function placeOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, col: offset - before.lastIndexOf('\n') };
}

function problemAt(code: ErrorCode, file: string, at: Position, message: string): Problem {
  return { code, severity: 'error', file, line: at.line, col: at.col, message };
}
