import { DispatchError } from '../../model/error.ts';
import { indexesOf } from '../../model/indexes.ts';
import type { State } from '../../model/state.ts';
import type { Db } from './database.ts';
import { allAlerts } from './rows/alerts.ts';
import { allAttempts } from './rows/attempts.ts';
import { allCredentials } from './rows/credentials.ts';
import { storedEpoch } from './rows/epoch.ts';
import { allNodes } from './rows/nodes.ts';
import { allProjects } from './rows/projects.ts';
import { allTasks } from './rows/tasks.ts';

/**
 * State as the tables have it, all of it from one snapshot of the database; no event is read.
 * @throws DispatchError E_STORE_DAMAGED when a row does not hold what dispatch writes.
 */
export function loadState(db: Db): State {
  try {
    return db.transaction(() => readState(db))();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new DispatchError('E_STORE_DAMAGED', 'a row of the store cannot be read', {
      where: db.name,
      why: error.message,
      cause: error,
    });
  }
}

function readState(db: Db): State {
  const stored = allAttempts(db);
  const tasks = byKey(allTasks(db), (task) => task.key);
  const attempts = byKey(
    stored.map(({ attempt }) => attempt),
    (attempt) => attempt.token,
  );
  return {
    epoch: storedEpoch(db),
    projects: byKey(allProjects(db), (project) => project.name),
    tasks,
    attempts,
    nodes: byKey(allNodes(db), (node) => node.name),
    credentials: byKey(allCredentials(db), (credential) => credential.name),
    alerts: byKey(allAlerts(db), (alert) => alert.key),
    fenced: new Set(stored.filter(({ unconfirmed }) => unconfirmed).map(({ attempt }) => attempt.token)),
    ...indexesOf(tasks, attempts),
  };
}

function byKey<K, V>(items: readonly V[], key: (item: V) => K): Map<K, V> {
  return new Map(items.map((item) => [key(item), item]));
}
