import type { NewEvent } from '../../model/event.ts';
import type { NodeName, ProjectName, TaskKey, Token } from '../../model/ids.ts';
import type { State } from '../../model/state.ts';
import type { Lease } from '../port.ts';
import { taskOfFact, type Touched, touchedBy } from '../touched.ts';
import type { Db } from './database.ts';
import type { Leases } from './lease.ts';
import { putAlert } from './rows/alerts.ts';
import { insertAttempt, moveAttempt, type StoredAttempt } from './rows/attempts.ts';
import { putCredential } from './rows/credentials.ts';
import { putEpoch } from './rows/epoch.ts';
import { appendEvent, lastSeq } from './rows/events.ts';
import { hearNode, putNode } from './rows/nodes.ts';
import { moveProject, putProject } from './rows/projects.ts';
import { insertTask, moveTask, respecifyTask } from './rows/tasks.ts';

/**
 * Prepares the statements of a commit: the check of the lease, the events, and the rows of the entities that the events
 * touched as the state has them, in one transaction. Nothing of the events is kept in memory.
 */
export function committer(
  db: Db,
  leases: Leases,
): (lease: Lease, events: readonly NewEvent[], state: State) => number {
  const append = appendEvent(db);
  const newest = lastSeq(db);
  const writeRows = rowWriter(db);
  const transaction = db.transaction((lease: Lease, events: readonly NewEvent[], state: State) => {
    leases.check(lease);
    let seq: number | null = null;
    for (const event of events) seq = append(event, taskOfFact(event.fact, state));
    writeRows(touchedBy(events, state), state);
    return seq ?? newest();
  });
  return (lease, events, state) => transaction.immediate(lease, events, state);
}

/** Writes what was touched; tables in the order of their foreign keys. */
function rowWriter(db: Db): (touched: Touched, state: State) => void {
  const epoch = putEpoch(db);
  const project = { configured: putProject(db), moved: moveProject(db) };
  const changed = putNode(db);
  const node = { changed, heard: hearNode(db, changed) };
  const credential = putCredential(db);
  const alert = putAlert(db);
  const task = { added: insertTask(db), respecified: respecifyTask(db), moved: moveTask(db) };
  const attempt = { claimed: insertAttempt(db), moved: moveAttempt(db) };
  return (touched, state) => {
    if (touched.epoch) epoch(state.epoch);
    for (const [name, how] of touched.projects) project[how](projectOf(state, name));
    for (const [name, how] of touched.nodes) node[how](nodeOf(state, name));
    for (const name of touched.credentials)
      credential(state.credentials.get(name) ?? notApplied('credential', name));
    for (const key of touched.alerts) alert(state.alerts.get(key) ?? notApplied('alert', key));
    for (const [key, how] of touched.tasks) {
      if (how === 'respecified') task.moved(taskOf(state, key));
      task[how](taskOf(state, key));
    }
    for (const [token, how] of touched.attempts) attempt[how](attemptOf(state, token));
  };
}

function projectOf(state: State, name: ProjectName) {
  return state.projects.get(name) ?? notApplied('project', name);
}

function nodeOf(state: State, name: NodeName) {
  return state.nodes.get(name) ?? notApplied('node', name);
}

function taskOf(state: State, key: TaskKey) {
  return state.tasks.get(key) ?? notApplied('task', key);
}

function attemptOf(state: State, token: Token): StoredAttempt {
  const attempt = state.attempts.get(token) ?? notApplied('attempt', token);
  return { attempt, unconfirmed: state.fenced.has(token) };
}

/** A defect of the caller: the transaction is rolled back and nothing is written. */
function notApplied(what: string, key: string): never {
  throw new TypeError(`the state passed to commit does not have its events applied: no ${what} ${key}`);
}
