/** nodes.json: JSON with comments, a list of nodes or { "nodes": [...] }. Read to NodeConfig, and edited without losing a comment. */
import type { ErrorCode } from '../model/codes/index.ts';
import { DispatchError, type Problem } from '../model/error.ts';
import { nodeName } from '../model/ids.ts';
import { DEFAULT_LEASE_MS } from '../model/lease.ts';
import type { NodeConfig, NodeReach } from '../model/spec.ts';
import { parseDuration } from '../model/time.ts';
import { checkForm } from './check-form.ts';
import { appendElement, removeElement } from './jsonc-list.ts';
import { readJsonc } from './jsonc-source.ts';
import { nearest } from './nearest.ts';
import { FILE_START, type Position, renderProblem, shown } from './problem.ts';
import { type NodeEntry, nodeListSchema, nodesFileSchema } from './schema.ts';
import type { Path, Source } from './source.ts';

export type { NodeEntry } from './schema.ts';

export interface ParsedNodes {
  /** Empty when the file has errors. */
  readonly nodes: readonly NodeConfig[];
  readonly problems: readonly Problem[];
}

const MAX_BYTES = 1024 * 1024;

/** Reads the nodes from the text of nodes.json, or says everything that is wrong with it. */
export function parseNodes(text: string, file = 'nodes.json'): ParsedNodes {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    return {
      nodes: [],
      problems: [problemAt('E_SPEC_TOO_LARGE', file, FILE_START, 'the file is larger than 1 MiB')],
    };
  }
  const read = readJsonc(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, file);
  if ('problems' in read) return { nodes: [], problems: read.problems };
  const { source } = read;
  const { entries, problems: formProblems } = checkedEntries(source);
  const listed = rawEntries(source);
  const problems = [...formProblems, ...reachProblems(listed, source), ...twinProblems(listed, source)];
  if (entries === null || problems.length > 0) return { nodes: [], problems };
  return { nodes: entries.map(nodeOf), problems: [] };
}

/**
 * The text of nodes.json with one more entry at its end. A blank text becomes a new file.
 * @throws DispatchError when the file or the entry is not valid, or the name is taken.
 */
export function addNode(text: string, entry: NodeEntry): string {
  const before = text.trim() === '' ? '{\n  "nodes": []\n}\n' : text;
  refuseProblems(parseNodes(before), before);
  const after = appendElement(before, listPath(before), entry);
  refuseProblems(parseNodes(after), after);
  return after;
}

/**
 * The text of nodes.json without the node of that name.
 * @throws DispatchError when the file is not valid or has no such node.
 */
export function removeNode(text: string, name: string): string {
  const parsed = parseNodes(text);
  refuseProblems(parsed, text);
  const index = parsed.nodes.findIndex((node) => node.name === name);
  if (index < 0) {
    const near = nearest(
      name,
      parsed.nodes.map((node) => node.name),
    );
    const fix = near === null ? {} : { fix: `did you mean ${near}?` };
    throw new DispatchError('E_NOT_FOUND', `no node is called ${shown(name)}`, {
      where: 'nodes.json',
      ...fix,
    });
  }
  return removeElement(text, listPath(text), index);
}

function refuseProblems({ problems }: ParsedNodes, text: string): void {
  const [first] = problems;
  if (first === undefined) return;
  throw new DispatchError(first.code, first.message, {
    where: `${first.file}:${first.line}:${first.col}`,
    why: problems.map((problem) => renderProblem(problem, text)).join('\n'),
    ...(first.fix === undefined ? {} : { fix: first.fix }),
  });
}

function listPath(text: string): string[] {
  const read = readJsonc(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, 'nodes.json');
  return 'source' in read && Array.isArray(read.source.value) ? [] : ['nodes'];
}

function checkedEntries(source: Source): {
  entries: readonly NodeEntry[] | null;
  problems: readonly Problem[];
} {
  if (Array.isArray(source.value)) {
    const form = checkForm(nodeListSchema, source);
    return { entries: form.value, problems: form.problems };
  }
  const form = checkForm(nodesFileSchema, source);
  return { entries: form.value?.nodes ?? null, problems: form.problems };
}

interface RawEntry {
  readonly value: Readonly<Record<string, unknown>>;
  readonly path: Path;
}

/** The entries that are maps at all, so that what spans several keys is checked even where one of them is wrong. */
function rawEntries({ value }: Source): RawEntry[] {
  const inner = isMap(value) ? value.nodes : value;
  if (!Array.isArray(inner)) return [];
  const prefix = isMap(value) ? ['nodes'] : [];
  return inner.flatMap((entry: unknown, index) =>
    isMap(entry) ? [{ value: entry, path: [...prefix, index] }] : [],
  );
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const SSH_ONLY = ['transport', 'socket', 'ssh_config'] as const;

function reachProblems(entries: readonly RawEntry[], source: Source): Problem[] {
  return entries.flatMap(({ value, path }) => {
    const ways = [
      ...(value.ssh_target === undefined ? [] : ['ssh_target']),
      ...(value.local === true ? ['local'] : []),
      ...(value.command === undefined ? [] : ['command']),
    ];
    if (ways.length !== 1) {
      const message =
        ways.length === 0
          ? 'the node cannot be reached'
          : `the node has several ways to be reached: ${ways.join(', ')}`;
      return [
        {
          ...problemAt('E_NODES_REACH', source.file, source.at(path), message),
          expected: 'one of "ssh_target", "local": true, "command"',
          fix:
            ways.length === 0
              ? 'add "ssh_target" with an alias of your ssh configuration'
              : 'keep one of them',
        },
      ];
    }
    if (ways[0] === 'ssh_target') return [];
    return SSH_ONLY.filter((key) => value[key] !== undefined).map((key) => ({
      ...problemAt(
        'E_NODES_REACH',
        source.file,
        source.keyAt([...path, key]),
        `"${key}" means nothing for a node reached by "${ways[0]}"`,
      ),
      fix: 'remove it',
    }));
  });
}

function twinProblems(entries: readonly RawEntry[], source: Source): Problem[] {
  const first = new Map<string, string>();
  return entries.flatMap(({ value: { name }, path }) => {
    if (typeof name !== 'string') return [];
    const twin = first.get(name.toLowerCase());
    if (twin === undefined) {
      first.set(name.toLowerCase(), name);
      return [];
    }
    const message =
      twin === name
        ? `a second node is called ${shown(name)}`
        : `${shown(name)} and ${shown(twin)} differ only by case`;
    return [
      {
        ...problemAt('E_NODES_DUPLICATE', source.file, source.at([...path, 'name']), message),
        fix: 'rename or remove one',
      },
    ];
  });
}

function nodeOf(entry: NodeEntry): NodeConfig {
  return {
    name: nodeName(entry.name),
    slots: entry.slots ?? 1,
    gateSlots: entry.gate_slots ?? null,
    ...(entry.min_free_mb === undefined ? {} : { minFreeMb: entry.min_free_mb }),
    mode: entry.mode ?? 'hybrid',
    labels: entry.labels ?? [],
    weight: entry.weight ?? 1,
    reach: reachOf(entry),
    root: entry.root ?? null,
    leaseMs: leaseOf(entry),
  };
}

function leaseOf({ lease }: NodeEntry): number | null {
  if (lease === 'never') return null;
  return lease === undefined ? DEFAULT_LEASE_MS : parseDuration(lease);
}

function reachOf(entry: NodeEntry): NodeReach {
  if (entry.command !== undefined) return { by: 'command', command: entry.command };
  if (entry.ssh_target === undefined) return { by: 'local' };
  return {
    by: 'ssh',
    target: entry.ssh_target,
    transport: entry.transport ?? 'auto',
    socket: entry.socket ?? null,
    configFile: entry.ssh_config ?? null,
  };
}

function problemAt(code: ErrorCode, file: string, at: Position, message: string): Problem {
  return { code, severity: 'error', file, line: at.line, col: at.col, message };
}
