import { expect, test } from 'vitest';
import { type NodeHands, performNodeEffect } from '../../src/controller/node-effects.ts';
import { GitError } from '../../src/git/run.ts';
import { emptyState } from '../../src/model/state.ts';
import { nodeName, token } from '../../src/model/ids.ts';

test('a git that fails while a node is served is named as that, and not as a defect of dispatch', async () => {
  const node = nodeName('a');
  const of = token('0'.repeat(32));
  const call = (): Promise<never> =>
    Promise.reject(new GitError(['pack-objects'], 'signal', null, 'SIGKILL'));
  const hands = { state: emptyState(), epoch: 1, links: new Map([[node, { call }]]) };
  const effect = { do: 'forget', key: 'forget:x', node, token: of } as const;
  expect(await performNodeEffect(effect, hands as unknown as NodeHands)).toMatchObject({
    is: 'effect.failed',
    problem: { code: 'E_GIT_FAILED' },
  });
});
