/** What a person types while agents work: leave and come back, look, stop, try again, decide. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, makeHome, PROJECT, sshNode, writeFiles } from './home.ts';
import { inTerminal } from './in-terminal.ts';
import { isAlive } from './processes.ts';
import { type Sshd, startSshd } from './sshd.ts';
import { until } from './until.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

const WAITS =
  'echo "hello from $DISPATCH_TASK"; mark "began-$DISPATCH_TASK"; await "go-$DISPATCH_TASK"; echo bye; put "src/$DISPATCH_TASK.txt" done';

function onBox(tasks: Parameters<typeof makeHome>[0]['tasks'], project = {}): Home {
  return makeHome({ nodes: [sshNode('box', sshd)], tasks, project });
}

describe('Ctrl-C on start', () => {
  test('detaches: it says what to type, agents go on, and start finishes what it finds', async () => {
    const home = onBox({ A: { agent: WAITS }, B: { depends_on: ['A'] } });
    const first = home.start();
    await home.marked('began-A');
    first.signal('SIGINT');
    const { code, stderr } = await first.ended;
    expect(code).toBe(130);
    expect(stderr).toContain('detached; the agents that run go on');
    expect(stderr).toContain(`dispatch start ${PROJECT}`);
    expect(stderr).toContain('dispatch cancel --all');
    expect(isAlive(home.executions()[0]?.pid ?? 0)).toBe(true);
    expect((await home.words()).A).toBe('running');

    home.mark('go-A');
    const second = home.start();
    expect((await second.ended).code).toBe(0);
    expect(second.hasNews(`${PROJECT}/A`, 'running')).toBe(false);
    expect(home.attempts()).toEqual(['A 1', 'B 1']);
  });
});

describe('cancel', () => {
  test('reaches the controller that runs; the agent ends, and what depends on it does not start', async () => {
    const home = onBox({ A: { agent: WAITS }, B: { depends_on: ['A'] }, C: {} });
    const started = home.start();
    await home.marked('began-A');
    const [agent] = home.executions().filter(({ task }) => task === 'A');
    const cancelled = await home.dispatch(['cancel', 'A', '--reason', 'not wanted any more']);
    expect(cancelled).toMatchObject({ code: 0, stdout: `✔ ${PROJECT}/A cancelled\n`, stderr: '' });
    expect((await started.ended).code).toBe(3);
    expect(await home.words()).toEqual({ A: 'cancelled', B: 'blocked', C: 'merged' });
    await until('the agent is gone', () => !isAlive(agent?.pid ?? 0));
    expect((await home.dispatch(['report', PROJECT])).stdout).toContain('not wanted any more');
  });

  test('without a controller becomes one for a moment: when it returns, the agent has been told', async () => {
    const home = onBox({ A: { agent: WAITS } });
    const started = home.start();
    await home.marked('began-A');
    started.signal('SIGINT');
    await started.ended;
    const agent = home.executions()[0]?.pid ?? 0;
    expect((await home.dispatch(['cancel', '--all'])).code).toBe(0);
    expect((await home.words()).A).toBe('cancelled');
    await until('the agent is gone', () => !isAlive(agent));
    const again = await home.dispatch(['cancel', 'A']);
    expect(again.code).toBe(6);
    expect(again.stderr).toContain('error[E_WRONG_STATE]');
  });
});

describe('retry', () => {
  const FAILS = 'test "$DISPATCH_ATTEMPT" = 1 && { echo out of luck; exit 7; }; put src/A.txt a';

  test('after a failure, without a controller and then start', async () => {
    const home = onBox({ A: { agent: FAILS }, B: { depends_on: ['A'] } });
    const failed = await home.dispatch(['start', PROJECT]);
    expect(failed.code).toBe(3);
    expect(failed.stdout).toMatch(/A: .*exit code 7.*out of luck/u);
    expect(failed.stdout).toContain(`dispatch retry ${PROJECT}/A`);
    expect((await home.dispatch(['retry', 'A'])).code).toBe(0);
    expect((await home.start().ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1', 'A 2', 'B 1']);
  });

  test('while a controller runs: the next attempt starts at once', async () => {
    const home = onBox({ A: { agent: FAILS }, B: { agent: WAITS } });
    const started = home.start();
    await started.news(`${PROJECT}/A`, 'failed');
    expect((await home.dispatch(['retry', 'A'])).code).toBe(0);
    await started.news(`${PROJECT}/A`, 'merged');
    home.mark('go-B');
    expect((await started.ended).code).toBe(0);
    const merged = await home.dispatch(['retry', 'A']);
    expect(merged.code).toBe(6);
    expect(merged.stderr).toContain('has merged');
  });
});

describe('looking on', () => {
  test('logs -f follows a running attempt to its end', async () => {
    const home = onBox({ A: { agent: WAITS } });
    const started = home.start();
    await home.marked('began-A');
    const logs = home.spawn(['logs', 'A', '-f']);
    await logs.until('the first line', () => logs.output.includes('hello from A'));
    expect(logs.output).not.toContain('bye');
    home.mark('go-A');
    const { code, stdout } = await logs.ended;
    expect({ code, stdout: stdout.split('\n').slice(0, 2) }).toEqual({
      code: 0,
      stdout: ['hello from A', 'bye'],
    });
    expect((await started.ended).code).toBe(0);
  });

  test('attach needs a terminal and names what does not', async () => {
    const home = onBox({ A: { agent: WAITS } });
    const started = home.start();
    await home.marked('began-A');
    const { code, stderr } = await home.dispatch(['attach', 'A']);
    expect(code).toBe(2);
    expect(stderr).toContain('error[E_NEEDS_TERMINAL] attach needs a terminal');
    expect(stderr).toContain('fix: dispatch logs -f A');
    home.mark('go-A');
    await started.ended;
    expect(home.attempts()).toEqual(['A 1']);
  });

  const hasScript = spawnSync('script', ['--version']).status === 0;

  /** An sshd that is not root's has nobody's right to hand out a terminal. */
  const PLACES = process.getuid?.() === 0 ? ['here', 'box'] : ['here'];

  test.skipIf(!hasScript).each(PLACES)(
    'attach shows the window of an attempt on %s, read-only, and leaves it alone (skipped without script(1))',
    async (node) => {
      const home = makeHome({
        nodes: [node === 'here' ? { name: 'here', local: true } : sshNode('box', sshd)],
        tasks: { A: { agent: WAITS } },
      });
      const started = home.start();
      await home.marked('began-A');
      const window = inTerminal(home, 'attach A');
      await window.sees('hello from A');
      // What is typed does not reach the agent; Ctrl-b d leaves. Keys that come at once count as pasted text, so each
      // look sends one.
      window.type('\u0003');
      const keys = ['\u0002', 'd'];
      await until('it is left', () => {
        window.type(keys[0] ?? '');
        keys.push(keys.shift() ?? '');
        return window.isOver();
      });
      expect(await window.code).toBe(0);
      expect(isAlive(home.executions()[0]?.pid ?? 0)).toBe(true);
      home.mark('go-A');
      expect((await started.ended).code).toBe(0);
    },
  );

  test.skipIf(!hasScript)(
    'attach leaves Ctrl-C to what it shows, and ends as that ends (skipped without script(1))',
    async () => {
      const home = onBox({ A: { agent: WAITS } });
      const started = home.start();
      await home.marked('began-A');
      // An ssh that is interrupted together with its parent, as Ctrl-C does in the moment it has left raw mode.
      const ssh = execFileSync('which', ['ssh'], { encoding: 'utf8' }).trim();
      const script = `#!/bin/sh\ntest "$1" = -t || exec ${ssh} "$@"\nkill -INT $PPID\nkill -QUIT $PPID\nexit 42\n`;
      writeFiles(home.base, { 'stub/ssh': script });
      chmodSync(`${home.base}/stub/ssh`, 0o755);
      const PATH = `${home.base}/stub:${process.env.PATH}`;
      const window = inTerminal(home, 'attach A', { PATH });
      expect(await window.code, window.shown()).toBe(42);
      home.mark('go-A');
      expect((await started.ended).code).toBe(0);
    },
  );
});

describe('cordon and drain, over the controller that runs', () => {
  test('a cordoned node gets nothing new until it is uncordoned', async () => {
    const home = onBox({ A: { agent: WAITS }, B: { depends_on: ['A'] } });
    const started = home.start();
    await home.marked('began-A');
    expect((await home.dispatch(['nodes', 'cordon', 'box'])).stdout).toContain('box cordoned');
    // Not even its merge can be gated, and a run that nothing can carry on is over.
    home.mark('go-A');
    const { code, stderr } = await started.ended;
    expect(code).toBe(3);
    expect(stderr).toContain('nothing starts: dispatch nodes uncordon box');
    expect(await home.words()).toEqual({ A: 'gating', B: 'waiting' });
    expect((await home.dispatch(['why', 'A'])).stdout).toMatch(/box: .*uncordon/u);
    expect((await home.dispatch(['nodes', 'uncordon', 'box'])).code).toBe(0);
    expect((await home.start().ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1', 'B 1']);
  });

  test('a drained node finishes what it has, and the others take the rest', async () => {
    const home = makeHome({
      nodes: [sshNode('box', sshd, { slots: 1, weight: 10 }), { name: 'here', local: true, slots: 1 }],
      tasks: { A: { agent: WAITS }, B: { agent: WAITS }, C: { depends_on: ['A'] } },
    });
    const started = home.start();
    await Promise.all([home.marked('began-A'), home.marked('began-B')]);
    expect((await home.dispatch(['nodes', 'drain', 'box'])).stdout).toContain('box draining');
    const before = await home.status();
    home.mark('go-A');
    home.mark('go-B');
    expect((await started.ended).code).toBe(0);
    const after = await home.status();
    expect([after.A?.node, after.B?.node]).toEqual([before.A?.node, before.B?.node]);
    expect(after.C?.node).toBe('here');
    expect(home.attempts()).toEqual(['A 1', 'B 1', 'C 1']);
  });
});

describe('review', () => {
  test('waits for a person: approved it merges, rejected it is done again with the reason', async () => {
    const keep = 'cp "$DISPATCH_PROMPT" "$MARKS/prompt-B"; put src/B.txt "try $DISPATCH_ATTEMPT"';
    const home = onBox({
      A: { review: true },
      B: { review: true, agent: keep },
      C: { depends_on: ['A'] },
    });
    const first = await home.dispatch(['start', PROJECT]);
    expect(first.code).toBe(3);
    expect(first.stdout).toContain(`dispatch review ${PROJECT}/A --approve`);
    expect(await home.words()).toEqual({ A: 'review', B: 'review', C: 'waiting' });

    expect((await home.dispatch(['review', 'A', '--approve'])).code).toBe(0);
    expect((await home.dispatch(['review', 'B', '--reject', 'the name must stay'])).code).toBe(0);
    const second = await home.dispatch(['start', PROJECT]);
    expect(second.code).toBe(3);
    expect(await home.words()).toEqual({ A: 'merged', B: 'review', C: 'merged' });
    expect(home.attempts()).toEqual(['A 1', 'B 1', 'B 2', 'C 1']);
    expect(home.read('prompt-B')).toContain('the name must stay');
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(3);
    expect(() => home.file('src/B.txt')).toThrow();
    expect(home.file('src/C.txt')).toBe('C\n');
  });

  test('over the controller that runs', async () => {
    const home = onBox({ A: { review: true }, B: { agent: WAITS } });
    const started = home.start();
    await started.news(`${PROJECT}/A`, 'review');
    expect((await home.dispatch(['review', 'A', '--approve'])).code).toBe(0);
    await started.news(`${PROJECT}/A`, 'merged');
    home.mark('go-B');
    expect((await started.ended).code).toBe(0);
  });
});
