/** What merged is read by a second model, and a person decides: the built program against a model server of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KEY, modelProvider } from '../models/provider.ts';
import { gitIn, type Home, makeHome, PROJECT, writeFiles } from './home.ts';
import type { Running } from './running.ts';

const LIMIT_MS = 180_000;
const ENV = { MOCK_KEY: KEY };
/** Never, in effect: what is pending is fed by hand here. */
const CONFIG = (url: string) => `feed: { at: "0 0 1 1 *" }
models:
  review: { provider: mock, api: anthropic, base_url: "${url}", model: mock-1, key_env: MOCK_KEY }
`;

test('what merged is looked at and a person has the last word, in a home that serve keeps', {
  timeout: LIMIT_MS,
}, async () => {
  const provider = await modelProvider();
  provider.put('key', KEY);
  const again = (id: string, first: string, then: string) =>
    `if test "$DISPATCH_ATTEMPT" = 1; then ${first}; else cp "$DISPATCH_PROMPT" "$MARKS/prompt-${id}"; ${then}; fi`;
  const home = makeHome({
    tasks: {
      A: { agent: 'printf "fine\\nBUG here\\n" >src/A.txt', priority: 0 },
      B: { agent: again('B', 'put src/B.txt BUG', 'put src/B.txt good'), priority: 0 },
      C: {},
      D: { agent: again('D', 'put src/D.txt one', 'put src/D.txt two'), review: true },
    },
    project: { model_review: { serve: true, others: 0 } },
  });
  writeFiles(home.dir, { 'dispatch.yaml': CONFIG(provider.url) });
  const serve = home.spawn(['serve', '-o', 'ndjson'], { env: ENV, limitMs: LIMIT_MS });
  await serve.until('that it serves', () => serve.lines.some(({ type }) => type === 'Serve'));
  expect((await home.start({ limitMs: LIMIT_MS }).ended).code).toBe(3);

  // P0 by itself, what the sample leaves out when it is asked for, and nothing twice.
  await told(serve, 'p/A', 'mock/mock-1 found 1 major; a person is asked');
  await told(serve, 'p/B', 'mock/mock-1 found 1 major; a person is asked');
  const rest = await json(home, 'verify', PROJECT, '--review', '--all');
  expect(rest).toMatchObject({ code: 0, data: { looked: [{ task: 'p/C', asks: false, findings: [] }] } });
  const more = await json(home, 'verify', PROJECT, '--review', '--again', '--follow-up');
  expect(more).toMatchObject({
    code: 3,
    data: {
      looked: [{ asks: true }, { asks: true }],
      written: expect.arrayContaining(['specs/p/pending/A-review.md']),
    },
  });
  expect(readdirSync(join(home.specs, 'pending')).sort()).toEqual(['A-review.md', 'B-review.md']);
  const spec = readFileSync(join(home.specs, 'pending', 'A-review.md'), 'utf8');
  expect(spec).toMatch(
    /depends_on: \["A"\]\nmodifies: \["src\/A\.txt"\][\s\S]*review: true[\s\S]*src\/A\.txt:2/,
  );

  // Everybody says the same, and the queue has all that waits: P0 first.
  for (const verb of [
    ['why', 'p/A'],
    ['report', PROJECT],
    ['review-queue', PROJECT],
  ])
    expect((await home.dispatch(verb)).stdout).toContain('src/A.txt:2');
  const { data: queue } = await json(home, 'review-queue');
  expect(queue.map(({ task }: { task: string }) => task).slice(-1)).toEqual(['p/D']);
  expect(queue.find(({ task }: { task: string }) => task === 'p/A')).toMatchObject({
    at: 'merged',
    why: [{ reason: 'found' }],
    acceptance: ['It is there.'],
    diff: [{ path: 'src/A.txt', added: 2, removed: 0 }],
    who: { executor: 'agent', node: 'here', attempts: 1 },
    findings: [{ path: 'src/A.txt', line: 2, side: 'new', severity: 'major', by: 'model' }],
  });
  expect(queue.at(-1)).toMatchObject({
    at: 'branch',
    why: [{ reason: 'asked' }],
    diff: [{ path: 'src/D.txt' }],
  });

  // Settled; reverted and done again; sent back.
  expect((await home.dispatch(['review', 'p/A', '--approve'])).code).toBe(0);
  expect((await home.dispatch(['review', 'p/B', '--reject', 'say what is\u001b[2J good'])).code).toBe(0);
  expect((await home.dispatch(['review', 'p/D', '--reject', 'two is asked for'])).code).toBe(0);
  await told(serve, 'p/B', 'mock/mock-1 found nothing');
  expect(home.read('prompt-B')).toContain('a person had it reverted: say what is');
  await serve.until('that D is done again', () => times(serve, 'p/D', 'review') === 2);
  expect(home.read('prompt-D')).toContain('rejected it: two is asked for');

  // By hand, and back through the same gates.
  const { data: taken } = await json(home, 'review', 'p/D', '--take');
  const nothing = await home.dispatch(['review', 'p/D', '--hand-back']);
  expect(nothing).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing has changed') });
  writeFiles(taken.dir, { 'src/D.txt': 'by hand\n' });
  expect((await home.dispatch(['review', 'p/D', '--hand-back'])).stderr).toContain('not committed');
  expect(gitIn(taken.dir, 'branch', '--show-current').trim()).toBe('dispatch/D');
  gitIn(taken.dir, 'commit', '-qam', 'by hand');
  expect((await home.dispatch(['review', 'p/D', '--hand-back'])).code).toBe(0);
  await serve.until('that it is back', () => times(serve, 'p/D', 'review') === 3);
  expect((await home.dispatch(['review', 'p/D', '--approve'])).code).toBe(0);
  await serve.news(`${PROJECT}/D`, 'merged');
  // No agent ran for what was done by hand.
  expect(home.attempts()).toEqual(['A 1', 'B 1', 'B 2', 'C 1', 'D 1', 'D 2']);
  expect((await json(home, 'review-queue')).data).toEqual([]);
  expect((await home.dispatch(['collect', PROJECT], { limitMs: LIMIT_MS })).code).toBe(0);
  expect([home.file('src/B.txt'), home.file('src/D.txt')]).toEqual(['good\n', 'by hand\n']);
  serve.signal('SIGTERM');
  expect(await serve.ended).toMatchObject({ code: 0, stderr: '' });
  expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
});

async function told(serve: Running, about: string, detail: string): Promise<void> {
  await serve.until(`${about}: ${detail}`, () =>
    serve.lines.some(({ data }) => data?.about === about && data.detail === detail),
  );
}

function times(serve: Running, about: string, word: string): number {
  return serve.lines.filter(({ data }) => data?.about === about && data.word === word).length;
}

async function json(home: Home, ...args: string[]) {
  const { code, stdout, stderr } = await home.dispatch([...args, '-o', 'json'], {
    env: ENV,
    limitMs: LIMIT_MS,
  });
  if (stdout === '') throw new Error(stderr);
  return { code, data: JSON.parse(stdout).data };
}
