/** node-info.json, which bootstrap.sh prints on a machine: read, and turned into an entry of nodes.json. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { DispatchError } from '../../model/error.ts';
import { isName } from '../../model/ids.ts';
import type { NodeEntry } from '../../spec/nodes.ts';

/** A newer bootstrap.sh may say more: keys that are not known are left alone. */
const schema = z.object({
  kind: z.literal('NodeInfo'),
  version: z.literal(1),
  name: z.string().refine(isName, 'is not a name for a node'),
  slots: z.number().int().min(1).max(1024),
  mode: z.union([z.literal('hybrid'), z.array(z.string().min(1)).min(1)]),
  /** The worker's account. */
  user: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/u),
  root: z.string(),
  /** How the machine believes that it can be reached. */
  address: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.:_-]*$/u),
  port: z.number().int().min(1).max(65_535),
  hostKeys: z.array(z.object({ type: z.string(), fingerprint: z.string().startsWith('SHA256:') })),
});

export type NodeInfo = z.infer<typeof schema>;

const DEFAULT_ROOT = '~/agent-worker';
const MOST_CHARACTERS = 64 * 1024;

/** @param file a path, or `-` for stdin. @throws DispatchError E_NODE_INFO. */
export async function readNodeInfo(file: string): Promise<NodeInfo> {
  const content = await (file === '-' ? text(process.stdin) : readFile(file, 'utf8')).catch(
    (cause: NodeJS.ErrnoException) => {
      throw notInfo(file, cause.code ?? 'it cannot be read');
    },
  );
  return parseNodeInfo(content, file === '-' ? 'stdin' : file);
}

/** @param where for messages. @throws DispatchError E_NODE_INFO. */
export function parseNodeInfo(content: string, where: string): NodeInfo {
  if (content.length > MOST_CHARACTERS) throw notInfo(where, 'it is too large');
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw notInfo(where, content.trim() === '' ? 'it is empty' : 'it is not JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const why = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
  throw notInfo(where, why.join('; '));
}

/** What the file says about the node itself; how it is reached is for the caller to decide. */
export function entryOf(info: NodeInfo): NodeEntry {
  const { name, slots, mode, root } = info;
  return { name, slots, mode, ...(root === DEFAULT_ROOT ? {} : { root }) };
}

/** The target that the machine itself would name: `dispatch@10.0.0.5`. */
export function targetOf({ user, address, port }: NodeInfo): string {
  if (port === 22) return `${user}@${address}`;
  return `ssh://${user}@${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function notInfo(where: string, why: string): DispatchError {
  return new DispatchError('E_NODE_INFO', `${where} is not what bootstrap.sh prints about a node`, {
    where,
    why,
    fix: 'on the machine: bash bootstrap.sh --name … > node-info.json',
  });
}
