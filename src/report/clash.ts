/** A conflict in words: the number, the files, both sides with what they want, how often, and what happens next. */
import { assertNever } from '../model/assert.ts';
import type { Clash, Intent } from '../model/conflict.ts';

/** Files named in a line; the rest is counted. */
const SHOWN = 4;

/** `409 conflict on src/a.ts: S02 (Add x) against S01 (Add y); attempt 1, sent back 1 of 3 times; …` */
export function clashLine(clash: Clash, project: string): string {
  const { code, attempt } = clash;
  const tries = `attempt ${attempt}, sent back ${clash.times} of ${clash.most} times`;
  return `${code} conflict on ${filesText(clash)}: ${sidesText(clash)}; ${tries}; ${nextText(clash, project)}`;
}

function filesText({ conflicts }: Clash): string {
  const more = conflicts.length - SHOWN;
  const shown = conflicts.slice(0, SHOWN).map(({ path }) => path);
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

function sidesText({ ours, theirs }: Clash): string {
  const others = theirs.length === 0 ? 'a change from outside' : theirs.map(named).join(' and ');
  return `${named(ours)} against ${others}`;
}

function named({ task, title }: Intent): string {
  return `${task} (${title})`;
}

/** What happens next, or what to type. */
export function nextText({ next, ours, theirs }: Clash, project: string): string {
  switch (next) {
    case 'waits':
      return `it waits until ${theirs.map(({ task }) => task).join(', ') || 'the other side'} has landed, then goes back to an agent`;
    case 'agent':
      return 'goes back to an agent, on the new base';
    case 'person':
      return `waits for you: dispatch retry ${project}/${ours.task}`;
    case 'stays': {
      const later = theirs.map(({ task }) => ` ${task}`).join('');
      return `stays merged; to take the later work back with it: dispatch revert ${ours.task}${later}`;
    }
    default:
      return assertNever(next);
  }
}
