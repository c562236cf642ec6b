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
    const results = await Promise.allSettled(jobs.map((node) => handshake(nodeName(node), login(node))));
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(3);
    expect(most).toBe(HANDSHAKES);
    expect(mostPerNode).toBe(1);
  });
});
