import { DispatchError } from '../../model/error.ts';
import type { NodeConfig } from '../../model/spec.ts';
import { addNode, type NodeEntry, parseNodes } from '../../spec/nodes.ts';
import { wholeNumber } from '../numbers.ts';
import type { TrustOptions } from './trust.ts';

export interface AddOptions extends TrustOptions {
  /** A node-info.json, or `-`. */
  readonly from?: string;
  readonly target?: string;
  readonly local?: boolean;
  readonly command?: string;
  readonly slots?: string;
  readonly mode?: string;
  readonly label?: readonly string[];
  readonly weight?: string;
  readonly transport?: string;
  readonly root?: string;
  readonly sshConfig?: string;
}

/** The entry of nodes.json that the flags ask for. @throws DispatchError E_USAGE when they contradict each other. */
export function entryFor(name: string, options: AddOptions): NodeEntry {
  const ways = [options.target, options.local, options.command].filter((way) => way !== undefined);
  if (ways.length > 1) {
    throw new DispatchError('E_USAGE', 'a machine is reached in one way: --target, --local or --command', {
      fix: `dispatch nodes add ${name}`,
    });
  }
  const slots = wholeNumber('--slots', options.slots);
  return {
    name,
    ...reachOf(name, options),
    ...(slots === null ? {} : { slots }),
    ...(options.mode === undefined ? {} : { mode: modeOf(options.mode) }),
    ...(options.label === undefined ? {} : { labels: [...options.label] }),
    ...(options.weight === undefined ? {} : { weight: weightOf(options.weight) }),
    ...(options.root === undefined ? {} : { root: options.root }),
  };
}

/**
 * The text of nodes.json with the entry, and the entry as the rest of the program sees it.
 * @throws DispatchError when the file or the entry is not valid.
 */
export function withEntry(text: string, entry: NodeEntry): { text: string; config: NodeConfig } {
  const after = addNode(text, entry);
  const config = parseNodes(after).nodes.find(({ name }) => name === entry.name);
  if (config === undefined) throw new TypeError('the node that was added is not in the file');
  return { text: after, config };
}

function reachOf(name: string, options: AddOptions): Partial<NodeEntry> {
  if (options.local === true) return { local: true };
  if (options.command !== undefined) return { command: wordsOf(options.command) };
  return {
    ssh_target: options.target ?? name,
    ...(options.transport === undefined ? {} : { transport: transportOf(options.transport) }),
    ...(options.sshConfig === undefined ? {} : { ssh_config: options.sshConfig }),
  };
}

/** Split at blanks; an argument with a blank in it needs the JSON form. */
function wordsOf(text: string): string[] {
  if (!text.trimStart().startsWith('[')) return text.split(/\s+/u).filter((word) => word !== '');
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((word) => typeof word === 'string')) return list;
  } catch {
    // Told below, like any other list that is not one of texts.
  }
  throw new DispatchError('E_USAGE', '--command is neither words nor a JSON list of texts', {
    fix: `--command '["kubectl", "exec", "-i", "agent-7", "--"]'`,
  });
}

function transportOf(text: string): 'auto' | 'ssh2' | 'openssh' {
  if (text === 'auto' || text === 'ssh2' || text === 'openssh') return text;
  throw new DispatchError('E_USAGE', `--transport takes auto, ssh2 or openssh, not ${JSON.stringify(text)}`);
}

function modeOf(text: string): 'hybrid' | string[] {
  return text === 'hybrid' ? text : text.split(',').map((name) => name.trim());
}

function weightOf(text: string): number {
  const weight = Number(text);
  if (Number.isFinite(weight) && weight > 0) return weight;
  throw new DispatchError('E_USAGE', `--weight takes a positive number, not ${JSON.stringify(text)}`);
}
