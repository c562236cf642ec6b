/** A plan as Markdown: what a person reads, or a reviewer finds in a pull request, before anything runs. */
import { assertNever } from '../model/assert.ts';
import type { TaskId } from '../model/ids.ts';
import { formatDuration } from '../model/time.ts';
import type { Plan, Risk, Wave } from './plan.ts';

/** Rows of a table before the rest is only counted. */
const ROWS = 200;
/** Names in a row before the rest is only counted. */
const NAMES = 12;

/** The plan as a Markdown document, ending in a line feed. */
export function planMarkdown(plan: Plan): string {
  return `${[
    summary(plan),
    cycles(plan),
    waves(plan),
    critical(plan),
    locks(plan),
    parallelism(plan),
    risks(plan),
  ]
    .filter((section) => section !== '')
    .join('\n\n')}\n`;
}

function summary(plan: Plan): string {
  const { specs, waves: all, critical: path, workMs, guessed } = plan;
  const guess =
    guessed === 0
      ? ''
      : ` (${guessed} of ${specs.size} tasks have no estimate; a default is assumed for each)`;
  return [
    `# Plan of ${code(plan.project)}`,
    '',
    `- ${counted(specs.size, 'task')} in ${counted(all.length, 'wave')}`,
    `- ${formatDuration(workMs)} of work${guess}`,
    `- at best ${formatDuration(path.ms)}: the critical path, however many nodes there are`,
    `- at least ${counted(plan.widest.tasks.length, 'task')} can run at the same time`,
  ].join('\n');
}

function cycles({ cycles: all }: Plan): string {
  if (all.length === 0) return '';
  const rows = all.map((cycle) => `- ${[...cycle, cycle[0] ?? ''].map(code).join(' → ')}`);
  return ['## Cycles', '', 'These tasks wait for each other and can never start:', '', ...rows].join('\n');
}

function waves(plan: Plan): string {
  const rows = plan.waves.flatMap((wave) => [
    `### Wave ${wave.number}: ${counted(wave.tasks.length, 'task')}, ${wave.together.length} at once`,
    '',
    '| task | title | priority | waits for | modifies | estimate |',
    '|---|---|---|---|---|---|',
    ...wave.tasks.slice(0, ROWS).map((id) => taskRow(plan, id)),
    ...(wave.tasks.length > ROWS ? ['', `and ${wave.tasks.length - ROWS} more`] : []),
    '',
  ]);
  return ['## Waves', '', ...rows].join('\n').trimEnd();
}

function taskRow({ specs }: Plan, id: TaskId): string {
  const spec = specs.get(id);
  if (spec === undefined) return '';
  const estimate = spec.estimateMs === null ? '' : formatDuration(spec.estimateMs);
  const cells = [
    code(id),
    text(spec.title),
    `P${spec.priority}`,
    names(spec.dependsOn),
    names(spec.modifies),
    estimate,
  ];
  return `| ${cells.join(' | ')} |`;
}

function critical({ critical: { tasks, ms } }: Plan): string {
  if (tasks.length === 0) return '';
  const shown =
    tasks.length <= 4 * NAMES
      ? tasks.map(code)
      : [...tasks.slice(0, 4 * NAMES).map(code), `… ${tasks.length - 4 * NAMES} more`];
  return ['## Critical path', '', `${shown.join(' → ')}: ${formatDuration(ms)}`].join('\n');
}

function locks({ conflicts: { pairs, count, complete } }: Plan): string {
  if (count === 0) return '## Locks\n\nNo two tasks that could run at the same time can touch the same path.';
  const rows = pairs.slice(0, ROWS).map(({ a, b, path }) => `| ${code(a)} | ${code(b)} | ${code(path)} |`);
  const rest =
    count > ROWS || !complete
      ? ['', `and ${complete ? count - ROWS : `more than ${count - ROWS}`} more pairs`]
      : [];
  return [
    '## Locks',
    '',
    'These pairs do not wait for each other but never run at the same time, because both may touch the path:',
    '',
    '| task | task | for example |',
    '|---|---|---|',
    ...rows,
    ...rest,
  ].join('\n');
}

function parallelism({ waves: all, widest }: Plan): string {
  if (all.length === 0) return '';
  const rows = all
    .slice(0, ROWS)
    .map((wave) => `| ${wave.number} | ${wave.tasks.length} | ${wave.together.length} | ${heldBack(wave)} |`);
  return [
    '## Parallelism',
    '',
    `Most run at once in wave ${widest.wave}: ${names(widest.tasks)}. Slots beyond that mostly stay idle.`,
    '',
    '| wave | tasks | at once | held back by locks |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function heldBack(wave: Wave): string {
  const free = new Set(wave.together);
  return names(wave.tasks.filter((id) => !free.has(id)));
}

function risks({ risks: all }: Plan): string {
  if (all.length === 0) return '';
  const rest = all.length > ROWS ? [`- and ${all.length - ROWS} more`] : [];
  return ['## Risks', '', ...all.slice(0, ROWS).map((risk) => `- ${riskText(risk)}`), ...rest].join('\n');
}

/** One sentence about a risk, with what can be done. */
export function riskText(risk: Risk): string {
  switch (risk.kind) {
    case 'wide-lock': {
      const holdsUp =
        risk.holdsUp === 0 ? '' : ` and excludes ${counted(risk.holdsUp, 'other task')} while it is open`;
      const what = risk.pattern === null ? 'locks much of the repository' : `locks ${code(risk.pattern)}`;
      return `${code(risk.task)} ${what}${holdsUp}: name the folders it really changes`;
    }
    case 'long-chain':
      return `${counted(risk.tasks.length, 'task')} run one after the other, from ${code(risk.tasks[0] ?? '')} to ${code(risk.tasks.at(-1) ?? '')} (${formatDuration(risk.ms)}): see whether a dependency can go`;
    case 'fan-in':
      return `${code(risk.task)} waits for ${counted(risk.count, 'task')}, and is blocked if any of them fails`;
    case 'fan-out':
      return `${counted(risk.count, 'task')} wait for ${code(risk.task)}: give it a generous timeout, or a review`;
    default:
      return assertNever(risk);
  }
}

function names(list: readonly string[]): string {
  const shown = list.slice(0, NAMES).map(code).join(', ');
  return list.length > NAMES ? `${shown} and ${list.length - NAMES} more` : shown;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Code that cannot end its own quoting or its table cell. */
function code(name: string): string {
  const ticks = name.includes('`') ? '``' : '`';
  return `${ticks}${name.replaceAll('|', '\\|').replaceAll('\n', ' ')}${ticks}`;
}

/** Plain text: nothing in it is markup, a link or HTML. */
function text(plain: string): string {
  return plain.replaceAll(/[\\`*_[\]<>|&~]/g, '\\$&').replaceAll('\n', ' ');
}
