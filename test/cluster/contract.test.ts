/** The contract changes while agents run: nothing new starts, and after a person's word what has not merged is done again. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { makeHome, PROJECT, sshNode } from './home.ts';
import { type Sshd, startSshd } from './sshd.ts';

// Each runs the command line many times, which takes its time on a machine that is busy with something else.
vi.setConfig({ testTimeout: 300_000 });

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

const contract = (field: string): string => `### GET /posts\n\`\`\`json\n[{ "${field}": 1 }]\n\`\`\`\n`;

test('a change in mid-run stops new starts until it is accepted; then what has not merged is done again by it', async () => {
  const home = makeHome({
    nodes: [sshNode('box', sshd, { slots: 3 })],
    files: { 'SHARED_CONTEXT.md': contract('userId'), 'agents/contract.md': contract('author') },
    tasks: {
      A: {
        modifies: ['SHARED_CONTEXT.md'],
        agent: 'await B-runs; cp agents/contract.md SHARED_CONTEXT.md',
      },
      B: {
        agent: [
          'cp "$DISPATCH_PROMPT" "$MARKS/prompt-B-$DISPATCH_ATTEMPT"',
          'mark B-runs',
          'test "$DISPATCH_ATTEMPT" = 2 || await never',
          'put src/B.txt b',
        ].join('\n'),
      },
      C: { depends_on: ['A'] },
    },
  });
  const started = home.start();
  await started.news(PROJECT, 'contract');

  expect(await home.status()).toMatchObject({
    A: { status: 'merged' },
    B: { status: 'running' },
    C: { status: 'ready', reason: 'ContractChanged(SHARED_CONTEXT.md)' },
  });
  const { stderr: alerts } = await home.dispatch(['status']);
  expect(alerts).toContain('E_CONTRACT_CHANGED');
  expect(alerts).toContain('at work under another one: B');
  expect((await home.dispatch(['why', 'C'])).stdout).toContain(`dispatch contract accept ${PROJECT}`);
  expect((await home.dispatch(['contract', 'diff', PROJECT])).stdout).toBe(
    '@@ -1,4 +1,4 @@\n ### GET /posts\n ```json\n-[{ "userId": 1 }]\n+[{ "author": 1 }]\n ```\n',
  );

  const accepted = await home.dispatch(['contract', 'accept', PROJECT]);
  expect(accepted.code, accepted.stderr).toBe(0);
  expect(accepted.stderr).toContain('made under another contract, so they start again: B');
  // What has merged was verified once more.
  expect(accepted.stdout).toMatch(new RegExp(`${PROJECT}: green on [0-9a-f]{10}, \\d merged tasks`, 'u'));

  // What merged before says so, and stays.
  expect((await home.dispatch(['why', 'A'])).stdout).toContain('attempt 1 was made under another contract');
  expect((await home.dispatch(['report', PROJECT])).stdout).toMatch(/made under another one: .*A/u);

  const { code, stderr } = await started.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  // One attempt is all that a task has here, so the second of B was not charged.
  expect(home.attempts()).toEqual(['A 1', 'B 1', 'B 2', 'C 1']);
  expect(home.read('prompt-B-1')).toContain('"userId"');
  expect(home.read('prompt-B-2')).toContain('"author"');
  expect((await home.dispatch(['contract', 'check', PROJECT])).code).toBe(0);
  expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
});

test('start says that the contract waits for a person, when there is nothing else to do', async () => {
  const home = makeHome({
    files: { 'SHARED_CONTEXT.md': contract('userId') },
    tasks: { A: {} },
  });
  expect((await home.start().ended).code).toBe(0);
  expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
  const twice = `${contract('userId')}${contract('user_id')}`;
  home.commit({ 'SHARED_CONTEXT.md': twice, 'agents/B.sh': 'put src/B.txt b\n' }, 'another contract');
  home.writeSpec('B', { modifies: ['src/B.txt'] });

  const refused = await home.dispatch(['start', PROJECT]);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain('E_CONTRACT_CHANGED');
  expect(home.attempts()).toEqual(['A 1']);
  const checked = await home.dispatch(['contract', 'check', PROJECT]);
  expect(checked.code).toBe(2);
  expect(checked.stdout).toContain('--> SHARED_CONTEXT.md:5:1');
  expect(checked.stdout).toContain('E_CONTRACT_FIELD');

  const accepted = await home.dispatch(['contract', 'accept', PROJECT, '-o', 'json']);
  expect(JSON.parse(accepted.stdout)).toMatchObject({
    data: { accepted: true, verify: { verdict: 'green' } },
  });
  expect((await home.start().ended).code).toBe(0);
  expect(home.attempts()).toEqual(['A 1', 'B 1']);
});
