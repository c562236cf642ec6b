import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../src/node/incoming.ts';
import { FrameError } from '../../src/protocol/frame.ts';
import { stallFor } from '../model/builder.ts';

const TOKEN = 'ab'.repeat(16);
const COMMIT = 'c'.repeat(40);
const outcome = { kind: 'done', head: COMMIT, rounds: 1, usage: null };

const FAILED = { kind: 'failed', cause: 'prepare', message: 'EIO', exitCode: null, rounds: 1, usage: null };
const HEALTH = {
  cores: 8,
  load1: 0.5,
  memoryTotal: 16e9,
  memoryFree: 8e9,
  // More than a whole number holds: some network file systems say so.
  diskFree: 2 ** 63,
  diskTotal: 2 ** 63,
  files: { free: 10, total: 20 },
  bootId: 'b',
  clock: 1.7e12,
  attempts: 0,
  node: '20.19.0',
  tmux: '3.4',
  git: null,
};

const PROCESS = { pid: 4, command: 'sh', state: 'stopped', waits: null, cpuMs: 0, ageMs: 10 } as const;
const STALL = stallFor('stopped', { processes: [PROCESS], lastLines: ['on'] });
const REFUSAL = { kind: 'rate', retryAfterMs: null };

function withPid(pid: string): object {
  return { ...STALL, evidence: { ...STALL.evidence, processes: [{ ...PROCESS, pid }] } };
}

describe('what a node says', () => {
  it.each([
    ['an answer to a ping', { id: 1, reply: {} }, 'ping'],
    ['a refusal', { id: 1, error: { code: 'unknown', message: 'no' } }, 'start'],
    ['an answer that nobody waits for any more', { id: 9, reply: { head: 'anything' } }, null],
    ['its inventory', { id: 1, reply: { entries: [entry()] } }, 'inventory'],
    ['news of an end', { events: [{ seq: 1, at: 5, type: 'attempt.ended', token: TOKEN, outcome }] }, null],
    [
      "an agent's words on its work",
      { events: [{ seq: 1, at: 5, type: 'attempt.noted', token: TOKEN, plan: 'a, then b', evidence: null }] },
      null,
    ],
    [
      'news of itself',
      { events: [{ seq: 1, at: 5, type: 'supervisor.started', program: 'p', bootId: 'b' }] },
      null,
    ],
    ['how it is doing', { id: 1, reply: HEALTH }, 'health'],
    ['how it is doing on a disk without numbers', { id: 1, reply: { ...HEALTH, files: null } }, 'health'],
    ['news of a stall', { events: [{ seq: 1, type: 'attempt.stalled', token: TOKEN, stall: STALL }] }, null],
    ['news of a move', { events: [{ seq: 1, type: 'attempt.moved', token: TOKEN }] }, null],
    [
      'a refusal of a provider',
      { events: [{ seq: 1, type: 'provider.refused', token: TOKEN, refusal: REFUSAL, message: '429' }] },
      null,
    ],
    ['where to attach', { id: 1, reply: { argv: ['tmux'], shows: 'log', now: null } }, 'attach'],
    ['the head of a bundle', { id: 1, reply: { head: COMMIT } }, 'bundle.get'],
  ] as const)('may be %s', (_what, message, op) => {
    expect(parseMessage(message, () => op)).toEqual(message);
  });

  it.each([
    ['no object', 'hello', null],
    ['a load that is a word', { id: 1, reply: { ...HEALTH, load1: 'low' } }, 'health'],
    ['a disk that is no number', { id: 1, reply: { ...HEALTH, diskFree: null } }, 'health'],
    ['a list', [], null],
    ['an answer without an id', { reply: {} }, 'ping'],
    ['an answer without a reply', { id: 1 }, 'ping'],
    ['a refusal of an unknown kind', { id: 1, error: { code: 'because', message: '' } }, 'ping'],
    ['events that are no list', { events: {} }, null],
    ['an entry without a number', { events: [{ type: 'attempt.running', token: TOKEN }] }, null],
    ['words that are no text', { events: [{ seq: 1, type: 'attempt.noted', token: TOKEN, plan: 3 }] }, null],
    [
      'words without an end',
      {
        events: [{ seq: 1, type: 'attempt.noted', token: TOKEN, plan: 'x'.repeat(100_000), evidence: null }],
      },
      null,
    ],
    ['an entry with half a number', { events: [{ seq: 1.5, type: 'attempt.running', token: TOKEN }] }, null],
    ['an entry of an unknown kind', { events: [{ seq: 1, type: 'attempt.flew', token: TOKEN }] }, null],
    [
      'an entry with a path for a token',
      { events: [{ seq: 1, type: 'attempt.running', token: '../../etc' }] },
      null,
    ],
    [
      'an end with a head that is an option',
      {
        events: [
          { seq: 1, type: 'attempt.ended', token: TOKEN, outcome: { ...outcome, head: '--upload-pack=x' } },
        ],
      },
      null,
    ],
    [
      'an end of an unknown kind',
      { events: [{ seq: 1, type: 'attempt.ended', token: TOKEN, outcome: { kind: 'won' } }] },
      null,
    ],
    [
      'an end that blames somebody',
      {
        events: [
          { seq: 1, type: 'attempt.ended', token: TOKEN, outcome: { ...FAILED, blame: 'controller' } },
        ],
      },
      null,
    ],
    [
      'a tmux that has lost its head',
      { events: [{ seq: 1, type: 'tmux.lost', what: 'head', detail: '' }] },
      null,
    ],
    [
      'a stuck process with a name',
      { events: [{ seq: 1, type: 'stuck.seen', token: TOKEN, pids: ['init'], forMs: 1 }] },
      null,
    ],
    [
      'a sweep that freed a word',
      { id: 1, reply: { removed: [], freed: 'all', free: 1, files: null } },
      'sweep',
    ],
    [
      'a reserve that is no figure',
      { id: 1, reply: { ...HEALTH, reserve: { bytes: '1', files: 1 } } },
      'health',
    ],
    [
      'an inventory with a project that is a path',
      { id: 1, reply: { entries: [{ ...entry(), project: '../x' }] } },
      'inventory',
    ],
    ['a bundle with a head that is no commit', { id: 1, reply: { head: 'HEAD' } }, 'bundle.get'],
    [
      'a stall of an unknown cause',
      { events: [{ seq: 1, type: 'attempt.stalled', token: TOKEN, stall: { ...STALL, cause: 'mood' } }] },
      null,
    ],
    [
      'a stall with a process that has a command for a number',
      { events: [{ seq: 1, type: 'attempt.stalled', token: TOKEN, stall: withPid('1; reboot') }] },
      null,
    ],
    [
      'a stall that fills the store',
      {
        events: [
          { seq: 1, type: 'attempt.stalled', token: TOKEN, stall: { ...STALL, detail: 'x'.repeat(5000) } },
        ],
      },
      null,
    ],
    [
      'a refusal of a kind that no key can have',
      {
        events: [{ seq: 1, type: 'provider.refused', token: TOKEN, refusal: { kind: 'mood' }, message: '' }],
      },
      null,
    ],
    [
      'a welcome without a journal',
      { id: 1, reply: { protocol: 1, program: 'p', bootId: 'b', seq: 0 } },
      'hello',
    ],
  ] as const)('may not be %s', (_what, message, op) => {
    expect(() => parseMessage(message, () => op)).toThrow(FrameError);
  });
});

function entry(): object {
  return { token: TOKEN, project: 'p', task: 'S01', n: 1, state: 'ended', outcome, logBytes: 10 };
}
