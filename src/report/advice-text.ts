import { assertNever } from '../model/assert.ts';
import type { Advice, Capacity, Figures } from './advice.ts';

/** One sentence for each piece of advice, with the figures behind it. */
export function adviceLines({ figures, advice }: Capacity): string[] {
  return advice.map((one) => sentence(one, figures));
}

function sentence(advice: Advice, figures: Figures): string {
  switch (advice.advise) {
    case 'add-nodes': {
      const { nodes, slotsEach, executors, because } = advice;
      const what = `add ${count(nodes, 'node')} of ${count(slotsEach, 'slot')} for ${executors.join(', ')}`;
      return `${what}: ${because === 'pending' ? pendingText(figures) : flowText(figures)}`;
    }
    case 'use-nodes': {
      const idle = `${advice.names.join(', ')} (${count(advice.slots, 'slot')}) cannot be reached or are not in use`;
      return `before adding nodes: ${idle}, and ${pendingText(figures)}`;
    }
    case 'mend-specs': {
      const { failed, of } = figures.firstRound;
      return `do not add nodes, mend the specs: ${failed} of ${of} tasks (${percent(failed, of)}) were not good in their first round`;
    }
    case 'split-differently': {
      const { tasks, of } = figures.conflicts;
      return `do not add nodes, split the work differently: ${tasks} of ${of} tasks (${percent(tasks, of)}) conflicted when they were merged`;
    }
    default:
      return assertNever(advice);
  }
}

function pendingText({ pending, running, slots, free }: Figures): string {
  return `${count(pending, 'task')} ready without a slot, ${running} running, ${slots - free} of ${count(slots, 'slot')} taken`;
}

function flowText(figures: Figures): string {
  const { arrived, left } = figures.flow ?? { arrived: 0, left: 0 };
  return `in the last hour ${count(arrived, 'spec')} arrived and ${left} left; ${pendingText(figures)}`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`;
}
