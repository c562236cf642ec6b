import { formatDuration } from '../../../model/time.ts';
import { adviceLines } from '../../advice-text.ts';
import { assertNever } from '../../../model/assert.ts';
import { causeText, kindText } from './en-kinds.ts';
import type { Messages } from './messages.ts';

const s = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const ACTS: Messages['act'] = {
  approve: 'approvals',
  reject: 'rejections',
  'by-hand': 'tasks done by hand',
  retry: 'retries',
  cancel: 'cancels',
  revert: 'reverts',
  queue: 'hands on the queue',
  collect: 'collects',
  start: 'starts',
  node: 'marks on nodes',
};

export const en = {
  locale: 'en-GB',
  units: [
    { of: 1e9, name: 'B' },
    { of: 1e6, name: 'M' },
    { of: 1e3, name: 'K' },
  ],
  calendar: {
    full: (year, month, day, weekday) => `${DAYS[weekday]}, ${day} ${MONTHS[month - 1]} ${year}`,
    date: (month, day) => `${day} ${MONTHS[month - 1]?.slice(0, 3)}`,
    short: (month, day, weekday) => `${DAYS[weekday]?.slice(0, 3)} ${day} ${MONTHS[month - 1]?.slice(0, 3)}`,
  },
  title: { day: 'Daily report', week: 'Weekly report' },
  soFar: (clock, kind) => `as of ${clock}, the ${kind} is not over`,
  lead: ({ measures, projects }, waiting, format) => {
    const where = projects.length === 0 ? '' : ` in ${s(projects.length, 'project')}`;
    const merged = `${s(measures.merged, 'task')} merged${where}`;
    const back = measures.refusals === 0 ? '' : `, ${s(measures.refusals, 'refusal')}`;
    const you =
      waiting === 0
        ? 'Nothing waits for you.'
        : `${s(waiting, 'thing')} ${waiting === 1 ? 'waits' : 'wait'} for you.`;
    const share =
      measures.availableMs === 0
        ? ''
        : ` Slots were busy ${format.share(measures.usedMs, measures.availableMs)} of the time.`;
    return `${merged}${back}.${share} ${you}`;
  },
  nothing: 'Nothing.',
  unknown: 'unknown',
  more: (count) => `and ${count} more`,
  asTable: 'As a table',
  separator: ', ',
  alertIs: { open: 'open', over: 'over' },
  sections: {
    tomorrow: 'What to do next',
    day: 'The day',
    week: 'The week',
    projects: 'Projects',
    failures: 'What went wrong, and why',
    gates: 'Gates',
    fleet: 'Machines',
    spending: 'Tokens and money',
    specs: 'Spec quality',
    capacity: 'Capacity',
    notes: 'How to read this',
    alerts: 'Alerts',
  },
  measures: {
    merged: 'Tasks merged',
    utilisation: 'Utilisation',
    firstRound: 'Good in round one',
    specToMerge: 'Spec to merge',
    person: 'Your time',
    spent: 'Spent',
  },
  notes: {
    perDay: (rate) => `${rate} a day`,
    reverted: (count) => `${count} reverted`,
    slotHours: (used, available) => `${used} of ${available} slot-hours`,
    slotTime: (used, available) => `${used} of ${available} of slot time`,
    passed: (passed, of) => `${passed} of ${of} first attempts`,
    p90: (span) => `90 % within ${span}`,
    acts: (count) => `${count} ${count === '1' ? 'act' : 'acts'}, estimated`,
    tokens: (total, unknown) => `${total} tokens${unknown === 0 ? '' : `, ${unknown} unknown`}`,
    untold: (count) => `${s(count, 'attempt')} did not say`,
    before: (change, kind, isOver) => `${change} on ${spanBefore(kind, isOver)}`,
    same: (kind, isOver) => `as ${spanBefore(kind, isOver)}`,
    minutes: (count) => `${count} min`,
  },
  columns: {
    level: 'Level',
    about: 'About',
    alert: 'What',
    task: 'Task',
    title: 'Title',
    took: 'Spec to merge',
    attempts: 'Attempts',
    rounds: 'Rounds',
    commit: 'Commit',
    at: 'At',
    by: 'Refused by',
    finding: 'Finding',
    against: 'Against',
    paths: 'Files',
    times: 'Times',
    cause: 'Cause',
    count: 'Count',
    tasks: 'Tasks',
    verify: 'Command',
    project: 'Project',
    runs: 'Runs',
    red: 'Red',
    broken: 'Broken',
    median: 'Median',
    longest: 'Longest',
    flakes: 'Flaked',
    rate: 'Rate of all',
    tests: 'Tests',
    node: 'Node',
    slots: 'Slots',
    used: 'Used',
    usedHours: 'Used, h',
    available: 'Available',
    availableHours: 'Available, h',
    utilisation: 'Utilisation',
    peak: 'Peak',
    outages: 'Outages',
    away: 'Away',
    executor: 'Executor',
    merged: 'Merged',
    input: 'Input',
    output: 'Output',
    cached: 'Cached',
    cost: 'Cost',
    computedCost: 'Cost (computed)',
    reportedCost: 'Reported',
    perTask: 'Per merge',
    time: 'Time at work',
    kind: 'Kind of spec',
    passed: 'Good in round one',
    reason: 'Reason',
    state: 'State',
    hour: 'From',
    bad: 'Sent back or failed',
    tokens: 'Tokens',
    day: 'Day',
    firstRound: 'Round one',
    minutes: 'Your time',
    span: 'When',
    slot: 'Slot',
  },
  project: {
    merged: (count) => `Merged: ${count}`,
    refused: (count) => `Refused: ${count}`,
    conflicts: (count) => `Conflicts: ${count}`,
    reverted: 'Taken out again',
    waiting: (count) => `Waits for you: ${count}`,
    quiet: (names) => `Nothing happened, and nothing is left to do, in ${names}.`,
    delivered: (count, target) => `${s(count, 'task')} landed on ${target}`,
    delivery: (delivery, target, format) => {
      switch (delivery.is) {
        case 'none':
          return `nothing delivered to ${target} yet`;
        case 'running':
          return `a collect is at work (${delivery.at})`;
        case 'failed':
          return `the last collect was refused at ${format.moment(delivery.when)}: ${delivery.code}: ${delivery.message}`;
        case 'landed':
          return `${target} has ${delivery.commit.slice(0, 10)} since ${format.moment(delivery.when)}${delivery.pending === 0 ? '' : `; ${delivery.pending} merged since`}`;
        default:
          return assertNever(delivery);
      }
    },
  },
  standing: {
    merged: 'merged',
    you: 'wait for you',
    agents: 'with agents',
    gates: 'at gates',
    slots: 'wait for a slot',
    tasks: 'wait for other tasks',
    out: 'cancelled',
  },
  refusedBy: {
    node: 'gates on the node',
    branch: 'gates on the branch',
    merge: 'gate on the merged tree',
    revert: 'gate on the tree without it',
  },
  what: {
    found: 'findings of a second model',
    review: 'review',
    parked: 'parked',
    failed: 'failed',
    reverted: 'reverted',
  },
  cause: causeText,
  retries: (attempts, tasks, rounds) =>
    attempts === 0
      ? `No further attempts; ${s(rounds, 'round')} after the first inside attempts.`
      : `${s(attempts, 'further attempt')} at ${s(tasks, 'task')}; ${s(rounds, 'round')} after the first inside attempts.`,
  flaky: 'Flaky: red, then green on the same commit',
  slowest: 'Slowest first',
  stepsTitle: 'Where the time of attempts went',
  step: { prepare: 'preparing', agent: 'agent', gates: 'gates', verify: 'verify' },
  blind: (asleep, absent, restarts) => {
    const parts = [
      ...(asleep === null ? [] : [`the controller's machine slept for ${asleep}`]),
      ...(absent === null ? [] : [`no controller ran for ${absent}`]),
      ...(restarts === 0 ? [] : [`a controller took over ${s(restarts, 'time')}`]),
    ];
    return parts.length === 0
      ? null
      : `${capital(parts.join('; '))}. Idle slots of that time are not counted as available.`;
  },
  onboarded: (node, took) =>
    `${node} is new: ${took === null ? 'no attempt has ended well there yet' : `${took} from its first connection to the first attempt that ended well`}. How long its bootstrap took is not in the log.`,
  unlisted: 'not in nodes.json any more',
  kind: kindText,
  advice: (advice, figures) => capital(adviceLines({ figures, advice: [advice] })[0] ?? ''),
  noAdvice: ({ pending, running, slots, free }) =>
    `No change: ${s(pending, 'task')} ready without a slot, ${running} running, ${slots - free} of ${s(slots, 'slot')} taken.`,
  next: (step) => {
    switch (step.do) {
      case 'alert':
        return `${step.project}: ${step.message}`;
      case 'release':
        return `let it merge again: ${step.reason}`;
      case 'review':
        return `${step.task}: ${step.reason}`;
      case 'mend':
        return `${step.task}: ${step.reason}; mend its spec where it is to blame, then try again`;
      case 'collect':
        return `land ${s(step.count, 'merged task')} on ${step.target}`;
      case 'start':
        return `go on with ${s(step.count, 'task')}`;
      case 'reach':
        return `see what keeps ${step.nodes.join(', ')} away`;
      case 'add-nodes':
        return `${s(step.nodes, 'more node')} of this size`;
      default:
        return assertNever(step);
    }
  },
  act: ACTS,
  estimate: ({ acts, minutes }) => {
    const parts = acts.map(({ act, count, minutesEach }) => `${count} ${ACTS[act]} × ${minutesEach}`);
    const sum = parts.length === 0 ? 'no act is in the log' : `${parts.join(' + ')} = ${minutes} min`;
    return `Your time is an estimate: each act that the log shows, times the minutes that one usually takes (${sum}). Acts of one kind within a second are one command. Reading and writing specs leave no trace in the log and are not in it.`;
  },
  availability:
    'Utilisation is slot-time used by attempts, gates included, of slot-time available. A slot that works is available; one that does not is so while a controller is awake and reaches the node, and the node is neither cordoned nor drained. Slots are those of nodes.json as it is now.',
  unknownTokens: (count, isComputed) =>
    `${s(count, 'attempt')} reported no tokens: unknown, not zero.${isComputed ? '' : ' Money is what executors reported.'}`,
  computedCosts: (asOf) =>
    `Cost is computed from list prices of ${asOf} and those of dispatch.yaml, beside what agents reported themselves. Prices change: check.`,
  footer: (events, zone) => `Computed from ${events} events of the log. Times are those of ${zone}.`,
  charts: {
    utilisation: {
      title: 'Slots at work',
      about: 'Mean number of slots at work and available, over time.',
    },
    throughput: {
      title: 'Throughput',
      about: 'Tasks merged above the line, attempts that failed and branches sent back below it.',
    },
    cost: { title: 'Cost', about: 'US dollars, by executor, at the end of each attempt.' },
    tokens: { title: 'Tokens', about: 'Tokens in and out, by executor, at the end of each attempt.' },
    timeline: { title: 'Every slot', about: 'What ran when; one line for each slot.' },
    trend: { title: 'Day by day', about: 'The same figures for single days.' },
  },
  legend: {
    used: 'at work',
    available: 'available',
    merged: 'merged',
    bad: 'sent back or failed',
    good: 'work, good',
    failed: 'work, refused or failed',
    lost: 'lost or given up',
    gate: 'gate, green',
    red: 'gate, red',
    running: 'still running',
  },
  moreSlots: (count) => `${s(count, 'more slot')} not shown`,
} satisfies Messages;

function spanBefore(kind: 'day' | 'week', isOver: boolean): string {
  if (isOver) return `the ${kind} before`;
  return kind === 'day' ? 'yesterday by now' : 'last week by now';
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Spans of time in English. */
export const enSpan = formatDuration;
