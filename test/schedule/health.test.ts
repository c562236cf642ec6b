import { describe, expect, test } from 'vitest';
import { type Ailment, type AilmentKind, WELL } from '../../src/model/health.ts';
import { nodeName, type TaskKey } from '../../src/model/ids.ts';
import type { NodeState } from '../../src/model/state.ts';
import { type Diagnosis, RULES, type Seen, type Treatment } from '../../src/schedule/health.ts';
import { node } from './world.ts';

const MIB = 2 ** 20;
const NOW = 10_000_000;

function state(over: Partial<NodeState> = {}): NodeState {
  const known = {
    bootId: 'b',
    journal: 'j',
    cursor: 0,
    mark: 'none',
    program: 'p',
    programs: {},
    silence: null,
  } as const;
  return { name: nodeName('n1'), ...known, health: WELL, ...over };
}

function ailment(kind: AilmentKind, repair: Ailment['repair'] = null): Ailment {
  return { kind, evidence: 'seen', since: 1, repair };
}

function seen(over: Partial<Seen> = {}): Seen {
  return {
    node: state(),
    config: node('n1'),
    disk: null,
    trouble: null,
    connected: true,
    faults: [],
    ...over,
  };
}

function disk(freeMb: number, files: { free: number; total: number } | null = null): Pick<Seen, 'disk'> {
  const reserve = { bytes: 256 * MIB, files: 2000 };
  return { disk: { free: freeMb * MIB, total: 1000 * MIB, files, reserve } };
}

function faults(count: number, at = 1): Pick<Seen, 'faults'> {
  return {
    faults: Array.from({ length: count }, (_, i) => ({ task: `p/T${i}` as TaskKey, at, reason: 'EIO' })),
  };
}

const ill = (text: string): Diagnosis => ({ ill: expect.stringContaining(text) as string });
const well = (text: string): Diagnosis => ({ well: expect.stringContaining(text) as string });
const ails = { health: { ...WELL, ailments: [ailment('disk')] } };

describe('a rule detects', () => {
  test.each<[title: string, kind: AilmentKind, look: Seen, found: Diagnosis]>([
    ['nothing before it was asked', 'disk', seen(), null],
    ['too few bytes', 'disk', seen(disk(255)), ill('255 MiB are free, 256 are kept in reserve')],
    ['as many as are kept as enough', 'disk', seen(disk(256)), well('256 MiB are free')],
    [
      'less than nodes.json asks',
      'disk',
      seen({ ...disk(500), config: node('n1', { minFreeMb: 600 }) }),
      ill('600'),
    ],
    [
      'never less than the node asks',
      'disk',
      seen({ ...disk(200), config: node('n1', { minFreeMb: 1 }) }),
      ill('256'),
    ],
    ['too few files', 'disk', seen(disk(900, { free: 1999, total: 9000 })), ill('only 1999 files')],
    ['enough files', 'disk', seen(disk(900, { free: 2000, total: 9000 })), well('2000 files')],
    ['that a hair more is not mended', 'disk', seen({ ...disk(257), node: state(ails) }), ill('257 MiB')],
    ['that it is mended', 'disk', seen({ ...disk(300), node: state(ails) }), well('300 MiB')],
    ['no fault', 'failing', seen(), well('succeeded')],
    ['nothing in two faults', 'failing', seen(faults(2)), null],
    ['three in a row', 'failing', seen(faults(3)), ill('3 attempts in a row')],
    [
      'another host key',
      'host-key',
      seen({ connected: false, trouble: { code: 'E_HOST_KEY_CHANGED', message: 'no' } }),
      ill('no'),
    ],
    [
      'nothing in another trouble',
      'host-key',
      seen({ connected: false, trouble: { code: 'E_NODE_UNREACHABLE', message: 'no' } }),
      null,
    ],
    ['the recorded key', 'host-key', seen(), well('recorded key')],
    ['nothing of what the node says itself', 'unkillable', seen(), null],
    ['nothing of what the node says itself', 'tmux-server', seen(), null],
    ['nothing of what the node says itself', 'tmux-socket', seen(), null],
    ['nothing of what a hello says', 'reboot', seen(), null],
    ['nothing of what a hello says', 'program', seen(), null],
  ])('%s (%s)', (_, kind, look, found) => {
    expect(RULES[kind].detect(look)).toEqual(found);
  });
});

describe('what is done', () => {
  const swept = { by: 'sweep', at: NOW - 60_000, times: 1, did: 'nothing' } as const;
  const restarted = { by: 'restart', at: 5, times: 1, did: 'done' } as const;
  test.each<[title: string, what: Ailment, look: Seen, next: Treatment]>([
    ['a low disk is swept', ailment('disk'), seen(), { do: 'repair', by: 'sweep' }],
    ['not while it cannot be reached', ailment('disk'), seen({ connected: false }), null],
    ['not while a sweep is under way', ailment('disk', { ...swept, did: null }), seen(), null],
    ['not at once again', ailment('disk', swept), seen(), { do: 'wait', until: NOW + 540_000 }],
    ['later again', ailment('disk', { ...swept, at: NOW - 600_000 }), seen(), { do: 'repair', by: 'sweep' }],
    ['nine faults are borne', ailment('failing'), seen(faults(9)), null],
    ['ten restart the supervisor', ailment('failing'), seen(faults(10)), { do: 'repair', by: 'restart' }],
    ['two more after that are borne', ailment('failing', restarted), seen(faults(2, 9)), null],
    ['three more cordon', ailment('failing', restarted), seen(faults(3, 9)), { do: 'mark', mark: 'cordon' }],
    [
      'not while the restart is under way',
      ailment('failing', { ...restarted, at: NOW - 1000, did: null }),
      seen(faults(3, 9)),
      { do: 'wait', until: NOW + 59_000 },
    ],
    [
      'a restart that nobody came back from was tried',
      ailment('failing', { ...restarted, did: null }),
      seen(faults(3, 9)),
      { do: 'end', did: 'none came back in its place' },
    ],
    [
      'not where a person marked it already',
      ailment('failing', restarted),
      seen({ ...faults(3, 9), node: state({ mark: 'drain' }) }),
      null,
    ],
    ['an unkillable process drains', ailment('unkillable'), seen(), { do: 'mark', mark: 'drain' }],
    [
      'only once: a person has the last word',
      ailment('unkillable', { by: 'drain', at: 1, times: 1, did: null }),
      seen(),
      null,
    ],
    ['nobody but a person mends a host key', ailment('host-key'), seen({ connected: false }), null],
    ['the node mends its tmux server', ailment('tmux-server'), seen(), null],
  ])('%s', (_, what, look, next) => {
    expect(RULES[what.kind].treat(what, look, NOW)).toEqual(next);
  });
});

describe('a person is told', () => {
  const swept = { by: 'sweep', at: 1, times: 1, did: 'nothing' } as const;
  test.each<[title: string, what: Ailment, node: NodeState, level: 'P0' | 'P1' | null]>([
    ['of another host key at once', ailment('host-key'), state(), 'P0'],
    ['of a low disk not before a sweep', ailment('disk'), state(), null],
    ['of a low disk not while it is swept', ailment('disk', { ...swept, did: null }), state(), null],
    ['of a low disk that a sweep did not mend', ailment('disk', swept), state(), 'P1'],
    [
      'of a low disk while it is swept again',
      ailment('disk', { ...swept, times: 2, did: null }),
      state(),
      'P1',
    ],
    ['of failures not before it was cordoned', ailment('failing'), state(), null],
    [
      'of failures when it was',
      ailment('failing'),
      state({ mark: 'cordon', health: { ...WELL, markedFor: 'failing' } }),
      'P1',
    ],
    ['of a process that does not die', ailment('unkillable'), state(), 'P1'],
    ['of a reboot not at all', ailment('reboot'), state(), null],
    ['of a stale program not at all', ailment('program'), state(), null],
    ['of a tmux server that the node mends not at all', ailment('tmux-server'), state(), null],
  ])('%s', (_, what, known, level) => {
    expect(RULES[what.kind].alert(what, known)?.level ?? null).toBe(level);
  });
});
