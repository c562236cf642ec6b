/** No space left, where the state is kept and where agents work: nothing is lost, and with space again the work goes on. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SHUN_MS } from '../../src/controller/policy.ts';
import { mayMount, SmallDisk } from './disk.ts';
import { makeHome, PROJECT, sshNode } from './home.ts';
import { startSshd } from './sshd.ts';
import { until } from './until.ts';

const skip = !mayMount();
const YEAR_MS = 365 * 24 * 3_600_000;
const WAITS = 'mark "began-$DISPATCH_TASK"; await go; put "src/$DISPATCH_TASK.txt" "$DISPATCH_TASK"';

describe.skipIf(skip)("the controller's disk (skipped where no tmpfs may be mounted)", () => {
  test('is full before the start: nothing is started, and with space the same command finishes', async () => {
    const home = makeHome({ tasks: { A: {} } });
    const disk = new SmallDisk(join(home.dir, '.dispatch'), '16m');
    disk.fill();
    const { code, stderr } = await home.dispatch(['start', PROJECT]);
    expect(code).toBe(1);
    expect(stderr).toContain('error[E_NO_SPACE]');
    expect(stderr).toContain(`fix: free space on the disk of ${disk.path}`);
    expect(home.attempts()).toEqual([]);
    disk.free();
    expect((await home.dispatch(['start', PROJECT])).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1']);
  });

  test('fills up while agents work: it is said once, agents go on, and with space the run finishes by itself', async () => {
    const home = makeHome({
      tasks: { A: { agent: WAITS }, B: { agent: WAITS }, C: { depends_on: ['A', 'B'] } },
    });
    const disk = new SmallDisk(join(home.dir, '.dispatch'), '16m');
    const started = home.start();
    await Promise.all([home.marked('began-A'), home.marked('began-B')]);
    disk.fill();
    home.mark('go');
    await started.until('a note', () => started.notes.some(({ code }) => code === 'E_NO_SPACE'));
    expect(home.attempts()).toEqual(['A 1', 'B 1']);
    disk.free();
    const { code } = await started.ended;
    expect(code).toBe(0);
    expect(started.notes.filter(({ about }) => about === 'store').map((note) => note.code)).toEqual([
      'E_NO_SPACE',
      null,
    ]);
    expect(home.attempts()).toEqual(['A 1', 'B 1', 'C 1']);
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });

  test('fills up, and the controller is killed then: the next one finds everything as it was', async () => {
    const home = makeHome({ tasks: { A: { agent: WAITS } } });
    const disk = new SmallDisk(join(home.dir, '.dispatch'), '16m');
    const started = home.start();
    await home.marked('began-A');
    disk.fill();
    home.mark('go');
    await started.until('a note', () => started.notes.some(({ code }) => code === 'E_NO_SPACE'));
    await started.kill();
    const refused = await home.dispatch(['start', PROJECT]);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('E_NO_SPACE');
    disk.free();
    expect((await home.start().ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1']);
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });

  test('has no room for what an agent made: that is said, the result stays on its node, and comes in later', async () => {
    const big = 'head -c 4000000 /dev/urandom | base64 >src/A.txt';
    const home = makeHome({ tasks: { A: { agent: `mark began-A; await go; ${big}` } } });
    const disk = new SmallDisk(join(home.dir, '.dispatch'), '24m');
    const started = home.start();
    await home.marked('began-A');
    disk.fill(2_000_000);
    home.mark('go');
    await started.until('a note', () => started.notes.some(({ message }) => /no space/iu.test(message)));
    disk.free();
    expect((await started.ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1']);
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.file('src/A.txt').length).toBeGreaterThan(5_000_000);
  });
});

describe.skipIf(skip)("a node's disk (skipped where no tmpfs may be mounted)", () => {
  test('has less than what is kept in reserve: the work goes to another node', async () => {
    const home = makeHome({
      nodes: [
        { name: 'small', local: true, slots: 4 },
        { name: 'large', local: true, slots: 1 },
      ],
      tasks: { A: { agent: WAITS }, B: { agent: WAITS } },
    });
    new SmallDisk(home.root('small'), '32m');
    const started = home.start();
    // The large node has one slot, so the other order goes to the small one.
    await started.news('node small', 'refuses');
    home.mark('go');
    const { code, stdout } = await started.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/\d+ MiB are free, 256 are kept in reserve/u);
    // Told once for all orders that were on their way, and again only when it has been asked again, a minute later.
    const refusals = started.lines.filter(({ data }) => data?.word === 'refuses');
    const moments = refusals.map(({ data }) => Number(data?.at));
    const pauses = moments.slice(1).map((at, i) => at - (moments[i] ?? 0));
    expect(pauses.filter((pause) => pause < SHUN_MS)).toEqual([]);
    const status = await home.status();
    expect([status.A?.node, status.B?.node]).toEqual(['large', 'large']);
    // An order that was refused never ran.
    expect(home.executions()).toHaveLength(2);
  });

  test('is the only one: it is said, nothing runs, and with space the same command finishes', async () => {
    const home = makeHome({ tasks: { A: {} } });
    const disk = new SmallDisk(home.root('here'), '32m');
    const started = home.start();
    await started.news('node here', 'refuses');
    const why = await home.dispatch(['why', 'A']);
    expect(why.stdout).toMatch(/here: .*\d+ MiB are free, 256 are kept in reserve/u);
    started.signal('SIGINT');
    expect((await started.ended).code).toBe(130);
    expect(home.executions()).toEqual([]);
    disk.resize('600m');
    expect((await home.start().ended).code).toBe(0);
    expect(home.executions()).toHaveLength(1);
  });

  test('fills up in the middle of a task: nothing of the work is lost, and with space again it is finished', async () => {
    const sshd = await startSshd({ env: { DISPATCH_RESERVE_BYTES: '1' } });
    onTestFinished(() => sshd.stop());
    const home = makeHome({
      nodes: [sshNode('box', sshd)],
      tasks: { A: { agent: 'put src/A.txt a; mark began-A; await go' } },
    });
    const disk = new SmallDisk(home.root('box'), '64m');
    const started = home.start();
    await home.marked('began-A');
    disk.fill();
    const worker = home.supervisor('box');
    home.mark('go');
    // A moment that no clock of people shows: the node has seen that its disk is full.
    await until('that it is seen', () => statSync(join(disk.path, 'run', 'full-at')).mtimeMs < YEAR_MS);
    disk.free();
    expect((await started.ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1']);
    expect(home.supervisor('box')).toBe(worker);
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.file('src/A.txt')).toBe('a\n');
  });

  test('fills up while an agent writes: what comes of that says nothing of the work, which is done again', async () => {
    const sshd = await startSshd({ env: { DISPATCH_RESERVE_BYTES: '1' } });
    onTestFinished(() => sshd.stop());
    const home = makeHome({
      nodes: [sshNode('box', sshd)],
      // It does not look whether its files could be written, and says that all is well.
      tasks: {
        A: { agent: 'mark "began-$DISPATCH_ATTEMPT"; await "go-$DISPATCH_ATTEMPT"; put src/A.txt a || :' },
      },
      project: { verify: 'grep -qx a src/A.txt' },
      files: { 'src/A.txt': '' },
    });
    home.mark('go-2');
    const disk = new SmallDisk(home.root('box'), '64m');
    const started = home.start();
    await home.marked('began-1');
    disk.fill();
    home.mark('go-1');
    await until('that it is seen', () => statSync(join(disk.path, 'run', 'full-at')).mtimeMs < YEAR_MS);
    disk.free();
    expect((await started.ended).code, started.output).toBe(0);
    expect(home.attempts()).toEqual(['A 1', 'A 2']);
    expect(started.output).toContain('lost: the disk of the node was full');
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });
});
