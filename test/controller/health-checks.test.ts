/** What readiness and the deep checks really try, with a home on disk and model endpoints on loopback. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HealthDesk, type HealthReport } from '../../src/controller/health.ts';
import { type Checked, deepChecks, readyChecks } from '../../src/controller/health-checks.ts';
import { homePaths } from '../../src/controller/paths.ts';
import type { NodeLook } from '../../src/controller/questions.ts';
import { nodeName, type ProjectName } from '../../src/model/ids.ts';

const MINUTE = 60_000;

interface Place {
  readonly home: string;
  write(name: string, text: string): void;
}

function place(): Place {
  const home = mkdtempSync(join(tmpdir(), 'health-checks-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(homePaths(home).temporary, { recursive: true });
  return { home, write: (name, text) => writeFileSync(join(home, name), text) };
}

function checked(home: string, over: Partial<Checked> = {}): Checked {
  return {
    home,
    pid: 7,
    nodes: () => [],
    looks: () => [],
    holds: async () => undefined,
    untried: () => [],
    hubs: () => [],
    delay: { p99: 3 },
    parts: () => new Map(),
    lookOver: () => new Set(),
    ...over,
  };
}

/** `part` or `part about` -> `ok` or what is wrong. */
async function shown(report: Promise<HealthReport>): Promise<Record<string, string>> {
  const { parts } = await report;
  return Object.fromEntries(
    parts.map(({ part, about, ok, detail }) => [
      about === null ? part : `${part} ${about}`,
      ok ? 'ok' : detail,
    ]),
  );
}

function desk(of: Checked, deadlineMs = 60_000): HealthDesk {
  return new HealthDesk({ ready: () => readyChecks(of), deep: () => deepChecks(of), deadlineMs, keepMs: 0 });
}

describe('a controller', () => {
  test('is ready when the store can be written, it holds the home, and every node was asked; and says which does not hold', async () => {
    const { home } = place();
    const ready = (over: Partial<Checked> = {}): Promise<Record<string, string>> =>
      shown(desk(checked(home, over)).ready());
    expect(await ready()).toEqual({ store: 'ok', controller: 'ok', reconciled: 'ok' });
    const holds = async (): Promise<void> => {
      throw new Error('another controller has taken over');
    };
    expect(await ready({ holds })).toMatchObject({ controller: 'another controller has taken over' });
    expect(await ready({ untried: () => ['mac2', 'vm1'] })).toMatchObject({
      reconciled: 'still asking mac2, vm1 what runs there',
    });
    rmSync(homePaths(home).temporary, { recursive: true });
    writeFileSync(homePaths(home).temporary, 'a file where a directory ought to be');
    expect(await ready()).toMatchObject({ store: expect.stringMatching(/ENOTDIR/u) as string });
  });

  test('is measured by the bounds of alerts.yaml, as they are now', async () => {
    const { home, write } = place();
    const look: NodeLook = {
      name: nodeName('mac2'),
      connected: true,
      trouble: null,
      silence: null,
      said: { at: Date.now() - 5 * MINUTE, roundTripMs: 1, clockOffsetMs: 0, health: {} as never },
    };
    const deep = (): Promise<Record<string, string>> =>
      shown(desk(checked(home, { looks: () => [look], delay: { p99: 30 } })).deep());
    expect(await deep()).toMatchObject({ 'node mac2': 'ok', 'event-loop': 'ok' });
    write(
      'alerts.yaml',
      'rules: { heartbeat: { after: 1m }, disk: { under: 100, least: 1k }, event-loop: { over: 20ms } }\n',
    );
    expect(await deep()).toMatchObject({
      'node mac2': expect.stringMatching(/^connected, and no word for 5m/u) as string,
      disk: expect.stringContaining('are free') as string,
      'event-loop': expect.stringContaining('late or more') as string,
    });
    write(
      'alerts.yaml',
      'rules: { heartbeat: { off: true }, disk: { off: true }, event-loop: { off: true } }\n',
    );
    expect(await deep()).toMatchObject({ 'node mac2': 'ok', disk: 'ok', 'event-loop': 'ok' });
  });

  test('that cannot do what it does says which part, how often and why', async () => {
    const { home } = place();
    const part = (failures: number, safe: boolean) => {
      const mode = { part: 'the hub of p', reason: 'no objects', since: 1 };
      const standing = {
        project: 'p' as ProjectName,
        failures,
        reason: 'no objects',
        safe: safe ? mode : null,
      };
      return { parts: () => new Map([['the hub of p', standing]]) };
    };
    const deep = (over: Partial<Checked>): Promise<Record<string, string>> =>
      shown(desk(checked(home, over)).deep());
    expect(await deep(part(2, false))).toMatchObject({ component: 'ok' });
    expect(await deep(part(3, false))).toMatchObject({
      component: 'the hub of p failed 3 times in a row: no objects',
    });
    expect(await deep(part(41, true))).toMatchObject({
      component: 'safe mode: the hub of p failed 41 times in a row: no objects',
    });
  });
});

describe('the endpoint of a model', () => {
  test.each([
    ['that answers', 200, 'ok'],
    ['that wants a key', 401, 'ok'],
    ['that knows no such page', 404, 'ok'],
    ['that is broken', 500, 'mine answers 500'],
    ['that is overloaded', 529, 'mine answers 529'],
  ])('%s (%i) is %s', async (_, status, is) => {
    const asked: string[] = [];
    const { url } = await endpoint((request, answer) => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? 'no key'}`);
      answer.writeHead(status).end();
    });
    expect(await modelPart(url)).toBe(is);
    expect(asked).toEqual(['HEAD /v1 no key']);
  });

  test('that takes the connection and never answers ends at the deadline of its own part', async () => {
    const { url, closed } = await endpoint(() => undefined);
    const { home, write } = place();
    write('dispatch.yaml', models(url));
    const seen = await shown(desk(checked(home), 1000).deep());
    expect(seen).toMatchObject({ 'model split': 'no answer within 1s' });
    // Nobody waits for it any more.
    await closed;
  });

  test('where nobody listens says so', async () => {
    const { url, server } = await endpoint(() => undefined);
    await new Promise((done) => server.close(done));
    expect(await modelPart(url)).toMatch(/^mine cannot be reached: .*ECONNREFUSED/u);
  });
});

async function modelPart(url: string): Promise<string | undefined> {
  const { home, write } = place();
  write('dispatch.yaml', models(url));
  return (await shown(desk(checked(home)).deep()))['model split'];
}

function models(url: string): string {
  const split = { provider: 'mine', api: 'openai', base_url: `${url}/v1`, model: 'm', key_env: null };
  return `models: ${JSON.stringify({ split })}\n`;
}

interface Endpoint {
  readonly url: string;
  readonly server: Server;
  /** A client has gone away. */
  readonly closed: Promise<void>;
}

async function endpoint(handler: Parameters<typeof createServer>[1]): Promise<Endpoint> {
  const server = createServer(handler as never);
  const closed = new Promise<void>((done) => {
    server.on('connection', (socket) => socket.once('close', () => done()));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, closed };
}
