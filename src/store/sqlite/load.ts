import { DispatchError } from '../../model/error.ts';
import { indexesOf } from '../../model/indexes.ts';
import type { Credential } from '../../model/credential.ts';
import type { AlertState } from '../../model/alert.ts';
import type { NodeState, State } from '../../model/state.ts';
import type { Project, Task } from '../../model/task.ts';
import type { Db } from './database.ts';
import { allAlerts } from './rows/alerts.ts';
import { allAttempts, type StoredAttempt } from './rows/attempts.ts';
import { allCredentials } from './rows/credentials.ts';
import { storedEpoch } from './rows/epoch.ts';
import { allNodes } from './rows/nodes.ts';
import { allProjects } from './rows/projects.ts';
import { allTasks } from './rows/tasks.ts';

/**
 * Statements that read the state as the tables have it, all of it from one snapshot of the database; no event is read.
 * They are prepared when they are needed first.
 * @throws DispatchError E_STORE_DAMAGED, when called, for a row that does not hold what dispatch writes.
 */
export function stateLoader(db: Db): () => State {
  let load: (() => State) | null = null;
  return () => {
    try {
      load ??= db.transaction(stateReader(db));
      return load();
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new DispatchError('E_STORE_DAMAGED', 'a row of the store cannot be read', {
        where: db.name,
        why: error.message,
        cause: error,
      });
    }
  };
}

function stateReader(db: Db): () => State {
  const all = {
    epoch: storedEpoch(db),
    projects: allProjects(db),
    nodes: allNodes(db),
    credentials: allCredentials(db),
    alerts: allAlerts(db),
    tasks: allTasks(db),
    attempts: allAttempts(db),
  };
  return () => readState(all);
}

/** What the tables hold, each in the order of its rows. */
interface Tables {
  readonly epoch: () => number;
  readonly projects: () => readonly Project[];
  readonly nodes: () => readonly NodeState[];
  readonly credentials: () => readonly Credential[];
  readonly alerts: () => readonly AlertState[];
  readonly tasks: () => readonly Task[];
  readonly attempts: () => readonly StoredAttempt[];
}

function readState(all: Tables): State {
  const stored = all.attempts();
  const tasks = byKey(all.tasks(), (task) => task.key);
  const attempts = byKey(
    stored.map(({ attempt }) => attempt),
    (attempt) => attempt.token,
  );
  return {
    epoch: all.epoch(),
    projects: byKey(all.projects(), (project) => project.name),
    tasks,
    attempts,
    nodes: byKey(all.nodes(), (node) => node.name),
    credentials: byKey(all.credentials(), (credential) => credential.name),
    alerts: byKey(all.alerts(), (alert) => alert.key),
    fenced: new Set(stored.filter(({ unconfirmed }) => unconfirmed).map(({ attempt }) => attempt.token)),
    ...indexesOf(tasks, attempts),
  };
}

function byKey<K, V>(items: readonly V[], key: (item: V) => K): Map<K, V> {
  return new Map(items.map((item) => [key(item), item]));
}
