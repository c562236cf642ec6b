import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBackupName } from '../backup/manifest.ts';
import { homePaths } from '../controller/paths.ts';
import type { Environment } from './environment.ts';
import { findHome } from './home.ts';
import { nodesOf } from './nodes-file.ts';
import { safeLine } from './render/safe-text.ts';
import { readSettings } from './settings.ts';

type Named = readonly [name: string, text: string];

export interface CompletionNames {
  readonly projects: readonly Named[];
  readonly tasks: readonly Named[];
  readonly nodes: readonly Named[];
  /** Only for a line that is about them. */
  readonly alerts: readonly Named[];
  readonly sinks: readonly Named[];
  /** Newest first. */
  readonly backups: readonly Named[];
}

/** More than anybody reads in a menu; what is typed narrows it. */
const MOST = 500;

/**
 * Names of this home for the shell: projects from the folder, tasks from the store when there is one, else from the
 * names of the spec files. Takes the home from a --home on the line. Throws when there is no home.
 */
export async function completionNames(
  environment: Environment,
  words: readonly string[],
): Promise<CompletionNames> {
  const at = words.indexOf('--home');
  const named = at < 0 ? undefined : words[at + 1];
  const settings = await readSettings(environment, named === undefined ? {} : { home: named });
  const home = findHome(environment, settings);
  const projects = await projectFolders(home);
  const begin = words.at(-1) ?? '';
  const tasks = await tasksInStore(home, begin).catch(() => tasksInFolders(home, projects, begin));
  const nodes = await nodesOf(home);
  const isAlerts = words.includes('alerts');
  return {
    alerts: isAlerts ? await alertsInStore(home).catch(() => []) : [],
    sinks: isAlerts ? await sinksOf(home) : [],
    projects: projects.map((name) => [name, '']),
    tasks,
    nodes: nodes.map(({ name, slots }) => [name, `${slots} slots`]),
    backups: await backupNames(home),
  };
}

async function backupNames(home: string): Promise<Named[]> {
  const names = await readdir(homePaths(home).backups).catch(() => []);
  return names
    .filter((name) => parseBackupName(name) !== null)
    .toSorted()
    .toReversed()
    .map((name) => [name, '']);
}

async function projectFolders(home: string): Promise<string[]> {
  const entries = await readdir(join(home, 'specs'), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function tasksInStore(home: string, begin: string): Promise<Named[]> {
  const { openReader } = await import('../store/sqlite/reader.ts');
  const reader = await openReader(homePaths(home).database, { busyTimeoutMs: 50 });
  try {
    const tasks = await reader.taskNames(begin, MOST);
    return tasks.map(({ name, title }) => [name, title]);
  } finally {
    await reader.close();
  }
}

async function alertsInStore(home: string): Promise<Named[]> {
  const { openReader } = await import('../store/sqlite/reader.ts');
  const reader = await openReader(homePaths(home).database, { busyTimeoutMs: 50 });
  try {
    const { alerts } = await reader.load();
    return [...alerts.values()].flatMap(({ key, message, resolved }): Named[] =>
      resolved === null ? [[key, safeLine(message)]] : [],
    );
  } finally {
    await reader.close();
  }
}

async function sinksOf(home: string): Promise<Named[]> {
  const { loadAlerts } = await import('../spec/load.ts');
  return (await loadAlerts(home)).settings.sinks.map(({ name, kind }) => [name, kind]);
}

async function tasksInFolders(home: string, projects: readonly string[], begin: string): Promise<Named[]> {
  const found: Named[] = [];
  for (const project of projects) {
    for (const file of await readdir(join(home, 'specs', project))) {
      if (!file.endsWith('.md')) continue;
      const id = file.slice(0, -3);
      const name = begin.includes('/') ? `${project}/${id}` : id;
      if (name.startsWith(begin)) found.push([name, '']);
      if (found.length === MOST) return found;
    }
  }
  return found;
}
