/**
 * What is wrong with a contract: interfaces without an example of both sides, examples that are no JSON, one field under
 * two spellings, one interface twice. Agents that work at the same time rely on every one of these.
 */
import type { Problem } from '../model/error.ts';
import { type Position, sortProblems } from '../spec/problem.ts';
import { type Field, readExample } from './example.ts';
import type { Side } from './label.ts';
import { hasNoBody, type Interface, readContract } from './read.ts';

export interface CheckedInterface {
  readonly name: string;
  readonly line: number;
  /** Names of the fields in its examples, each once, in order. */
  readonly request: readonly string[];
  readonly response: readonly string[];
}

/** What the examples of the interfaces below one path show of its data. */
export interface Resource {
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly type: string }[];
}

export interface CheckedContract {
  readonly interfaces: readonly CheckedInterface[];
  readonly resources: readonly Resource[];
  readonly problems: readonly Problem[];
}

/** @param file path as the user would type it. */
export function checkContract(text: string, file: string): CheckedContract {
  const found = readContract(text);
  const spellings = new Map<string, Spelling>();
  const problems: Problem[] = [];
  const report = (problem: Omit<Problem, 'file' | 'severity'>): void => {
    problems.push({ ...problem, file, severity: 'error' });
  };
  if (found.length === 0) {
    report({
      code: 'E_CONTRACT_EMPTY',
      line: 1,
      col: 1,
      message: 'no interface is described here',
      expected: 'headings such as `### POST /posts`, each with a request and a response in ```json',
      fix: 'dispatch contract check --help',
    });
  }
  const interfaces = new Map<string, Merged>();
  for (const one of found) {
    const known = interfaces.get(one.key);
    const twin = known?.parts.find(({ listed }) => listed === one.listed);
    if (twin !== undefined) {
      report({
        code: 'E_CONTRACT_DUPLICATE',
        ...one.at,
        message: `${one.name} is described a second time`,
        expected: `one description; the first is in line ${twin.at.line}`,
        fix: 'remove one of the two',
      });
    }
    if (known === undefined) interfaces.set(one.key, { parts: [one], fields: { request: [], response: [] } });
    else known.parts.push(one);
  }
  for (const merged of interfaces.values()) {
    for (const example of merged.parts.flatMap(({ examples }) => examples)) {
      const read = readExample(example);
      if ('fault' in read) {
        report({
          code: 'E_CONTRACT_JSON',
          ...read.at,
          message: `the ${example.side} of ${nameOf(merged)} is no valid JSON: ${read.fault}`,
          fix: 'mend the JSON; comments need a fence that says ```jsonc',
        });
        continue;
      }
      merged.fields[example.side].push(...read.fields);
      for (const field of read.fields) compareSpelling(spellings, field, nameOf(merged), report);
    }
    for (const side of missingSides(merged)) {
      const [first] = merged.parts;
      report({
        code: 'E_CONTRACT_NO_EXAMPLE',
        ...(first?.at ?? { line: 1, col: 1 }),
        message: `${nameOf(merged)} has no example of its ${side}`,
        expected: `a line \`${side === 'request' ? 'Request' : 'Response'}:\` and a \`\`\`json block below it`,
        fix: `add one, or the line \`${side === 'request' ? 'Request: none' : 'Response 204: none'}\``,
      });
    }
  }
  return {
    interfaces: [...interfaces.values()].map((merged) => ({
      name: nameOf(merged),
      line: merged.parts[0]?.at.line ?? 1,
      request: namesOf(merged.fields.request),
      response: namesOf(merged.fields.response),
    })),
    resources: resourcesOf([...interfaces.values()]),
    problems: sortProblems(problems),
  };
}

/** What a table and a heading say of one interface. */
interface Merged {
  readonly parts: Interface[];
  readonly fields: Readonly<Record<Side, Field[]>>;
}

function namesOf(fields: readonly Field[]): string[] {
  return [...new Set(fields.map(({ name }) => name))];
}

/** By the first part of the path that is a name: `/api/v1/posts/{id}` is about posts. */
function resourcesOf(all: readonly Merged[]): Resource[] {
  const resources = new Map<string, Map<string, string>>();
  for (const merged of all) {
    const path = nameOf(merged).split(' ')[1] ?? nameOf(merged);
    const name = path.split('/').find((part) => /^[A-Za-z]/u.test(part) && !/^(?:api|v\d+)$/iu.test(part));
    const fields = resources.get(name ?? path) ?? new Map<string, string>();
    for (const { name: field, type } of [...merged.fields.response, ...merged.fields.request])
      if (!fields.has(field)) fields.set(field, type);
    resources.set(name ?? path, fields);
  }
  return Array.from(resources, ([name, fields]) => ({
    name,
    fields: Array.from(fields, ([field, type]) => ({ name: field, type })),
  }));
}

function nameOf({ parts }: Merged): string {
  return parts[0]?.name ?? '';
}

function missingSides({ parts }: Merged): Side[] {
  const shows = (side: Side): boolean =>
    parts.some(({ examples, empty }) => empty.has(side) || examples.some((one) => one.side === side));
  const bodiless = parts.some(({ key }) => hasNoBody(key));
  return (['request', 'response'] as const).filter(
    (side) => !shows(side) && !(side === 'request' && bodiless),
  );
}

interface Spelling {
  readonly name: string;
  readonly at: Position;
  readonly where: string;
  /** Other spellings that were reported already. */
  readonly told: Set<string>;
}

/** One word, written in two ways. */
function compareSpelling(
  known: Map<string, Spelling>,
  { name, at }: Field,
  where: string,
  report: (problem: Omit<Problem, 'file' | 'severity'>) => void,
): void {
  const word = name.replaceAll(/[_\s-]/gu, '').toLowerCase();
  const first = known.get(word);
  if (first === undefined) {
    known.set(word, { name, at, where, told: new Set() });
    return;
  }
  if (first.name === name || first.told.has(name)) return;
  first.told.add(name);
  report({
    code: 'E_CONTRACT_FIELD',
    ...at,
    message: `${JSON.stringify(name)} in ${where} is ${JSON.stringify(first.name)} in ${first.where}`,
    expected: `one spelling; the first is in line ${first.at.line}`,
    fix: `write ${JSON.stringify(first.name)} in both`,
  });
}
