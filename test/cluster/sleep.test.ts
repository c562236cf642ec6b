/** A process that is stopped and goes on is as near as a test gets to a laptop that is closed and opened. */
import { setTimeout as passing } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeHome, PROJECT, sshNode } from './home.ts';
import { type Sshd, startSshd } from './sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

const LIMIT_MS = 150_000;
const PATIENCE_MS = 60_000;
/** Longer than what a controller takes for sleep; on a slow machine it is only longer. */
const NAP_MS = 7000;

const WAITS = 'mark began; await go; put src/A.txt a';

describe('a controller whose machine sleeps', { timeout: LIMIT_MS }, () => {
  test('asks its connections when it wakes, and finds the work done that went on meanwhile', async () => {
    const home = makeHome({ nodes: [sshNode('box', sshd)], tasks: { A: { agent: WAITS } } });
    const started = home.start({ limitMs: LIMIT_MS });
    await home.marked('began', PATIENCE_MS);
    started.signal('SIGSTOP');
    home.mark('go');
    await passing(NAP_MS);
    started.signal('SIGCONT');
    await started.news('controller', 'woke', PATIENCE_MS);
    expect((await started.ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1']);
  });

  test('finds its connections cut when it wakes, makes them anew, and nothing ran twice or was lost', async () => {
    const home = makeHome({
      nodes: [sshNode('box', sshd)],
      tasks: { A: { agent: WAITS }, B: { depends_on: ['A'] } },
    });
    const started = home.start({ limitMs: LIMIT_MS });
    await home.marked('began', PATIENCE_MS);
    started.signal('SIGSTOP');
    expect(sshd.killConnections()).toBeGreaterThan(0);
    home.mark('go');
    await passing(NAP_MS);
    started.signal('SIGCONT');
    await started.news('controller', 'woke', PATIENCE_MS);
    const { code } = await started.ended;
    expect(code, started.output).toBe(0);
    expect(started.hasNews('node box', 'disconnected')).toBe(true);
    expect(home.attempts()).toEqual(['A 1', 'B 1']);
    expect((await home.dispatch(['report', PROJECT])).code).toBe(0);
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });
});
