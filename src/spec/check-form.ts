/** Holds a parsed file against its schema, and says what is wrong in words and places. */
import type * as z from 'zod';
import type { ErrorCode } from '../model/codes/index.ts';
import { CODES } from '../model/codes/index.ts';
import type { Problem } from '../model/error.ts';
import { nearest } from './nearest.ts';
import { type Position, shown } from './problem.ts';
import type { Path, Source } from './source.ts';

export type Checked<T> =
  | { readonly value: T; readonly problems: readonly Problem[] }
  | { readonly value: null; readonly problems: readonly Problem[] };

/**
 * The value as its schema types it, or every way in which it does not fit. Where the schema wants text and the file
 * has a number or a truth value without quotes, the text is taken as it was written: `task_id: 012` is "012".
 */
export function checkForm<T>(schema: z.ZodType<T>, source: Source): Checked<T> {
  let value = source.value;
  let result = schema.safeParse(value);
  for (let pass = 0; pass < 2 && !result.success; pass++) {
    const texts = result.error.issues.flatMap((issue) => meantAsText(issue, source));
    if (texts.length === 0) break;
    value = structuredClone(value);
    for (const { path, text } of texts) replaceAt(value, path, text);
    result = schema.safeParse(value);
  }
  if (result.success) return { value: result.data, problems: [] };
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, schema, source, value));
  return { value: null, problems };
}

function meantAsText(issue: z.core.$ZodIssue, source: Source): { path: Path; text: string }[] {
  if (issue.code === 'invalid_union') {
    return issue.errors
      .flat()
      .flatMap((inner) => meantAsText({ ...inner, path: [...issue.path, ...inner.path] }, source));
  }
  if (issue.code !== 'invalid_type' || issue.expected !== 'string') return [];
  const text = source.written(issue.path);
  return text === null ? [] : [{ path: issue.path, text }];
}

function replaceAt(root: unknown, path: Path, text: string): void {
  const parent = valueAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (typeof parent === 'object' && parent !== null && last !== undefined) {
    Object.defineProperty(parent, last, {
      value: text,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[name];
  }
  return value;
}

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodType, source: Source, root: unknown): Problem[] {
  const { path } = issue;
  const label = path.length === 0 ? 'the file' : `\`${dotted(path)}\``;
  const value = valueAt(root, path);
  const make = (code: ErrorCode, at: Position, message: string, more: Partial<Problem> = {}): Problem => ({
    code,
    severity: 'error',
    file: source.file,
    line: at.line,
    col: at.col,
    message,
    ...more,
  });
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const known = knownKeys(schema, path);
        const near = nearest(key, known);
        return make('E_SPEC_UNKNOWN_KEY', source.keyAt([...path, key]), `unknown key ${shown(key)}`, {
          expected: known.length <= 16 ? `one of ${known.join(', ')}` : 'a known key',
          fix: near === null ? 'remove it' : `did you mean "${near}"?`,
        });
      });
    case 'invalid_type':
      if (value === undefined) {
        return [
          make('E_SPEC_MISSING_KEY', source.at(path), `${label} is missing`, {
            expected: expectedWord(issue.expected),
            ...exampleOf(path),
          }),
        ];
      }
      return [
        make(
          value === null ? 'E_SPEC_MISSING_KEY' : 'E_SPEC_TYPE',
          source.at(path),
          `${label} ${value === null ? 'has no value' : 'has the wrong type'}`,
          {
            expected: expectedWord(issue.expected),
            got: `${typeWord(value)} ${shown(value)}`,
            ...typeFix(issue.expected, value),
          },
        ),
      ];
    case 'invalid_union':
      return [
        make('E_SPEC_TYPE', source.at(path), `${label} has the wrong type`, {
          expected: unionWords(issue),
          got: value === undefined ? 'nothing' : `${typeWord(value)} ${shown(value)}`,
        }),
      ];
    case 'invalid_value': {
      const choices = issue.values.map(String);
      const near = typeof value === 'string' ? nearest(value, choices) : null;
      return [
        make('E_SPEC_VALUE', source.at(path), `${label} has a value that means nothing here`, {
          expected: choices.length === 1 ? (choices[0] ?? '') : `one of ${choices.join(', ')}`,
          got: shown(value),
          ...(near === null ? {} : { fix: `did you mean "${near}"?` }),
        }),
      ];
    }
    case 'too_small':
    case 'too_big': {
      const limit = issue.code === 'too_small' ? issue.minimum : issue.maximum;
      const word =
        issue.code === 'too_small' ? (issue.inclusive === false ? 'more than' : 'at least') : 'at most';
      const of = issue.origin === 'array' ? ' entries' : '';
      return [
        make(
          'E_SPEC_VALUE',
          source.at(path),
          `${label} is too ${issue.code === 'too_small' ? 'small' : 'large'}`,
          {
            expected: `${word} ${limit}${of}`,
            got: Array.isArray(value) ? `${value.length} entries` : shown(value),
          },
        ),
      ];
    }
    case 'invalid_key':
      return issue.issues.flatMap((inner) =>
        problemsOf(
          { ...inner, path } as z.core.$ZodIssue,
          schema,
          { ...source, at: (to) => source.keyAt(to) },
          root,
        ).map((problem) => ({
          ...problem,
          got: shown(path.at(-1)),
        })),
      );
    default: {
      const code = issue.code === 'custom' ? ownCode(issue.params?.code) : 'E_SPEC_VALUE';
      return [make(code, source.at(path), `${label} ${issue.message}`, { got: shown(value) })];
    }
  }
}

function ownCode(code: unknown): ErrorCode {
  return typeof code === 'string' && Object.hasOwn(CODES, code) ? (code as ErrorCode) : 'E_SPEC_VALUE';
}

/** `gates.placeholder.allow[0].path`, counted from 0 as everyone's tools do. */
function dotted(path: Path): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? String(step) : `.${String(step)}`))
    .join('');
}

/** The keys that the schema knows at the path; empty where any key may stand. */
function knownKeys(schema: z.ZodType, path: Path): string[] {
  let at: z.core.$ZodType | undefined = schema;
  for (const step of path) {
    at = unwrapped(at);
    const def: z.core.$ZodTypeDef | undefined = at?._zod.def;
    if (def?.type === 'object') at = (def as z.core.$ZodObjectDef).shape[String(step)];
    else if (def?.type === 'array') at = (def as z.core.$ZodArrayDef).element;
    else if (def?.type === 'record') at = (def as z.core.$ZodRecordDef).valueType;
    else return [];
  }
  const def = unwrapped(at)?._zod.def;
  return def?.type === 'object' ? Object.keys((def as z.core.$ZodObjectDef).shape) : [];
}

function unwrapped(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let at = schema;
  while (at !== undefined && 'innerType' in at._zod.def)
    at = (at._zod.def as z.core.$ZodOptionalDef).innerType;
  if (at?._zod.def.type !== 'union') return at;
  // Keys can only be those of the alternative that has some.
  const { options } = at._zod.def as z.core.$ZodUnionDef;
  return options.find((option) => option._zod.def.type === 'object') ?? at;
}

function unionWords(issue: z.core.$ZodIssueInvalidUnion): string {
  const words = issue.errors.flatMap((issues) =>
    issues.slice(0, 1).map((inner) => {
      if (inner.code === 'invalid_type') return expectedWord(inner.expected);
      if (inner.code === 'invalid_value') return inner.values.map((value) => shown(value)).join(', ');
      return inner.message;
    }),
  );
  return [...new Set(words)].join(', or ');
}

function expectedWord(expected: string): string {
  return WORDS[expected] ?? expected;
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
};

function typeWord(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return WORDS[typeof value] ?? typeof value;
}

function typeFix(expected: string, value: unknown): Partial<Problem> {
  if (expected === 'array' && typeof value === 'string')
    return { fix: `write it as a list: [${shown(value)}]` };
  if (expected === 'boolean' && typeof value === 'string' && /^(?:yes|on|no|off)$/i.test(value)) {
    return { fix: `write ${/^(?:yes|on)$/i.test(value) ? 'true' : 'false'}` };
  }
  const priority = typeof value === 'string' ? /^p([0-3])$/i.exec(value)?.[1] : undefined;
  return expected === 'number' && priority !== undefined ? { fix: `write ${priority}` } : {};
}

const EXAMPLES: Readonly<Record<string, string>> = {
  task_id: 'add `task_id: S01-short-name`',
  name: 'add "name": "node-1"',
  nodes: 'add "nodes": []',
  tokens: 'add `tokens: 400000`',
  path: 'add `path: "src/**"`',
  text: 'add the text that is allowed, `text: "TODO(next)"`',
  reason: 'say why, `reason: ...`',
};

function exampleOf(path: Path): Partial<Problem> {
  const key = path.at(-1);
  const fix = typeof key === 'string' && Object.hasOwn(EXAMPLES, key) ? EXAMPLES[key] : undefined;
  return fix === undefined ? {} : { fix };
}
