/** A node that falls silent with work on it: its lease, what becomes of the work, and what it brings when it is back. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as passing } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { gitIn, type Home, makeHome, type NodeText, PROJECT, sshNode } from './home.ts';
import type { Line, Running } from './running.ts';
import { configThrough, SlowLine } from './slow-line.ts';
import { type Sshd, startSshd } from './sshd.ts';
import { until } from './until.ts';

const LIMIT_MS = 400_000;
const PATIENCE_MS = 120_000;
const LEASE_MS = 5_000;
/** Longer than the lease, and than what a controller takes for sleep; on a slow machine it is only longer. */
const NAP_MS = 6_500;

const SLOW = 'mark "A-$DISPATCH_ATTEMPT"; await "go-$DISPATCH_ATTEMPT"; put src/A.txt "a $DISPATCH_ATTEMPT"';

async function server(alias: string): Promise<Sshd> {
  const sshd = await startSshd({ alias });
  onTestFinished(() => sshd.stop());
  return sshd;
}

/** The first attempt of A runs on `box`, and `mac`, which was off until then, is there to take over. */
async function underWay(
  mac: Sshd,
  nodes: readonly NodeText[],
  tasks: Readonly<Record<string, object>>,
): Promise<{ home: Home; started: Running }> {
  await mac.halt();
  const home = makeHome({ nodes, tasks: { A: { agent: SLOW }, ...tasks } });
  const started = home.start({ limitMs: LIMIT_MS });
  await home.marked('A-1', PATIENCE_MS);
  await mac.start();
  await started.news('node mac', 'connected', PATIENCE_MS);
  return { home, started };
}

describe('a node that falls silent with work on it', { timeout: LIMIT_MS }, () => {
  test('keeps it through a sleep of the controller; when its lease has ended the work is done elsewhere, and what it brings later is kept and not merged', async () => {
    const [box, mac] = [await server('box'), await server('mac')];
    const line = new SlowLine(box.port, 0);
    await line.open();
    onTestFinished(() => line.cut());
    const { home, started } = await underWay(
      mac,
      [
        sshNode('box', box, { ssh_config: await configThrough(box, line), lease: LEASE_MS / 1000 }),
        sshNode('mac', mac),
      ],
      { B: { depends_on: ['A'], agent: 'mark B; await go-B; put src/B.txt b' } },
    );
    const [first] = home.executions();

    await line.cut();
    await started.news('node box', 'disconnected', PATIENCE_MS);
    started.signal('SIGSTOP');
    const stopped = Date.now();
    await passing(NAP_MS);
    started.signal('SIGCONT');
    await started.news('node box', 'lost', PATIENCE_MS);
    const at = (about: string, word: string): number => momentOf(started.lines, about, word);
    const [down, woke, lost] = [
      at('node box', 'disconnected'),
      at('controller', 'woke'),
      at('node box', 'lost'),
    ];
    const slept = Math.max(0, Math.min(woke, lost) - stopped);
    expect(lost - down - slept).toBeGreaterThanOrEqual(LEASE_MS);

    await home.marked('A-2', PATIENCE_MS);
    expect(home.executions().at(-1)).toMatchObject({ task: 'A', attempt: 2 });
    await says(home, ['nodes'], /^box\tlost \d/mu);
    // The first attempt never knew; its result lies on the node.
    home.mark('go-1');
    const result = join(home.root('box'), 'attempts', first?.token ?? '', 'result.json');
    await until('the result of the first attempt', () => existsSync(result), PATIENCE_MS);
    home.mark('go-2');
    await home.marked('B', PATIENCE_MS);

    await line.open();
    await started.news(`${PROJECT}/A`, 'late', PATIENCE_MS);
    const ref = `refs/cand/${first?.token}`;
    const hub = join(home.dir, '.dispatch', 'repos', `${PROJECT}.git`);
    expect(gitIn(hub, 'show', `${ref}:src/A.txt`)).toBe('a 1\n');
    expect((await home.dispatch(['why', 'A'])).stdout).toContain(`git fetch ${hub} ${ref}`);

    home.mark('go-B');
    expect((await started.ended).code, started.output).toBe(0);
    expect(home.attempts()).toEqual(['A 1', 'A 2', 'B 1']);
    expect(gitIn(hub, 'show', 'integration:src/A.txt')).toBe('a 2\n');
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });

  test('waits for a person where its lease never ends, and starts elsewhere when that person says that it is gone', async () => {
    const [box, mac] = [await server('box'), await server('mac')];
    const { home, started } = await underWay(
      mac,
      [sshNode('box', box, { lease: 'never' }), sshNode('mac', mac)],
      {},
    );
    const early = await home.dispatch(['nodes', 'expire', 'box', '--yes']);
    expect(early.stderr).toContain('box is connected: nothing of it is lost');

    await box.halt();
    await started.news('node box', 'disconnected', PATIENCE_MS);
    await says(home, ['why', 'A'], /its node box has been silent for .*\n.*dispatch nodes expire box/u);
    expect((await home.status()).A).toMatchObject({ status: 'running', reason: 'NodeSilent(box)' });

    await mac.halt();
    await started.until('the note that nobody answers', () => networkNotes(started).length > 0, PATIENCE_MS);
    await mac.start();
    await started.until('the note that somebody does', () => networkNotes(started).length > 1, PATIENCE_MS);

    const asked = await home.dispatch(['nodes', 'expire', 'box']);
    expect(asked.stderr).toContain(`given up on box, to start elsewhere: ${PROJECT}/A`);
    expect(asked.stderr).toContain('E_NEEDS_TERMINAL');
    expect((await home.dispatch(['nodes', 'expire', 'box', '--yes'])).code).toBe(0);
    await home.marked('A-2', PATIENCE_MS);
    home.mark('go-2');
    expect((await started.ended).code, started.output).toBe(0);
    expect(home.attempts()).toEqual(['A 1', 'A 2']);
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });
});

function networkNotes(started: Running): string[] {
  return started.notes.flatMap(({ about, message }) => (about === 'network' ? message : []));
}

/** Waits until a verb says so: a controller on a busy machine may not answer it in time. */
async function says(home: Home, args: readonly string[], what: RegExp): Promise<void> {
  await until(
    `${args.join(' ')}: ${what}`,
    async () => what.test((await home.dispatch(args)).stdout),
    PATIENCE_MS,
  );
}

/** When this news came first, by the controller's wall clock, milliseconds. */
function momentOf(lines: readonly Line[], about: string, word: string): number {
  const news = lines.find(({ type, data }) => type === 'News' && data?.about === about && data.word === word);
  return Number(news?.data?.at);
}
