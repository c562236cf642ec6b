import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DispatchError } from '../model/error.ts';
import type { NodeConfig } from '../model/spec.ts';
import { parseNodes } from '../spec/nodes.ts';
import { renderProblem } from '../spec/problem.ts';
import { notFound } from './select.ts';

/** nodes.json for verbs that can show something without it: empty when it is missing or wrong. */
export async function nodesOf(home: string): Promise<readonly NodeConfig[]> {
  const text = await readFile(nodesPath(home), 'utf8').catch(() => '');
  return parseNodes(text).nodes;
}

/** @throws DispatchError E_NODES_MISSING, or the first problem of the file with all of them as its reason. */
export async function requireNodes(home: string): Promise<readonly NodeConfig[]> {
  const text = await readNodes(home);
  const { nodes, problems } = parseNodes(text);
  const [first] = problems;
  if (first === undefined) return nodes;
  throw new DispatchError(first.code, first.message, {
    where: `${nodesPath(home)}:${first.line}:${first.col}`,
    why: problems.map((problem) => renderProblem(problem, text)).join('\n'),
    ...(first.fix === undefined ? {} : { fix: first.fix }),
  });
}

/** @throws as requireNodes, and E_NOT_FOUND naming the nearest. */
export async function selectNode(home: string, typed: string): Promise<NodeConfig> {
  const nodes = await requireNodes(home);
  const found = nodes.find(({ name }) => name === typed);
  if (found !== undefined) return found;
  throw notFound(
    'node',
    typed,
    nodes.map(({ name }) => name),
    'dispatch nodes list',
  );
}

export function nodesPath(home: string): string {
  return join(home, 'nodes.json');
}

/** @throws DispatchError E_NODES_MISSING. */
export async function readNodes(home: string): Promise<string> {
  try {
    return await readFile(nodesPath(home), 'utf8');
  } catch (cause) {
    throw new DispatchError('E_NODES_MISSING', 'there is no nodes.json', {
      where: home,
      why: (cause as NodeJS.ErrnoException).code ?? 'it cannot be read',
      fix: 'dispatch init   (keeps what is there)',
      cause,
    });
  }
}
