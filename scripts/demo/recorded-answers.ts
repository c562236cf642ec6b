/**
 * What the stand-in answers to the direction: the example's eight specs, in the form that a model is asked for. In the first
 * answer one of them depends on a spec that does not exist, as happens with models, so that it is sent back. That two of
 * them may change the same file is sent back too, and stays: they are there to show the lock.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ProposedSpec, SplitAnswer } from '../../src/split/answer.ts';
import { EXAMPLE } from './place.ts';

export const DIRECTION = 'Let editors plan when a post is published';

export function recordedAnswers(): SplitAnswer[] {
  const files = readdirSync(EXAMPLE).filter((file) => file.endsWith('.md'));
  const specs = files.toSorted().map((file) => proposed(readFileSync(join(EXAMPLE, file), 'utf8')));
  const misnamed = (id: string): string => (id === 'S04-schedule-auth' ? 'S04-roles' : id);
  const last = specs.length - 1;
  const wrong = specs.map((spec, index) =>
    index === last ? { ...spec, depends_on: spec.depends_on.map(misnamed) } : spec,
  );
  return [{ specs: wrong }, { specs }, { specs }];
}

/** A spec file as a model would have proposed it. */
function proposed(text: string): ProposedSpec {
  const [, front = '', body = ''] = text.split(/^---$/mu);
  const [goal = '', ...lists] = body
    .split(/^## .*$/mu)
    .slice(1)
    .map((section) => section.trim());
  const [constraints = [], acceptance = [], donts = []] = lists.map((list) =>
    list.split('\n').map((line) => line.replace(/^- /u, '')),
  );
  const { task_id, depends_on, modifies, priority, estimate } = parse(front) as ProposedSpec;
  const [title = ''] = goal.split('\n');
  const planned = { task_id, depends_on, modifies, priority, estimate, verify: null };
  return { ...planned, title, goal, constraints, acceptance, donts };
}
