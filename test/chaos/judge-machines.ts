/** What has to hold of a run on machines when it is over, whatever was done to it. */
import { execFileSync } from 'node:child_process';
import type { Event } from '../../src/model/event.ts';
import type { Arena } from './arena.ts';
import { eventsOf } from './events.ts';
import { judge } from './judge.ts';
import { judgeLeftovers } from './leftovers.ts';
import type { Report } from './report.ts';

/** What only a person does, or what stands until one has done something. */
const PERSONS: ReadonlySet<Event['fact']['type']> = new Set([
  'alert.acked',
  'node.marked',
  'person.intervened',
  'queue.fronted',
  'queue.held',
  'queue.released',
  'revert.requested',
  'task.cancelled',
  'task.handed',
  'task.parked',
  'task.retried',
  'task.reviewed',
]);

/** The controller has ended; all machines are on. */
export async function judgeMachines(arena: Arena, report: Report): Promise<void> {
  const { home, tasks } = arena;
  await judge(arena, report, { mayRepeat: true });
  await judgeLeftovers(arena, report);
  for (const { seq, fact } of await eventsOf(arena))
    report.expect(!PERSONS.has(fact.type), `event ${seq} takes a person: ${JSON.stringify(fact)}`);
  const ran = home.executions();
  report.figure('agents that were begun again', ran.length - new Set(ran.map(({ task }) => task)).size, '');
  for (const { id, ends } of tasks) {
    if (ends !== 'merged') continue;
    const path = `main:src/${id}.txt`;
    const text = execFileSync('git', ['-C', home.repo, 'show', path], { encoding: 'utf8' });
    // Those that share a file leave their own as it was.
    report.expect([`${id}\n`, 'empty\n'].includes(text), `${path} is ${JSON.stringify(text)}`);
  }
}
