import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeHome, PROJECT, sshNode } from './home.ts';
import { type Sshd, startSshd } from './sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

describe('a project with a repository', () => {
  test('goes over this machine, an ssh node and a node behind a command, and lands on the target', async () => {
    const home = makeHome({
      nodes: [
        { name: 'here', local: true, slots: 1 },
        sshNode('box', sshd, { slots: 1 }),
        { name: 'pod', command: ['env'], slots: 1 },
      ],
      tasks: {
        // Three that wait for each other need three slots, one of each node.
        A: { agent: 'mark A; await B; await C; put src/A.txt a' },
        B: { agent: 'mark B; await C; await A; put src/B.txt b' },
        C: { agent: 'mark C; await A; await B; put src/C.txt c' },
        D: {
          depends_on: ['A', 'B', 'C'],
          agent: 'cat src/A.txt src/B.txt src/C.txt >src/D.txt',
          verify: 'sh test.sh && test "$(wc -l <src/D.txt)" -eq 3',
        },
      },
    });
    const started = home.start();
    const { code, stderr } = await started.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(home.attempts()).toEqual(['A 1', 'B 1', 'C 1', 'D 1']);
    const status = await home.status();
    expect(new Set(['A', 'B', 'C'].map((task) => status[task]?.node))).toEqual(
      new Set(['here', 'box', 'pod']),
    );
    // Nothing reaches the target before collect.
    expect(home.subjects()).toEqual(['first']);
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.landed()).toEqual(['A', 'B', 'C', 'D']);
    expect(home.file('src/D.txt')).toBe('a\nb\nc\n');
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });

  test.each([20_000, 60_000, 5_000_000])('brings results of %i bytes in without a pause', async (bytes) => {
    const home = makeHome({
      tasks: { A: { agent: `head -c ${bytes} /dev/urandom | base64 >src/A.txt` } },
    });
    const started = home.start();
    expect((await started.ended).code).toBe(0);
    // A link that stopped listening is found out by its deadlines, and made anew.
    expect(started.hasNews('node here', 'disconnected')).toBe(false);
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.file('src/A.txt').length).toBeGreaterThan(bytes);
  });

  test('shows the same run to a person on a terminal', async () => {
    const home = makeHome({ tasks: { A: {}, B: { depends_on: ['A'] } } });
    const { code, stdout } = await home.dispatch(['start', PROJECT], {
      env: { DISPATCH_FORCE_TTY: '100' },
    });
    expect(code).toBe(0);
    expect(stdout).toContain('2/2 merged');
    expect(stdout).toContain(`dispatch collect ${PROJECT}`);
  });
});
