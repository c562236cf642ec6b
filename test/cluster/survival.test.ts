/** What may die in the middle of a task without the task noticing, or without its work being done twice. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, makeHome, PROJECT, sshNode } from './home.ts';
import { isAlive } from './processes.ts';
import type { Line } from './running.ts';
import { type Sshd, startSshd } from './sshd.ts';
import { until } from './until.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

const SLOW =
  'mark "began-$DISPATCH_ATTEMPT"; await "go-$DISPATCH_ATTEMPT"; put src/A.txt "a $DISPATCH_ATTEMPT"';

function onBox(agent = SLOW): Home {
  return makeHome({ nodes: [sshNode('box', sshd)], tasks: { A: { agent } } });
}

describe('the connection', () => {
  test('is killed in the middle of a task: the attempt goes on, and its result is collected once', async () => {
    const home = onBox();
    const started = home.start();
    await home.marked('began-1');
    expect(sshd.killConnections()).toBeGreaterThan(0);
    await started.news('node box', 'disconnected');
    home.mark('go-1');
    const { code } = await started.ended;
    expect(code).toBe(0);
    expect(home.attempts()).toEqual(['A 1']);
    expect(endings(started.lines)).toBe(1);
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });

  test('is killed again and again while many small tasks run: each runs once', async () => {
    const ids = Array.from({ length: 8 }, (_, i) => `T${i + 10}`);
    const home = makeHome({
      nodes: [sshNode('box', sshd, { slots: 2 })],
      tasks: Object.fromEntries(ids.map((id) => [id, {}])),
    });
    const started = home.start();
    for (const count of [2, 5]) {
      await started.until(`${count} ends`, () => endings(started.lines) >= count);
      sshd.killConnections();
    }
    expect((await started.ended).code).toBe(0);
    expect(home.attempts()).toEqual(ids.map((id) => `${id} 1`));
  });

  test('hangs without being closed: that is noticed, a new one takes over, and the attempt never knew', async () => {
    const home = onBox();
    const started = home.start();
    await home.marked('began-1');
    expect(sshd.killConnections('SIGSTOP')).toBeGreaterThan(0);
    home.mark('go-1');
    const { code } = await started.ended;
    expect(code).toBe(0);
    expect(started.hasNews('node box', 'disconnected')).toBe(true);
    expect(home.attempts()).toEqual(['A 1']);
    sshd.killConnections();
  });
});

describe('the supervisor on the node', () => {
  test('is killed in the middle of a task: the next one adopts the attempt', async () => {
    const home = onBox();
    const started = home.start();
    await home.marked('began-1');
    const first = home.supervisor('box');
    process.kill(first, 'SIGKILL');
    await until('another supervisor', () => home.supervisor('box') !== first);
    home.mark('go-1');
    expect((await started.ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1']);
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });

  test('is killed and nobody is connected: the end of the task starts another one, and start finds the result', async () => {
    const home = onBox();
    const started = home.start();
    await home.marked('began-1');
    await started.kill();
    const first = home.supervisor('box');
    process.kill(first, 'SIGKILL');
    home.mark('go-1');
    await until('another supervisor', () => home.supervisor('box') !== first);
    expect((await home.start().ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1']);
  });
});

describe('the tmux server on the node', () => {
  test('is killed: the attempt is lost, nothing of it is left running, and the next one does the work', async () => {
    // The first attempt leaves a process that has a session of its own and heeds no hang-up.
    const home = onBox(
      [
        'grep -qs "^State:.[RSD]" "/proc/$(cat "$MARKS/stray" 2>/dev/null)/status" && mark overlap',
        `test "$DISPATCH_ATTEMPT" = 2 || setsid sh -c 'trap "" HUP; echo $$ >"$MARKS/stray"; exec sleep 60' &`,
        SLOW,
      ].join('\n'),
    );
    home.mark('go-2');
    const started = home.start();
    await home.marked('began-1');
    await home.marked('stray');
    await until('the number of the stray', () => home.read('stray').trim() !== '');
    const agent = home.executions()[0]?.pid ?? 0;
    process.kill(Number(home.tmux('box', 'display-message', '-p', '#{pid}')), 'SIGKILL');
    const { code } = await started.ended;
    expect(code).toBe(0);
    expect(home.attempts()).toEqual(['A 1', 'A 2']);
    expect([isAlive(agent), isAlive(Number(home.read('stray')))]).toEqual([false, false]);
    expect(() => home.read('overlap')).toThrow();
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.file('src/A.txt')).toBe('a 2\n');
  });
});

function endings(lines: readonly Line[]): number {
  return lines.filter(({ data }) => data?.word === 'ended').length;
}
