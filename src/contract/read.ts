/**
 * Reads the contract that a project's tasks share: a Markdown file that people and models write, so the grammar forgives.
 *
 * An interface begins where a heading names one: `### POST /posts`, `## 2.1 创建 \`GET /posts/{id}\``, `### Interface: createPost`,
 * `### 接口：createPost`; a row of a table (`| POST | /posts | … |`) names one too. Its examples are the fenced JSON blocks up to the next heading of the same level,
 * or of an interface. A block is the request or the response by the last word above it that says so (a deeper heading, a
 * line such as `Response 201:` or `请求：`), or by the words behind its fence (```json response). Without any, the first is the
 * request and the second the response, except where the method has no body. `Request: none` and `Response 204` (and 无) stand
 * for an example where there is nothing to show.
 */
import type { Position } from '../spec/problem.ts';
import { labelOf, type Side } from './label.ts';
import { type ContractLine, contractLines } from './lines.ts';

export interface Interface {
  /** `POST /posts`, as it is compared: the method in capitals, `{id}` for any parameter. */
  readonly key: string;
  /** As it was written. */
  readonly name: string;
  readonly at: Position;
  /** In a table; the headings may say more of it. */
  readonly listed: boolean;
  readonly examples: readonly Example[];
  /** Sides of which it is said that there is nothing to show. */
  readonly empty: ReadonlySet<Side>;
}

export interface Example {
  readonly side: Side;
  /** Of the first line inside the fence. */
  readonly at: Position;
  readonly json: string;
  /** Comments are allowed in it. */
  readonly comments: boolean;
}

/** Interfaces in the order of the file; those of tables and those of headings each on their own. */
export function readContract(text: string): Interface[] {
  const found: Draft[] = [];
  let open: Draft | null = null;
  for (const line of contractLines(text)) {
    if (line.is === 'heading') {
      const named = interfaceIn(line.title);
      if (named !== null) {
        open = draft(named, line.at, line.level);
        found.push(open);
      } else if (open !== null && line.level <= open.level) open = null;
      else if (open !== null) note(open, line.title);
    } else if (line.is === 'row') {
      const named = rowInterface(line.cells);
      if (named !== null) found.push({ ...draft(named, line.at, 0), listed: true });
      else if (open !== null) note(open, line.cells.join(' '));
    } else if (line.is === 'text') {
      if (open !== null) note(open, line.text);
    } else if (open !== null) take(open, line);
  }
  return found.map(({ key, name, at, listed, examples, empty }) => ({
    key,
    name,
    at,
    listed,
    examples,
    empty,
  }));
}

interface Draft extends Interface {
  readonly level: number;
  readonly examples: Example[];
  readonly empty: Set<Side>;
  /** Which side the words above speak of. */
  said: Side | null;
}

function draft(name: string, at: Position, level: number): Draft {
  return { key: keyOf(name), name, at, level, listed: false, examples: [], empty: new Set(), said: null };
}

const METHODS = 'GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|WS|WSS|SSE|RPC|EVENT';
const CALL = new RegExp(`(?:^|[^A-Za-z])(${METHODS})[\\s:：]+(\\/[^\\s\`|*，。；,;)）]*)`, 'iu');
const NAMED = /^(?:\d+(?:\.\d+)*[.、)]?\s*)?(?:interface|endpoint|api|event|接口|事件)\s*[:：]\s*(\S.*)$/iu;

/** What a heading names; null: it is no interface. */
function interfaceIn(title: string): string | null {
  const plain = title.replaceAll(/[`*]/gu, '');
  const call = CALL.exec(plain);
  if (call !== null) return `${(call[1] ?? '').toUpperCase()} ${call[2] ?? ''}`;
  return NAMED.exec(plain)?.[1]?.trim() ?? null;
}

function rowInterface(cells: readonly string[]): string | null {
  const plain = cells.map((cell) => cell.replaceAll(/[`*]/gu, '').trim());
  const method = plain.findIndex((cell) => new RegExp(`^(?:${METHODS})$`, 'iu').test(cell));
  const path = plain.find((cell) => /^\/\S*$/u.test(cell));
  if (method >= 0 && path !== undefined) return `${plain[method]?.toUpperCase()} ${path}`;
  const together = plain.map((cell) => CALL.exec(cell)).find((match) => match?.index === 0);
  return together == null ? null : `${(together[1] ?? '').toUpperCase()} ${together[2] ?? ''}`;
}

/** `/posts/:id/` and `/posts/{postId}` are one; what stands behind a `?` is not part of the name. */
function keyOf(name: string): string {
  const [method = '', path] = name.split(' ');
  if (path === undefined || !path.startsWith('/')) return name.toLowerCase();
  const plain = path
    .replace(/[?#].*$/u, '')
    .replaceAll(/:[A-Za-z_]\w*|\{[^}]*\}|<[^>]*>/gu, '{}')
    .replace(/(?<=.)\/+$/u, '');
  return `${method} ${plain}`;
}

function note(open: Draft, words: string): void {
  const label = labelOf(words);
  if (label === null) return;
  open.said = label.side;
  if (label.empty) open.empty.add(label.side);
}

function take(open: Draft, block: Extract<ContractLine, { is: 'block' }>): void {
  if (!/^(?:json[c5]?|javascript|js)?(?:\s|$)/iu.test(block.info)) return;
  const language = /^\S*/u.exec(block.info)?.[0].toLowerCase() ?? '';
  // Without a language it may be anything: a shell line, a diagram.
  if (language === '' && !/^\s*[[{]/u.test(block.text)) return;
  const side = labelOf(block.info.slice(language.length))?.side ?? open.said ?? sideByOrder(open);
  const comments = language !== 'json' && language !== '';
  open.examples.push({ side, at: block.at, json: block.text, comments });
}

function sideByOrder({ key, examples }: Draft): Side {
  if (hasNoBody(key)) return 'response';
  return examples.some(({ side }) => side === 'request') ? 'response' : 'request';
}

/** The method carries nothing that could be shown. */
export function hasNoBody(key: string): boolean {
  return /^(?:GET|HEAD|DELETE|OPTIONS|SSE) /u.test(key);
}
