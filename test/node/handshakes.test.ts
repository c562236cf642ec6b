import { describe, expect, it } from 'vitest';
import { nodeName } from '../../src/model/ids.ts';
import { HANDSHAKES, handshake } from '../../src/node/handshakes.ts';

describe('handshakes', () => {
  it('are one at a time for each node and few in all, and a failed one gives its place back', async () => {
    const now = new Map<string, number>();
    let all = 0;
    let most = 0;
    let mostPerNode = 0;
    const login = (node: string) => async (): Promise<void> => {
      now.set(node, (now.get(node) ?? 0) + 1);
      most = Math.max(most, ++all);
      mostPerNode = Math.max(mostPerNode, now.get(node) ?? 0);
      await new Promise((resolve) => setImmediate(resolve));
      now.set(node, (now.get(node) ?? 0) - 1);
      all -= 1;
      if (node === 'n3') throw new Error('refused');
    };
    const jobs = Array.from({ length: 60 }, (_, i) => `n${i % 20}`);
    const results = await Promise.allSettled(
      jobs.map((node) => handshake(nodeName(node), 'fresh', login(node))),
    );
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(3);
    expect(most).toBe(HANDSHAKES.fresh);
    expect(mostPerNode).toBe(1);
  });

  it('of nodes that hang do not keep a good node from its turn', async () => {
    let release = (): void => {};
    const hanging = new Promise<void>((resolve) => {
      release = resolve;
    });
    const dead = Array.from({ length: 20 }, (_, i) =>
      handshake(nodeName(`dead${i}`), 'failing', () => hanging),
    );
    expect(await handshake(nodeName('good'), 'fresh', async () => 'in')).toBe('in');
    release();
    await Promise.all(dead);
  });

  it('of a node that is seen to be back do not wait behind those that hang, and run once', async () => {
    let release = (): void => {};
    const hanging = new Promise<void>((resolve) => {
      release = resolve;
    });
    const dead = Array.from({ length: 20 }, (_, i) =>
      handshake(nodeName(`away${i}`), 'failing', () => hanging),
    );
    const seen = new AbortController();
    let logins = 0;
    const login = async (): Promise<number> => (logins += 1);
    const back = handshake(nodeName('back'), 'failing', login, undefined, seen.signal);
    seen.abort();
    expect(await back).toBe(1);
    release();
    await Promise.all(dead);
    await handshake(nodeName('back'), 'failing', async () => {});
    expect(logins).toBe(1);
  });

  it('that are given up while they wait reject at once and never run', async () => {
    let release = (): void => {};
    const first = handshake(
      nodeName('busy'),
      'fresh',
      () => new Promise<void>((resolve) => (release = resolve)),
    );
    const stop = new AbortController();
    let ran = false;
    const second = handshake(
      nodeName('busy'),
      'fresh',
      async () => {
        ran = true;
      },
      stop.signal,
    );
    stop.abort();
    await expect(second).rejects.toMatchObject({ code: 'E_NODE_DISCONNECTED' });
    release();
    await first;
    await handshake(nodeName('busy'), 'fresh', async () => {});
    expect(ran).toBe(false);
  });
});
