import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DispatchError } from '../../src/model/error.ts';
import { commitId, projectName, token } from '../../src/model/ids.ts';
import type { NodeConfig } from '../../src/model/spec.ts';
import { type Cursor, type LinkOptions, NodeLink } from '../../src/node/link.ts';
import { NodeRefusal } from '../../src/node/refusal.ts';
import type { JournalEntry } from '../../src/protocol/messages.ts';
import { nodeConfig, sshReach } from '../cluster/reach.ts';
import { type Sshd, type SshdOptions, startSshd } from '../cluster/sshd.ts';
import { until } from '../cluster/until.ts';
import { PeerFiles, peerProgram } from './peer.ts';

const TOKEN = token('ab'.repeat(16));
const PROJECT = projectName('p');

let dir: string;
let peer: PeerFiles;
const links: NodeLink[] = [];
const servers: Sshd[] = [];
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'dispatch-link-')));
  peer = new PeerFiles(join(dir, 'worker'));
  await peer.prepare();
});
afterEach(async () => {
  for (const link of links.splice(0)) await link.stop();
  for (const sshd of servers.splice(0)) await sshd.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

const kinds = ['local', 'ssh2', 'openssh'] as const;

describe.each(kinds)('a link by %s', (kind) => {
  it('comes up, answers, and leaves no process behind when it is stopped', async () => {
    const { link, seen } = await linkBy(kind);
    link.start();
    link.start();
    await up(link);
    expect(seen.ups).toBe(1);
    expect(await link.call({ op: 'ping' })).toEqual({});
    await link.stop();
    await link.stop();
    expect(link.state).toEqual({ is: 'stopped' });
    await until('the far end has gone', () => peer.living().length === 0);
    await expect(link.call({ op: 'ping' })).rejects.toMatchObject({ code: 'E_NODE_DISCONNECTED' });
  });

  it('gives every journal entry once and in order, through cuts at any moment', async () => {
    const { link, seen, cut } = await linkBy(kind);
    peer.append(3);
    link.start();
    for (let round = 1; round <= 4; round += 1) {
      await up(link);
      peer.append(20);
      await until('the first of them arrived', () => seen.entries.length > round * 20 - 17);
      cut();
      peer.append(5);
      await until('the cut is noticed', () => seen.downs.length >= round);
    }
    await until('everything arrived', () => seen.entries.length >= peer.written);
    expect(seen.entries.map((entry) => entry.seq)).toEqual(
      Array.from({ length: peer.written }, (_, i) => i + 1),
    );
  });

  it('fails the calls that wait when it is cut, and comes back', async () => {
    const { link, seen, cut } = await linkBy(kind);
    link.start();
    await up(link);
    const waiting = link.call({ op: 'cancel', token: TOKEN, reason: 'hang', epoch: 1 });
    const outcome = waiting.catch((error: DispatchError) => error.code);
    await link.call({ op: 'ping' });
    cut();
    expect(await outcome).toMatch(/E_NODE_DISCONNECTED|E_NODE_UNREACHABLE/);
    await until('it is up again', () => seen.ups >= 2);
    expect(await link.call({ op: 'ping' })).toEqual({});
  });

  it('carries bundles of several megabytes both ways, unchanged', async () => {
    const { link } = await linkBy(kind);
    link.start();
    await up(link);
    const bytes = randomBytes((3 << 20) + 77);
    const file = join(dir, 'out.bundle');
    await writeFile(file, bytes);
    await link.putBundle(PROJECT, [], file);
    expect(digest(await readFile(join(peer.dir, 'put')))).toBe(digest(bytes));

    await writeFile(join(peer.dir, 'bundle'), bytes);
    const got = join(dir, 'in.bundle');
    expect(await link.getBundle(TOKEN, [], got)).toBe(commitId(`${TOKEN}00000000`));
    expect(digest(await readFile(got))).toBe(digest(bytes));
    expect(existsSync(`${got}.part`)).toBe(false);
  });
});

describe('a call', () => {
  it('that the node refuses rejects with the reason', async () => {
    const { link } = await linkBy('local');
    link.start();
    await up(link);
    const error = await link.call({ op: 'attach', token: TOKEN }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NodeRefusal);
    expect(error).toMatchObject({ code: 'unknown', message: 'no such attempt' });
  });

  it('that is not answered in time rejects, and the link lives on when a ping comes back', async () => {
    const { link, seen } = await linkBy('local');
    link.start();
    await up(link);
    await expect(
      link.call({ op: 'cancel', token: TOKEN, reason: 'hang', epoch: 1 }, { timeoutMs: 50 }),
    ).rejects.toMatchObject({ code: 'E_NODE_TIMEOUT' });
    expect(await link.call({ op: 'ping' })).toEqual({});
    expect(seen.downs).toEqual([]);
  });

  it('on a link that is down rejects at once', async () => {
    const { link } = await linkBy('local');
    await expect(link.call({ op: 'ping' })).rejects.toMatchObject({ code: 'E_NODE_DISCONNECTED' });
    await expect(link.putBundle(PROJECT, [], '/nowhere')).rejects.toMatchObject({
      code: 'E_NODE_DISCONNECTED',
    });
    await expect(link.getBundle(TOKEN, [], '/nowhere')).rejects.toMatchObject({
      code: 'E_NODE_DISCONNECTED',
    });
  });
});

describe('a node that does not answer any more', () => {
  it.each(['ssh2', 'openssh'] as const)('behind a half-open link is noticed, by %s', async (kind) => {
    const { link, seen, sshd } = await linkBy(kind, { timings: { pingEveryMs: 50, pingDeadlineMs: 2000 } });
    link.start();
    await up(link);
    const stopped = sshd?.sessions() ?? [];
    expect(stopped.length).toBeGreaterThan(0);
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    await until('it is noticed', () => seen.downs.length >= 1);
    expect(seen.downs[0]).toMatchObject({ code: 'E_NODE_TIMEOUT' });
    await until('a new connection is up', () => seen.ups >= 2);
    for (const pid of stopped) process.kill(pid, 'SIGKILL');
  });

  it('because its program stands still is noticed', async () => {
    const { link, seen } = await linkBy('local', { timings: { pingEveryMs: 50, pingDeadlineMs: 2000 } });
    link.start();
    await up(link);
    void link.call({ op: 'cancel', token: TOKEN, reason: 'freeze', epoch: 1 }).catch(() => {});
    await until('it is noticed and replaced', () => seen.downs.length >= 1 && seen.ups >= 2);
    expect(seen.downs[0]).toMatchObject({ code: 'E_NODE_TIMEOUT' });
    const [frozen = 0] = peer.pids();
    await until('what stood still is gone', () => !peer.living().includes(frozen));
  });

  it('with anything but frames is cut off and tried again', async () => {
    const { link, seen } = await linkBy('local');
    link.start();
    await up(link);
    void link.call({ op: 'cancel', token: TOKEN, reason: 'garbage', epoch: 1 }).catch(() => {});
    await until('it is back', () => seen.ups >= 2);
    expect(seen.downs[0]).toMatchObject({ code: 'E_NODE_PROTOCOL' });
  });
});

describe('a link that cannot be made', () => {
  it('waits longer after each failure, and not at all when it is told that the node is back', async () => {
    const { link, seen, sshd } = await linkBy('ssh2', { backoff: { minMs: 20, maxMs: 60_000 } });
    await sshd?.halt();
    link.start();
    await until('it failed some times', () => seen.troubles.length >= 4);
    const waits = seen.troubles.map(({ retryMs }) => retryMs);
    expect(waits.slice(1).every((wait, i) => wait > (waits[i] ?? 0))).toBe(true);
    expect(seen.troubles[0]?.problem.code).toBe('E_NODE_UNREACHABLE');
    expect(seen.ups).toBe(0);
    expect(seen.downs).toEqual([]);

    await until('it waits long', () => link.state.is === 'waiting' && link.state.until - Date.now() > 300);
    await sshd?.start();
    link.retryNow();
    await up(link);
  });

  it('because the key is refused waits a minute after the second time', async () => {
    const { link, seen, sshd } = await linkBy('ssh2', { backoff: { minMs: 10 } });
    await writeFile(join(sshd?.dir ?? '', 'authorized_keys'), '');
    link.start();
    await until('it was refused twice', () => seen.troubles.length === 2);
    expect(seen.troubles[0]?.retryMs).toBeLessThan(1000);
    expect(seen.troubles[1]?.problem.code).toBe('E_SSH_AUTH');
    expect(seen.troubles[1]?.retryMs).toBeGreaterThanOrEqual(60_000);
    expect(link.state).toMatchObject({ is: 'waiting', problem: { code: 'E_SSH_AUTH' } });

    // A server that punishes refused logins shuts the door next: that is no reason to knock more often.
    await sshd?.halt();
    link.retryNow();
    await until('it found the door shut', () => seen.troubles.length === 3);
    expect(seen.troubles[2]?.problem.code).toBe('E_NODE_UNREACHABLE');
    expect(seen.troubles[2]?.retryMs).toBeGreaterThanOrEqual(60_000);
    await link.stop();
  });

  it('can be stopped at any moment', async () => {
    for (const after of ['at once', 'while it opens', 'when it is up']) {
      const { link } = await linkBy('ssh2');
      link.start();
      if (after === 'while it opens')
        await until('it opens', () => (servers.at(-1)?.sessions().length ?? 0) > 0);
      if (after === 'when it is up') await up(link);
      await link.stop();
      expect(link.state.is).toBe('stopped');
    }
  });
});

describe('a log', () => {
  const size = 5 << 20;
  beforeEach(async () => {
    await writeFile(join(peer.dir, 'log-size'), String(size));
  });

  it('comes whole from where it is asked, and from a reader that is slow as well', async () => {
    const { link, seen } = await linkBy('local', { timings: { pingEveryMs: 50, pingDeadlineMs: 30_000 } });
    link.start();
    await up(link);
    let at = 1000;
    for await (const bytes of link.followLog(TOKEN, at, false)) {
      expect(bytes[0]).toBe(at % 251);
      at += bytes.length;
      // While the reader holds on, the link must go on serving everybody else.
      if (at < 200_000) for (let i = 0; i < 30; i += 1) await link.call({ op: 'ping' });
    }
    expect(at).toBe(size);
    expect(seen.downs).toEqual([]);
    expect(await readFile(join(peer.dir, 'stops'), 'utf8')).not.toBe('');
  });

  it('that is followed goes on where it was after a cut', async () => {
    const { link, cut, seen } = await linkBy('local');
    link.start();
    await up(link);
    let at = 0;
    let cuts = 0;
    for await (const bytes of link.followLog(TOKEN, 0, true)) {
      expect(bytes[0]).toBe(at % 251);
      at += bytes.length;
      if (cuts < 2 && at > (cuts + 1) * 1_000_000) {
        cuts += 1;
        cut();
      }
    }
    expect(at).toBe(size);
    expect(seen.downs.length).toBe(2);
  });

  it('that is followed ends when the reader leaves or gives up, and the node is told', async () => {
    await writeFile(join(peer.dir, 'log-size'), '10');
    await writeFile(join(peer.dir, 'log-open'), '');
    const { link } = await linkBy('local');
    link.start();
    await up(link);
    for await (const bytes of link.followLog(TOKEN, 0, true)) {
      expect(bytes.length).toBe(10);
      break;
    }
    const stop = new AbortController();
    for await (const _ of link.followLog(TOKEN, 0, true, stop.signal)) stop.abort();
    const stops = async (): Promise<number> =>
      (await readFile(join(peer.dir, 'stops'), 'utf8')).trim().split('\n').length;
    await until('both requests were stopped', async () => (await stops()) === 2);
  });

  it('that is followed while the link is stopped ends', async () => {
    await writeFile(join(peer.dir, 'log-open'), '');
    const { link } = await linkBy('local');
    link.start();
    await up(link);
    let got = 0;
    const reading = (async () => {
      for await (const bytes of link.followLog(TOKEN, 0, true)) got += bytes.length;
    })();
    await until('all of it came', () => got === size);
    await link.stop();
    await reading;
  });
});

describe('a bundle', () => {
  it('that the node refuses stops being sent', async () => {
    const { link } = await linkBy('local');
    link.start();
    await up(link);
    const file = join(dir, 'big');
    await writeFile(file, randomBytes(2 << 20));
    await expect(link.putBundle(projectName('refuse'), [], file)).rejects.toMatchObject({ code: 'no-space' });
    expect(await link.call({ op: 'ping' })).toEqual({});
  });

  it('that cannot be written here leaves nothing behind, and the link lives on', async () => {
    const { link, seen } = await linkBy('local');
    link.start();
    await up(link);
    await writeFile(join(peer.dir, 'bundle'), randomBytes(4 << 20));
    await expect(link.getBundle(TOKEN, [], join(dir, 'no', 'such', 'folder'))).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(await link.call({ op: 'ping' })).toEqual({});
    expect(seen.downs).toEqual([]);
  });

  it('that is cut in the middle leaves nothing behind', async () => {
    const { link, cut } = await linkBy('local');
    link.start();
    await up(link);
    await writeFile(join(peer.dir, 'bundle'), randomBytes(16 << 20));
    const got = join(dir, 'in.bundle');
    const getting = link.getBundle(TOKEN, [], got).catch((error: DispatchError) => error.code);
    await until('some of it came', () => existsSync(`${got}.part`));
    cut();
    expect(await getting).toMatch(/^E_NODE/);
    expect(existsSync(got)).toBe(false);
    expect(existsSync(`${got}.part`)).toBe(false);
  });
});

describe('fifteen cuts', () => {
  it.each(['ssh2', 'openssh'] as const)('of %s leave no process and no handle', async (kind) => {
    const { link, seen, cut, sshd } = await linkBy(kind);
    link.start();
    await up(link);
    const before = handles();
    for (let round = 1; round <= 15; round += 1) {
      cut();
      await until('it is down', () => seen.downs.length >= round);
      await up(link);
    }
    await until('only one connection is left', () => (sshd?.sessions().length ?? 0) <= 2);
    await until('only one peer is left', () => peer.living().length === 1);
    await until('no more handles than before', () => handles() <= before);
    await link.stop();
    await until('no connection is left', () => sshd?.sessions().length === 0);
  });
});

interface Seen {
  ups: number;
  readonly downs: DispatchError[];
  readonly troubles: { problem: DispatchError; retryMs: number }[];
  readonly entries: JournalEntry[];
}

interface Under {
  readonly link: NodeLink;
  readonly seen: Seen;
  readonly sshd: Sshd | null;
  /** Ends the connection as a network would. */
  readonly cut: () => void;
}

async function linkBy(
  kind: (typeof kinds)[number],
  over: Partial<LinkOptions> = {},
  server: SshdOptions = {},
): Promise<Under> {
  const root = join(dir, 'worker');
  const sshd = kind === 'local' ? null : await startSshd(server);
  if (sshd !== null) servers.push(sshd);
  const config: NodeConfig =
    sshd === null || kind === 'local'
      ? nodeConfig('n1', { by: 'local' }, { root })
      : nodeConfig('n1', sshReach(sshd, kind), { root });
  const seen: Seen = { ups: 0, downs: [], troubles: [], entries: [] };
  let cursor: Cursor = { journal: null, seq: 0 };
  const link = new NodeLink({
    config,
    epoch: 1,
    controller: 'test',
    program: await peerProgram(),
    cursor: () => cursor,
    onUp: () => {
      seen.ups += 1;
    },
    onDown: (problem) => seen.downs.push(problem),
    onTrouble: (problem, retryMs) => seen.troubles.push({ problem, retryMs }),
    onNews: (journal, entries) => {
      seen.entries.push(...entries);
      // As a controller that commits late: the durable cursor lags behind what it was given.
      cursor = { journal, seq: Math.max(0, (seen.entries.at(-1)?.seq ?? 0) - 7) };
    },
    random: () => 0.5,
    ...over,
    backoff: { minMs: 10, maxMs: 40, ...over.backoff },
  });
  links.push(link);
  const cut = (): void => {
    if (sshd !== null) sshd.killConnections();
    else peer.kill();
  };
  return { link, seen, sshd, cut };
}

function up(link: NodeLink): Promise<void> {
  return until('the link is up', () => link.state.is === 'up');
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function handles(): number {
  return process.getActiveResourcesInfo().filter((name) => !/Immediate|FSReq|Timeout/.test(name)).length;
}
