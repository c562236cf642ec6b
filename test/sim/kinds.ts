/** Every kind of fault that a simulated day may have. One that many seeds do not draw is a fault that is not there. */
const ACCIDENTS = [
  'ail faulty',
  'ail full',
  'ail stuck',
  'ail without tmux',
  'alarm',
  'away',
  'breakdown',
  'clock ahead',
  'clock ahead a day',
  'clock ahead an hour',
  'clock back',
  'clock back a day',
  'clock back an hour',
  'clog',
  'cut',
  'kill',
  'node-clock ahead',
  'node-clock back',
  'offline',
  'pass',
  'pause',
  'person',
  'reboot',
  'replay',
  'restore',
  'rewind',
  'sleep',
  'target',
  'wipe',
  'zombie',
];

const MISHAPS = [
  'broken-commit half-way',
  'broken-commit reported as failed',
  'broken-gate',
  'death after the commit',
  'death before it has read anything',
  'death before the commit',
  'death between two effects',
  'death in the middle',
  'death where it waited',
  'death with a full disk',
  'death with the base on its way',
  'duplicate',
  'flaky-gate',
  'half-delivered',
  'late',
  'lost-reply',
  'lost-request',
  'no-space',
  'overtaken',
  'provider account',
  'provider login',
  'provider overload',
  'provider quota',
  'provider rate',
  'refused-push',
  'refused-start internal',
  'refused-start missing-base',
  'refused-start missing-program',
  'refused-start no-space',
  'undone',
  'unreported',
];

const AGENTS = [
  'agent empty-done',
  'agent extra',
  'agent failed',
  'agent hang',
  'agent killed',
  'agent outside',
  'agent red',
  'agent refused',
  'oddity daemon',
  'oddity deaf',
  'oddity stray',
  'oddity twice',
];

/** What lasts from the beginning to the healing. */
const TRAITS = ['clock-ahead', 'clock-drift', 'slow'];

export const KINDS: readonly string[] = [...ACCIDENTS, ...MISHAPS, ...AGENTS, ...TRAITS];

/** With so many seeds each of them comes up. */
const ENOUGH_SEEDS = 2000;

/** Kinds that none of these seeds had, where there were enough of them to tell. */
export function neverDrawn(faults: Readonly<Record<string, number>>, seeds: number): string[] {
  return seeds < ENOUGH_SEEDS ? [] : KINDS.filter((kind) => faults[kind] === undefined);
}
