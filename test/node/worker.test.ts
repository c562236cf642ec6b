/** The link against the real worker program, over a real sshd. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitId, projectName, taskId, type Token, token } from '../../src/model/ids.ts';
import { type Cursor, NodeLink } from '../../src/node/link.ts';
import { probeNode } from '../../src/node/probe.ts';
import { loadProgram } from '../../src/node/program.ts';
import type { InventoryEntry, JournalEntry } from '../../src/protocol/messages.ts';
import type { AttemptOrder } from '../../src/protocol/order.ts';
import { PROTOCOL } from '../../src/protocol/version.ts';
import { nodeConfig, sshReach } from '../cluster/reach.ts';
import { type Sshd, startSshd } from '../cluster/sshd.ts';
import { until } from '../cluster/until.ts';
import { endWorker } from '../cluster/worker-end.ts';
import { DEFAULT_SANDBOX } from '../../src/model/sandbox.ts';

let sshd: Sshd;
let links: NodeLink[] = [];
beforeEach(async () => {
  sshd = await startSshd({ maxSessions: 1, env: { DISPATCH_IDLE_MS: '500' } });
});
afterEach(async () => {
  for (const link of links) await link.stop();
  links = [];
  await sshd.halt();
  endWorker(join(sshd.home, 'agent-worker'));
  await sshd.stop();
});

describe.each(['ssh2', 'openssh'] as const)('the worker over %s', (which) => {
  it('is shipped, started and looked at by one probe', async () => {
    const program = await loadProgram();
    const config = nodeConfig('n1', sshReach(sshd, which));
    const first = await probeNode(config, { program, programs: ['git', 'no-such-program'] });
    expect(first.shipped).toBe(true);
    expect(first.choice.kind).toBe(which);
    expect(first.welcome).toMatchObject({
      protocol: PROTOCOL,
      program: program.hash,
      platform: process.platform,
    });
    expect(first.probe.root).toBe(join(sshd.home, 'agent-worker'));
    expect(first.probe.programs['no-such-program']).toBeNull();
    expect(first.probe.programs.git).toContain('/git');
    const second = await probeNode(config, { program });
    expect(second.shipped).toBe(false);
    expect(second.welcome.bootId).toBe(first.welcome.bootId);
  });

  it('goes on through a cut: the attempt does not notice, its end is told once, its log is whole', async () => {
    const { link, seen } = await linked(which);
    const go = join(sshd.dir, 'go');
    const command = `for i in 1 2 3; do echo line $i; done; while [ ! -e ${go} ]; do sleep 0.05; done; echo done`;
    expect(await link.call({ op: 'start', order: order(TOKEN, command) })).toEqual({ state: 'started' });
    expect(await link.call({ op: 'start', order: order(TOKEN, command) })).toEqual({ state: 'known' });
    const log = (async () => {
      let text = '';
      for await (const bytes of link.followLog(TOKEN, 0, true)) text += bytes.toString();
      return text;
    })();
    await until('it runs', () =>
      seen.entries.some((entry) => entry.type === 'attempt.step' && entry.step === 'agent'),
    );

    for (let cut = 1; cut <= 3; cut += 1) {
      sshd.killConnections();
      await until('it is back', () => seen.ups.length === cut + 1);
      expect(seen.ups.at(-1)?.[0]).toMatchObject({ token: TOKEN, state: 'running' });
    }
    sshd.killConnections();
    await writeFile(go, '');
    await until('the end is told', () => seen.entries.some((entry) => entry.type === 'attempt.ended'));
    expect(await log).toContain('line 1\nline 2\nline 3\ndone\n');

    const ends = seen.entries.filter((entry) => entry.type === 'attempt.ended');
    expect(ends).toHaveLength(1);
    expect(ends[0]).toMatchObject({ token: TOKEN, outcome: { kind: 'done' } });
    const seqs = seen.entries.map((entry) => entry.seq);
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
    expect(await link.call({ op: 'forget', token: TOKEN, epoch: 1 })).toEqual({ state: 'forgotten' });
  });

  it('refuses what it must with a reason that is certain', async () => {
    const { link } = await linked(which);
    await expect(link.call({ op: 'attach', token: TOKEN })).rejects.toMatchObject({
      name: 'NodeRefusal',
      code: 'unknown',
    });
    await expect(link.getBundle(TOKEN, [], join(sshd.dir, 'b'))).rejects.toMatchObject({ code: 'unknown' });
    expect(existsSync(join(sshd.dir, 'b.part'))).toBe(false);
    await expect(link.call({ op: 'cancel', token: TOKEN, reason: 'x', epoch: 0 })).rejects.toMatchObject({
      code: 'fenced',
    });
    await writeFile(join(sshd.dir, 'no-bundle'), 'not a bundle at all');
    await expect(
      link.putBundle(PROJECT, [commitId('a'.repeat(40))], join(sshd.dir, 'no-bundle')),
    ).rejects.toMatchObject({
      name: 'NodeRefusal',
    });
    expect(await link.call({ op: 'ping' })).toEqual({});
  });
});

describe('a worker that cannot start', () => {
  it('says what it said before it ended', async () => {
    const real = await loadProgram();
    const program = { ...real, wrapper: Buffer.from('console.error("my last words"); process.exit(3);\n') };
    await expect(probeNode(nodeConfig('n1', sshReach(sshd)), { program })).rejects.toMatchObject({
      code: 'E_NODE_START',
      why: expect.stringContaining('my last words'),
    });
  });
});

describe('the program for nodes', () => {
  it('is checked before it is shipped', async () => {
    const dir = join(sshd.dir, 'dist');
    await expect(loadProgram(dir)).rejects.toMatchObject({ code: 'E_NODE_PROGRAM' });
    execFileSync('cp', ['-r', process.env.DISPATCH_DIST ?? '', dir]);
    expect(await loadProgram(dir)).toMatchObject({ hash: (await loadProgram()).hash });
    const wrapper = join(dir, 'task-wrapper.mjs');
    await writeFile(wrapper, `${await readFile(wrapper, 'utf8')}// changed\n`);
    await expect(loadProgram(dir)).rejects.toMatchObject({ code: 'E_NODE_PROGRAM' });
  });
});

const TOKEN = token('cd'.repeat(16));
const PROJECT = projectName('p');

function order(of: Token, command: string): AttemptOrder {
  return {
    protocol: PROTOCOL,
    token: of,
    project: PROJECT,
    task: taskId('T1'),
    n: 1,
    epoch: 1,
    timeoutMs: 60_000,
    logCapBytes: 1 << 20,
    work: {
      kind: 'work',
      tree: null,
      spec: 'spec',
      prompt: 'prompt',
      executor: {
        name: 'sh',
        kind: 'shell',
        command: ['/bin/sh', '-c', command],
        env: {},
        secrets: {},
        model: null,
      },
      verify: null,
      verifyTimeoutMs: 10_000,
      minTests: 0,
      sandbox: DEFAULT_SANDBOX,
      retries: 0,
      feedback: null,
    },
  };
}

async function linked(which: 'ssh2' | 'openssh'): Promise<{
  link: NodeLink;
  seen: { ups: (readonly InventoryEntry[])[]; entries: JournalEntry[] };
}> {
  const seen = { ups: [] as (readonly InventoryEntry[])[], entries: [] as JournalEntry[] };
  let cursor: Cursor = { journal: null, seq: 0 };
  const link = new NodeLink({
    config: nodeConfig('n1', sshReach(sshd, which)),
    epoch: 1,
    controller: 'test',
    program: await loadProgram(),
    cursor: () => cursor,
    onUp: (_welcome, inventory) => seen.ups.push(inventory),
    onDown: () => {},
    onNews: (journal, entries) => {
      seen.entries.push(...entries);
      cursor = { journal, seq: entries.at(-1)?.seq ?? 0 };
    },
    backoff: { minMs: 10, maxMs: 100 },
  });
  links.push(link);
  link.start();
  await until('the link is up', () => link.state.is === 'up');
  return { link, seen };
}
