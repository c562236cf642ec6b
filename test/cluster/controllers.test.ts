/** Two controllers, and one that is killed: the work is done once, whoever watches it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testSeed } from '../seed.ts';
import { type Home, makeHome, PROJECT, sshNode } from './home.ts';
import { type Sshd, startSshd } from './sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

describe('two controllers at once', () => {
  test('the second says who holds the home and since when; after a SIGKILL the next takes over at once', async () => {
    const home = makeHome({ tasks: { A: { agent: 'mark began; await go; put src/A.txt a' } } });
    const first = home.start();
    await home.marked('began');
    const second = await home.dispatch(['start', PROJECT]);
    expect({ code: second.code, stdout: second.stdout }).toEqual({ code: 6, stdout: '' });
    expect(second.stderr).toMatch(
      new RegExp(
        `error\\[E_CONTROLLER_RUNNING\\] a controller runs this home already: pid ${first.pid} on \\S+, since \\d{4}-\\d\\d-\\d\\dT`,
        'u',
      ),
    );
    expect(second.stderr).toContain(`kill ${first.pid}`);
    expect(second.stderr).toContain('dispatch status');

    await first.kill();
    const third = home.start();
    await third.news('node here', 'connected');
    home.mark('go');
    expect((await third.ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1']);
  });

  test('one that was only stopped and wakes up late writes nothing over the one that replaced it', async () => {
    const home = makeHome({ tasks: { A: { agent: 'mark began; await go; put src/A.txt a' } } });
    const sleeper = home.start();
    await home.marked('began');
    sleeper.signal('SIGSTOP');
    // The lock of a stopped process holds: it may wake at any moment.
    expect((await home.dispatch(['start', PROJECT])).code).toBe(6);
    sleeper.signal('SIGCONT');
    home.mark('go');
    expect((await sleeper.ended).code).toBe(0);
    expect(home.subjects('main')).toEqual(['first']);
  });
});

describe('a killed controller', () => {
  test('again and again at random moments: nothing runs twice, nothing is lost, everything merges once', async () => {
    const seed = testSeed(20);
    const random = randomFrom(seed);
    const home = makeHome({
      nodes: [{ name: 'here', local: true, slots: 2 }, sshNode('box', sshd, { slots: 2 })],
      tasks: {
        A: {},
        B: {},
        C: { depends_on: ['A'] },
        D: { depends_on: ['A', 'B'] },
        E: { depends_on: ['C'] },
        F: {
          modifies: ['src/F.sh'],
          agent: 'put src/F.sh "$(test "$DISPATCH_ROUND" = 2 || echo "# TODO: later")"',
          retries: 1,
        },
      },
    });
    let kills = 0;
    for (; kills < 8; kills += 1) {
      const started = home.start();
      const lines = Math.floor(random() * 7);
      const isOver = await started
        .until('lines', () => started.lines.length >= lines)
        .then(
          () => false,
          () => true,
        );
      // Also one that said less than expected for long.
      await started.kill();
      if (isOver) break;
    }
    const { code, stdout } = await home.start().ended;
    const told = `DISPATCH_TEST_SEED=${seed}, ${kills} kills\n${stdout}`;
    expect(code, told).toBe(0);
    expect(home.attempts(), told).toEqual(['A 1', 'B 1', 'C 1', 'D 1', 'E 1', 'F 1']);
    expect(
      home.executions().filter(({ round }) => round > 1),
      told,
    ).toHaveLength(1);
    expect(mergedTasks(home), told).toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
    expect((await home.dispatch(['replay', '--check'])).code, told).toBe(0);

    // The same for collect: killed on its way, it delivers once.
    for (const lines of [1, 2, 3]) {
      const collect = home.spawn(['collect', PROJECT, '-o', 'ndjson']);
      await collect.until('lines', () => collect.lines.length >= lines).catch(() => undefined);
      await collect.kill();
    }
    expect((await home.dispatch(['collect', PROJECT])).code, told).toBe(0);
    expect(home.landed(), told).toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
    expect((await home.dispatch(['replay', '--check'])).code, told).toBe(0);
  });

  test('leaves nothing that keeps verbs from working without one', async () => {
    const home = makeHome({ tasks: { A: { agent: 'mark began; await go; put src/A.txt a' } } });
    const started = home.start();
    await home.marked('began');
    await started.kill();
    expect(existsSync(join(home.dir, '.dispatch', 'state.db'))).toBe(true);
    expect((await home.words()).A).toBe('running');
    const cancelled = await home.dispatch(['cancel', 'A']);
    expect(cancelled).toMatchObject({ code: 0, stdout: `✔ ${PROJECT}/A cancelled\n` });
    expect((await home.words()).A).toBe('cancelled');
  });
});

/** Tasks in the history of integration, by what its commits say. */
function mergedTasks(home: Home): string[] {
  const hub = join(home.dir, '.dispatch', 'repos', `${PROJECT}.git`);
  return home
    .git(
      '--git-dir',
      hub,
      'log',
      '--first-parent',
      '--format=%(trailers:key=Dispatch-Task,valueonly)',
      'integration',
    )
    .split('\n')
    .filter((line) => line !== '')
    .toSorted();
}

/** mulberry32: enough to choose moments, and a failing run can be repeated. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
