/** A controller that keeps the home: it takes projects and changes over, and outlives whoever watches it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Home, makeHome, PROJECT } from './home.ts';
import type { Running } from './running.ts';
import { until } from './until.ts';

const WAITS = 'mark "began-$DISPATCH_TASK"; await "go-$DISPATCH_TASK"; put "src/$DISPATCH_TASK.txt" done';

/** Each of these stories starts ten programs; on a machine at its limit one takes seconds. */
const LIMIT_MS = 150_000;
const PATIENCE_MS = 60_000;

/** `dispatch serve` that has begun to listen. */
async function serving(home: Home): Promise<Running> {
  const serve = home.spawn(['serve', '-o', 'ndjson'], { limitMs: LIMIT_MS });
  await serve.until('that it serves', () => serve.lines.some(({ type }) => type === 'Serve'));
  return serve;
}

describe('dispatch serve', { timeout: LIMIT_MS }, () => {
  test('takes over what start hands it, goes on when nobody watches, and after a stop goes on where it was', async () => {
    const home = makeHome({ tasks: { A: { agent: WAITS }, B: { agent: WAITS, depends_on: ['A'] } } });
    const first = await serving(home);
    const watched = home.start({ limitMs: LIMIT_MS });
    await watched.news(`${PROJECT}/A`, 'running', PATIENCE_MS);
    await home.marked('began-A', PATIENCE_MS);
    watched.signal('SIGINT');
    const left = await watched.ended;
    expect(left.code).toBe(130);
    expect(left.stderr).toContain('no longer watching; the controller goes on');

    home.mark('go-A');
    await first.news(`${PROJECT}/A`, 'merged', PATIENCE_MS);
    await home.marked('began-B', PATIENCE_MS);
    first.signal('SIGTERM');
    expect(await first.ended).toMatchObject({ code: 0, stderr: '' });

    const second = await serving(home);
    home.mark('go-B');
    await second.news(`${PROJECT}/B`, 'merged', PATIENCE_MS);
    const again = await home.start({ limitMs: LIMIT_MS }).ended;
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
    expect(again.stdout).toContain('"merged":2');
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.landed()).toEqual(['A', 'B']);
    expect(home.attempts()).toEqual(['A 1', 'B 1']);
    second.signal('SIGTERM');
    expect((await second.ended).code).toBe(0);
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });

  test('reports a task that failed to whoever watches, and takes retry and cancel over the socket', async () => {
    const home = makeHome({
      tasks: { A: { agent: 'test "$DISPATCH_ATTEMPT" = 2 || exit 7; put src/A.txt a' }, B: { agent: WAITS } },
    });
    const serve = await serving(home);
    const watched = home.start({ limitMs: LIMIT_MS });
    await serve.news(`${PROJECT}/A`, 'failed', PATIENCE_MS);
    await home.marked('began-B', PATIENCE_MS);
    expect((await home.dispatch(['cancel', 'B'])).code).toBe(0);
    const { code, stdout } = await watched.ended;
    expect(code).toBe(3);
    expect(stdout).toContain(`dispatch retry ${PROJECT}/A`);
    expect((await home.dispatch(['retry', 'A'])).code).toBe(0);
    await serve.news(`${PROJECT}/A`, 'merged', PATIENCE_MS);
    serve.signal('SIGTERM');
    expect((await serve.ended).code).toBe(0);
  });

  test('runs a spec as soon as it is written, and refuses one that is wrong until it is mended', async () => {
    const home = makeHome({ tasks: { A: {} }, files: { 'agents/N.sh': 'put src/N.txt n\n' } });
    const serve = await serving(home);
    expect((await home.start({ limitMs: LIMIT_MS }).ended).code).toBe(0);

    writeFileSync(join(home.specs, 'N.md'), '---\ntask_id: N\nnonsense: 1\n---\n## Goal\nN.\n');
    await serve.until('that the spec is refused', () => refusals(serve).includes(`specs/${PROJECT}`));
    const refused = await home.dispatch(['status', '-o', 'json']);
    expect(JSON.parse(refused.stdout).meta.refused).toMatchObject([{ file: `specs/${PROJECT}` }]);
    const { stderr } = await home.dispatch(['status']);
    expect(stderr).toMatch(/^specs\/p has changed and is not used: specs\/p\/N\.md:\d+:\d+: /mu);
    expect(await home.words()).toEqual({ A: 'merged' });

    home.writeSpec('N', { modifies: ['src/N.txt'] });
    await serve.news(`${PROJECT}/N`, 'merged', PATIENCE_MS);
    expect(JSON.parse((await home.dispatch(['status', '-o', 'json'])).stdout).meta.refused).toEqual([]);
    serve.signal('SIGTERM');
    expect((await serve.ended).code).toBe(0);
  });

  test('uses another machine as soon as nodes.json names it, and keeps the old ones while the file is wrong', async () => {
    const home = makeHome({
      tasks: { A: { agent: WAITS }, B: { agent: WAITS } },
      nodes: [{ name: 'here', local: true, slots: 1 }],
    });
    const serve = await serving(home);
    const watched = home.start({ limitMs: LIMIT_MS });
    await watched.news(`${PROJECT}/A`, 'running', PATIENCE_MS);
    const good = readFileSync(join(home.dir, 'nodes.json'), 'utf8');
    writeFileSync(join(home.dir, 'nodes.json'), good.replace('"slots":1', '"slotz":1'));
    await serve.until('that nodes.json is refused', () => refusals(serve).includes('nodes.json'));
    home.writeNodes([
      { name: 'here', local: true, slots: 1 },
      { name: 'there', local: true, slots: 1 },
    ]);
    await serve.news('node there', 'connected', PATIENCE_MS);
    await home.marked('began-B', PATIENCE_MS);

    // A machine with attempts is not let go before they have ended.
    home.writeNodes([{ name: 'there', local: true, slots: 1 }]);
    await serve.until('that it stays', () =>
      serve.notes.some(({ code, message }) => code === 'E_NODE_BUSY' && message.includes('here')),
    );
    home.mark('go-A');
    home.mark('go-B');
    expect((await watched.ended).code).toBe(0);
    serve.signal('SIGTERM');
    expect((await serve.ended).code).toBe(0);
  });

  test('is the one controller of its home: another one is told who it is and since when', async () => {
    const home = makeHome({ tasks: { A: {} } });
    const serve = await serving(home);
    const second = await home.dispatch(['serve']);
    expect({ code: second.code, stdout: second.stdout }).toEqual({ code: 6, stdout: '' });
    expect(second.stderr).toMatch(
      new RegExp(`E_CONTROLLER_RUNNING.*pid ${serve.pid} on \\S+, since \\d{4}-\\d\\d-\\d\\dT`, 'u'),
    );
    await serve.kill();
    const third = await serving(home);
    third.signal('SIGINT');
    expect((await third.ended).code).toBe(0);
  });

  test('is asked by dispatch nodes how the machines are doing', async () => {
    const home = makeHome({
      tasks: { A: {} },
      nodes: [
        { name: 'here', local: true },
        { name: 'gone', command: ['false'] },
      ],
    });
    const before = await home.dispatch(['nodes']);
    expect(before).toMatchObject({ code: 0, stderr: expect.stringContaining('dispatch nodes probe') });
    const serve = await serving(home);
    const looks = async (): Promise<Readonly<Record<string, unknown>>[]> =>
      JSON.parse((await home.dispatch(['nodes', '-o', 'json'])).stdout).data;
    await until(
      'that both have been looked at',
      async () => {
        const [here, gone] = await looks();
        return here?.said !== null && gone?.trouble !== null;
      },
      PATIENCE_MS,
    );
    expect(await looks()).toMatchObject([
      {
        node: 'here',
        state: 'up',
        running: 0,
        trouble: null,
        said: {
          roundTripMs: expect.any(Number),
          clockOffsetMs: expect.any(Number),
          health: {
            attempts: 0,
            cores: expect.any(Number),
            bootId: expect.any(String),
            tmux: expect.any(String),
          },
        },
      },
      { node: 'gone', state: 'down', said: null, trouble: { code: expect.stringMatching(/^E_/u) } },
    ]);
    const { stdout, stderr } = await home.dispatch(['nodes']);
    expect(stdout).toMatch(/^here\tup\t0\/4\t-\t\d+\.\d ms\t.* free\t.* free\t.*ok/mu);
    expect(stdout).toMatch(/^gone\tdown\t0\/4\t-/mu);
    expect(stderr).toContain('gone: no shell answered');
    serve.signal('SIGTERM');
    expect((await serve.ended).code).toBe(0);
  });

  test('does not begin with a gate that proves nothing: start says so and ends, and runs it with a reason', async () => {
    const home = makeHome({
      tasks: { A: { agent: WAITS } },
      files: { 'agents/N.sh': 'put src/N.txt n\n' },
      project: { verify: 'sh test.sh | cat', gates: { control: undefined }, trusted: true },
    });
    const serve = await serving(home);
    const refused = await home.start({ limitMs: LIMIT_MS }).ended;
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('E_GATE_PROVES_NOTHING');
    expect(home.attempts()).toEqual([]);
    const skipped = home.spawn(['start', PROJECT, '--skip-control', 'no tests yet'], { limitMs: LIMIT_MS });
    await until('that it runs', () => home.attempts().length === 1, PATIENCE_MS);
    skipped.signal('SIGINT');
    expect((await skipped.ended).code).not.toBe(1);
    serve.signal('SIGTERM');
    expect((await serve.ended).code).toBe(0);

    // The reason was given once, to another process: the next one goes by it.
    const next = await serving(home);
    home.mark('go-A');
    await next.news(`${PROJECT}/A`, 'merged', PATIENCE_MS);
    home.writeSpec('N', { modifies: ['src/N.txt'] });
    await next.news(`${PROJECT}/N`, 'merged', PATIENCE_MS);
    next.signal('SIGTERM');
    expect((await next.ended).code).toBe(0);
    expect((await home.dispatch(['replay', '--check'])).code).toBe(0);
  });

  test('outlives a client that asks and does not wait for the answer', async () => {
    const home = makeHome({ tasks: { A: {} } });
    const serve = await serving(home);
    serve.signal('SIGSTOP');
    for (let asked = 0; asked < 3; asked += 1) {
      const client = connect(join(home.dir, '.dispatch', 'controller.sock'));
      await new Promise<void>((resolve) => client.write('{"ask":"about"}\n', () => resolve()));
      client.destroy();
    }
    serve.signal('SIGCONT');
    expect((await home.start({ limitMs: LIMIT_MS }).ended).code).toBe(0);
    serve.signal('SIGTERM');
    expect((await serve.ended).code).toBe(0);
  });

  test('that is killed leaves watchers waiting for the next one, and nothing runs twice', async () => {
    const home = makeHome({ tasks: { A: { agent: WAITS } } });
    const first = await serving(home);
    const watched = home.start({ limitMs: LIMIT_MS });
    await home.marked('began-A', PATIENCE_MS);
    await first.kill();
    const second = await serving(home);
    await second.news('node here', 'connected', PATIENCE_MS);
    home.mark('go-A');
    expect((await watched.ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1']);
    second.signal('SIGTERM');
    expect((await second.ended).code).toBe(0);
  });
});

/** Files that were refused, by the log. */
function refusals(serve: Running): string[] {
  return serve.notes.filter(({ about, code }) => about === 'config' && code !== null).map(({ name }) => name);
}
