import { describe, expect, test } from 'vitest';
import { ProcessTable, psRow, type Row } from '../../task-wrapper/process-table.ts';

function row(pid: number, parent: number, parts: Partial<Row> = {}): Row {
  const idle = { state: 'sleeping', cpuMs: 0, ownMs: 0, command: null } as const;
  return { pid, parent, group: pid, session: pid, ageMs: 1000 - pid, ...idle, ...parts };
}

describe('the processes of a step', () => {
  test('are what its shell has started, the oldest first, and what left it within its session', () => {
    const table = new ProcessTable([
      row(1, 0),
      row(100, 50),
      row(110, 100, { session: 100, group: 100 }),
      row(120, 110, { session: 100, group: 120 }),
      // Its parent has ended, and it made a group of its own.
      row(130, 1, { session: 100, group: 130 }),
      // Started by one that left the session.
      row(140, 130, { session: 140 }),
      row(200, 1),
    ]);
    expect(table.under(100).map(({ pid }) => pid)).toEqual([110, 120, 130, 140]);
    expect(table.under(200)).toEqual([]);
  });

  test.skipIf(process.platform !== 'linux')(
    'the table of this machine has this process, with its time',
    async () => {
      const table = await ProcessTable.read();
      const own = table.under(process.ppid).find(({ pid }) => pid === process.pid);
      expect(own?.cpuMs).toBeGreaterThan(0);
    },
  );
});

describe('a line of ps on macOS', () => {
  test.each([
    [
      '  501   499   501 Ss     0:04.56      12:01 /bin/sh launch.sh a b',
      { pid: 501, parent: 499, group: 501, state: 'sleeping', cpuMs: 4560, ageMs: 721_000 },
    ],
    [
      '77 1 77 T+ 1:02:03.00 2-03:04:05 claude -p',
      { state: 'stopped', cpuMs: 3_723_000, ageMs: 183_845_000, command: 'claude -p' },
    ],
    ['78 1 77 U 0:00.00 01:05 dd if=x', { state: 'disk', ageMs: 65_000 }],
    ['79 1 77 R+ 0:00.10 00:05 yes', { state: 'running', cpuMs: 100 }],
    ['80 1 77 Z 0:00.10 00:05 (sh)', { state: 'zombie' }],
  ])('%s', (line, seen) => {
    expect(psRow(line)).toMatchObject(seen);
  });

  test('anything else is none', () => {
    expect(psRow('PID PPID')).toBeNull();
    expect(psRow('')).toBeNull();
  });
});
