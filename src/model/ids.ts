/**
 * Names and identifiers. Each is validated once, where it enters (a spec, nodes.json, a message), and is a branded
 * type from then on: a plain string can never be used where an identifier is meant.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type ProjectName = Branded<'ProjectName'>;
export type TaskId = Branded<'TaskId'>;
/** `project/task`: the key of a task in every map. Neither part can contain a slash. */
export type TaskKey = Branded<'TaskKey'>;
export type NodeName = Branded<'NodeName'>;
/** 128 random bits as 32 lower-case hexadecimal digits: which try at a task an effect belongs to. */
export type Token = Branded<'Token'>;
/** A full git object id (40 or 64 hexadecimal digits). */
export type CommitId = Branded<'CommitId'>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const TOKEN = /^[0-9a-f]{32}$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** True for what may name a task, a project or a node: a letter or digit, then up to 63 of letters, digits, `.`, `_`, `-`. */
export function isName(text: string): boolean {
  return NAME.test(text) && !text.endsWith('.lock') && !text.includes('..');
}
export function isToken(text: unknown): text is Token {
  return typeof text === 'string' && TOKEN.test(text);
}
export function isCommitId(text: unknown): text is CommitId {
  return typeof text === 'string' && COMMIT.test(text);
}

export function projectName(text: string): ProjectName {
  return named(text, 'project') as ProjectName;
}
export function taskId(text: string): TaskId {
  return named(text, 'task') as TaskId;
}
export function nodeName(text: string): NodeName {
  return named(text, 'node') as NodeName;
}
/** @throws RangeError when the text is not a full object id. */
export function commitId(text: string): CommitId {
  if (!isCommitId(text)) throw new RangeError(`not a commit id: ${JSON.stringify(text)}`);
  return text;
}
/** @throws RangeError when the text is not 32 hexadecimal digits. */
export function token(text: string): Token {
  if (!isToken(text)) throw new RangeError(`not an attempt token: ${JSON.stringify(text)}`);
  return text;
}
/** A token from 16 random bytes; the caller brings the randomness, so that pure rooms and the simulator stay deterministic. */
export function tokenFrom(bytes: Uint8Array): Token {
  if (bytes.length !== 16) throw new RangeError(`a token needs 16 bytes, got ${bytes.length}`);
  let text = '';
  for (const byte of bytes) text += HEX[byte] ?? '';
  return text as Token;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function taskKey(project: ProjectName, task: TaskId): TaskKey {
  return `${project}/${task}` as TaskKey;
}

function named(text: string, what: string): string {
  if (!isName(text)) throw new RangeError(`not a valid ${what} name: ${JSON.stringify(text)}`);
  return text;
}
