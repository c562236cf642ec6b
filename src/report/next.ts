import type { Project } from '../model/task.ts';
import type { DeliveryReport, Report, Step, WaitingForPerson } from './model.ts';

/** What to type next, most useful first. Empty when there is nothing left to do. */
export function nextSteps({
  project,
  counts,
  waiting,
  delivery,
}: {
  project: Project;
  counts: Report['counts'];
  waiting: readonly WaitingForPerson[];
  delivery: DeliveryReport;
}): Step[] {
  const steps: Step[] = [];
  const { name, hold } = project;
  if (hold !== null) {
    steps.push({ command: `dispatch queue release ${name}`, purpose: `merge again (${hold.reason})` });
  }
  for (const { task, what, command } of waiting.slice(0, 3)) {
    if (what === 'review') steps.push({ command, purpose: 'let it merge' });
    else if (what === 'found') steps.push({ command, purpose: 'see what a second model found' });
    else {
      steps.push({ command: `dispatch logs ${name}/${task}`, purpose: 'see what happened' });
      steps.push({ command, purpose: 'give it another try' });
    }
  }
  const moving = (['waiting', 'locked', 'ready', 'running', 'gating'] as const).some((word) => counts[word]);
  if (moving) steps.push({ command: `dispatch start ${name}`, purpose: 'go on, or look at what runs' });
  if (undelivered(project, counts, delivery)) {
    steps.push({
      command: `dispatch collect ${name}`,
      purpose: `land what merged on ${project.config.target}`,
    });
  }
  return steps;
}

function undelivered(project: Project, counts: Report['counts'], delivery: DeliveryReport): boolean {
  if (project.config.repo === null || (counts.merged ?? 0) + (counts.reverted ?? 0) === 0) return false;
  return delivery.is !== 'landed' || delivery.pending > 0;
}
