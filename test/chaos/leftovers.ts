/**
 * Files that a run left behind where nothing works any more: on its nodes attempts with their trees, more warm trees than
 * it keeps, what interrupted transfers and probes began; at home bundles on their way. What is about to go is waited for.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '../../src/controller/paths.ts';
import { until } from '../cluster/until.ts';
import type { Arena, ArenaNode } from './arena.ts';
import type { Report } from './report.ts';

const PATIENCE_MS = 90_000;
/** What begins with these in a node's `run/` is there while something is under way. */
const UNDER_WAY = /^(?:upload|bundle|sandbox)-|\.new$/u;

/** Warm trees that a node keeps of a project at most (task-wrapper/trees.ts). */
const MOST_TREES = 16;

/** The controller has ended. */
export async function judgeLeftovers(arena: Arena, report: Report): Promise<void> {
  let found: string[] = [];
  const looks = (): boolean => {
    found = [...arena.nodes.flatMap((node) => onNode(arena, node)), ...atHome(arena)];
    return found.length === 0;
  };
  await until('that nothing is left', looks, PATIENCE_MS).catch(() => undefined);
  for (const sentence of found) report.violation(sentence);
}

function onNode({ tasks, home }: Arena, { name, root }: ArenaNode): string[] {
  // What a task that failed had come to stays for a look, and for `rescue`.
  const failed = new Set(tasks.flatMap(({ id, ends }) => (ends === 'failed' ? [id] : [])));
  const looked = new Set(home.executions().flatMap(({ task, token }) => (failed.has(task) ? [token] : [])));
  const attempts = namesIn(join(root, 'attempts')).filter((token) => !looked.has(token));
  const pool = join(root, 'pool');
  const trees = namesIn(pool).flatMap((project) => namesIn(join(pool, project)));
  return [
    ...attempts.map((token) => `${name}: attempt ${token} is left`),
    ...(trees.length > MOST_TREES ? [`${name}: ${trees.length} warm trees are left`] : []),
    ...namesIn(join(root, 'run'))
      .filter((file) => UNDER_WAY.test(file))
      .map((file) => `${name}: run/${file} is left`),
  ];
}

function atHome({ home }: Arena): string[] {
  const { temporary } = homePaths(home.dir);
  return namesIn(temporary).map((file) => `the home: ${join(temporary, file)} is left`);
}

function namesIn(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}
