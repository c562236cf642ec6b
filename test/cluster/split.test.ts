/** A direction becomes specs, and specs become work: the built program against a model server of its own. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KEY, type ModelProvider, modelProvider } from '../models/provider.ts';
import { type Home, makeHome, PROJECT, writeFiles } from './home.ts';
import type { Ran } from './running.ts';
import { until } from './until.ts';

const LIMIT_MS = 150_000;

interface Place {
  readonly home: Home;
  readonly provider: ModelProvider;
  readonly split: (...args: string[]) => Promise<Ran>;
  readonly pending: () => string[];
}

async function place(api: 'anthropic' | 'openai'): Promise<Place> {
  const provider = await modelProvider();
  provider.put('key', KEY);
  provider.put('model', 'mock-1');
  const home = makeHome({
    tasks: { S01: {} },
    files: { 'CONTRACT.md': 'A mailbox is `{ "id": 1 }`.\n', 'CLAUDE.md': 'Tabs, never blanks.\n' },
    project: { contract: 'CONTRACT.md' },
  });
  const url = api === 'openai' ? `${provider.url}/v1` : provider.url;
  writeFiles(home.dir, {
    'dispatch.yaml': `models:\n  split: { provider: mock, api: ${api}, base_url: "${url}", model: mock-1, key_env: MOCK_KEY }\n`,
  });
  const folder = join(home.specs, 'pending');
  return {
    home,
    provider,
    split: (...args) =>
      home.dispatch(['split', PROJECT, ...args], { env: { MOCK_KEY: KEY }, limitMs: LIMIT_MS }),
    pending: () => (existsSync(folder) ? readdirSync(folder).sort() : []),
  };
}

const IDS = ['api', 'contract', 'docs', 'rules', 'store'];
const DIRECTION = 'Password reset by mail';

describe('dispatch split', { timeout: LIMIT_MS }, () => {
  test('turns a direction into pending specs with their plan; feed queues them', async () => {
    const { home, provider, split, pending } = await place('anthropic');
    expect(await split(DIRECTION, '--dry-run')).toMatchObject({ code: 0 });
    expect(pending()).toEqual([]);

    provider.put('broken', '{ "specs": [');
    provider.behave('refuse:429:rate_limit_error:1', 'tell:broken', 'work');
    const { code, stdout, stderr } = await split(DIRECTION);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('trying again in') });
    expect(stderr).toContain('round 2: 1 problem went back to the model');
    expect(stderr).toContain('5 specs in specs/p/pending/');
    expect(stdout).toContain('critical path');
    const names = pending();
    expect(names.filter((name) => name !== 'README.md')).toEqual(
      [
        '02-password-reset-contract',
        '03-password-reset-store',
        '04-password-reset-rules',
        '05-password-reset-api',
        '06-password-reset-docs',
      ].map((name) => `S${name}.md`),
    );
    expect(readFileSync(join(home.specs, 'pending', 'README.md'), 'utf8')).toContain('## Waves');

    // The model was told what it has to know.
    const prompt = JSON.stringify(provider.asked().at(-1)?.body);
    for (const part of [
      'src/first.txt',
      'A mailbox is',
      'Tabs, never blanks',
      'S01: ',
      DIRECTION,
      'sh test.sh',
    ])
      expect(prompt).toContain(part);
    const calls = readFileSync(join(home.dir, '.dispatch', 'model-calls.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(calls.map((line) => JSON.parse(line))).toMatchObject([
      { purpose: 'split', project: PROJECT, provider: 'mock', input: 1200, output: 340, outcome: 'ok' },
      { outcome: 'answer' },
      { outcome: 'ok' },
    ]);

    const fed = await home.dispatch(['feed', PROJECT, '-o', 'json']);
    const { data } = JSON.parse(fed.stdout);
    expect(fed.code).toBe(0);
    expect(data.moved.map(({ id }: { id: string }) => id.split('-').at(-1)).sort()).toEqual(IDS);
    expect(pending()).toEqual([]);
    expect((await home.dispatch(['validate', PROJECT])).code).toBe(0);
  });

  test('a prompt of one’s own, several directions, and what remains wrong', async () => {
    const { home, provider, split, pending } = await place('openai');
    const builtin = await home.dispatch(['split', '--print-prompt']);
    expect(builtin.stdout).toContain('{{direction}}');
    writeFiles(home.dir, { 'prompts/split.md': `${builtin.stdout}\nOURS\n{{treee}}\n` });
    const refused = await split(DIRECTION);
    expect({ code: refused.code, stderr: refused.stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('{{tree}}'),
    });
    writeFiles(home.dir, { 'prompts/split.md': `${builtin.stdout}\nOURS\n` });
    expect((await split(DIRECTION, '--print-prompt')).stdout).toMatch(/src\/first\.txt[\s\S]*OURS/);

    const file = join(home.base, 'today.md');
    writeFileSync(file, '# Today\n\n## Password reset\nBy mail.\n\n## Export tables\nAs CSV.\n');
    const good = await split('--file', file, '-o', 'json');
    expect(good.code).toBe(0);
    const { data } = JSON.parse(good.stdout);
    expect(data.directions.map(({ specs }: { specs: unknown[] }) => specs.length)).toEqual([5, 5]);
    // The second one knew what the first had become.
    expect(pending().filter((name) => name.startsWith('S07'))).toEqual(['S07-export-tables-contract.md']);
    expect(JSON.stringify(provider.asked().at(-1)?.body)).toContain('OURS');

    const proposal = (id: string, more: object) => ({
      task_id: id,
      title: id,
      goal: 'g',
      constraints: ['c'],
      acceptance: ['a'],
      donts: ['d'],
      modifies: [`lib/${id}.js`],
      depends_on: [],
      verify: null,
      priority: null,
      estimate: null,
      ...more,
    });
    const specs = [
      proposal('X1', { depends_on: ['X9'] }),
      ...['X2', 'X3', 'X4', 'X5'].map((id) => proposal(id, {})),
    ];
    provider.put('bad', JSON.stringify({ specs }));
    provider.behave('say:bad');
    const asked = provider.asked().length;
    const some = await split('Something else');
    expect(some.code).toBe(3);
    expect(provider.asked().length - asked).toBe(3);
    expect(some.stdout).toContain('no spec has the id "X9"');
    expect(some.stdout).toContain('not used: specs/p/pending/X1.md');
    expect(pending().filter((name) => name.startsWith('X'))).toEqual(['X2.md', 'X3.md', 'X4.md', 'X5.md']);
  });

  test('a failure is named, writes nothing and shows no key; Ctrl-C leaves nothing', async () => {
    const { home, provider, split, pending } = await place('anthropic');
    const failing: [string, string, number][] = [
      ['decline', 'E_MODEL_REFUSAL', 3],
      ['long', 'E_MODEL_TOO_LONG', 3],
      ['refuse:400:invalid_request_error', 'E_MODEL_REQUEST', 2],
    ];
    const said: string[] = [];
    for (const [how, error, exit] of failing) {
      provider.behave(how);
      const { code, stdout, stderr } = await split(DIRECTION);
      expect({ code, stderr }).toEqual({ code: exit, stderr: expect.stringContaining(`error[${error}]`) });
      said.push(stdout, stderr);
    }
    provider.behave('work');
    provider.put('key', 'another key of the provider');
    const { code, stdout, stderr } = await split(DIRECTION, '-o', 'json');
    expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining('E_MODEL_KEY') });
    const missing = await home.dispatch(['split', PROJECT, DIRECTION]);
    expect({ code: missing.code, stderr: missing.stderr }).toEqual({
      code: 4,
      stderr: expect.stringContaining('export MOCK_KEY='),
    });

    provider.put('key', KEY);
    provider.behave('endless');
    const before = provider.asked().length;
    const running = home.spawn(['split', PROJECT, DIRECTION], { env: { MOCK_KEY: KEY }, limitMs: LIMIT_MS });
    await until('that the model is asked', () => provider.asked().length > before);
    running.signal('SIGINT');
    const stopped = await running.ended;
    expect(stopped).toMatchObject({ code: 130, stderr: expect.stringContaining('nothing was written') });
    expect(pending()).toEqual([]);
    const log = readFileSync(join(home.dir, '.dispatch', 'model-calls.jsonl'), 'utf8');
    expect([...said, stdout, stderr, stopped.stderr, log].join('\n')).not.toContain(KEY);
  });
});

describe('feeding a controller', { timeout: LIMIT_MS }, () => {
  const WAITS = 'mark "began-$DISPATCH_TASK"; await "go-$DISPATCH_TASK"; put "src/$DISPATCH_TASK.txt" done';

  function putPending(home: Home, id: string, keys: Readonly<Record<string, unknown>> = {}): void {
    const all = { task_id: id, modifies: [`src/${id}.txt`], ...keys };
    const front = Object.entries(all).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
    const folder = join(home.specs, 'pending');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, `${id}.md`),
      `---\n${front.join('\n')}\n---\n## Goal\n${id}.\n## Acceptance\n- There.\n`,
    );
  }

  test('a start that runs takes up what is fed', async () => {
    const home = makeHome({ tasks: { A: { agent: WAITS } }, files: { 'agents/B.sh': 'put src/B.txt b\n' } });
    const start = home.start({ limitMs: LIMIT_MS });
    await home.marked('began-A');
    putPending(home, 'B');
    const fed = await home.dispatch(['feed', PROJECT, '-o', 'json']);
    expect(JSON.parse(fed.stdout).data).toMatchObject({ moved: [{ id: 'B' }], taken: true });
    await start.news(`${PROJECT}/B`, 'merged');
    home.mark('go-A');
    expect((await start.ended).code).toBe(0);
    expect(await home.words()).toEqual({ A: 'merged', B: 'merged' });
  });

  test('serve feeds at set times or at once, tells what stays, and runs what was fed', async () => {
    const home = makeHome({
      tasks: { A: {} },
      files: { 'agents/B.sh': 'put src/B.txt b\n', 'agents/C.sh': 'put src/C.txt c\n' },
    });
    writeFiles(home.dir, { 'dispatch.yaml': 'feed: { at: "0 0 1 1 *" }\n' });
    const serve = home.spawn(['serve', '-o', 'ndjson'], { limitMs: LIMIT_MS });
    await serve.until('that it serves', () => serve.lines.some(({ type }) => type === 'Serve'));
    putPending(home, 'B', { depends_on: ['A'] });
    expect((await home.start({ limitMs: LIMIT_MS }).ended).code).toBe(0);
    expect(readdirSync(join(home.specs, 'pending'))).toEqual(['B.md']);

    writeFiles(home.dir, { 'dispatch.yaml': 'feed: { at: "* * * * * *" }\n' });
    await serve.news(`${PROJECT}/B`, 'merged');
    writeFiles(home.dir, { 'dispatch.yaml': '# as files appear\n' });
    putPending(home, 'C', { nonsense: 1 });
    await serve.until('that C stays', () =>
      serve.notes.some(({ name, code }) => name.endsWith('pending/C.md') && code === 'E_SPEC_UNKNOWN_KEY'),
    );
    putPending(home, 'C');
    await serve.news(`${PROJECT}/C`, 'merged');
    expect(readdirSync(join(home.specs, 'pending'))).toEqual([]);
    serve.signal('SIGTERM');
    expect(await serve.ended).toMatchObject({ code: 0, stderr: '' });
  });
});
