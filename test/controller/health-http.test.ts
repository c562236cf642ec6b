import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type HealthCheck, HealthDesk } from '../../src/controller/health.ts';
import { serveHealth } from '../../src/controller/health-http.ts';

const ANY = { host: '127.0.0.1', port: 0 };

function tokenPath(): string {
  const dir = mkdtempSync(join(tmpdir(), 'health-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'health.token');
}

async function serving(desk: HealthDesk, tokenFile = tokenPath(), listen = ANY) {
  const server = await serveHealth({ listen, tokenFile, desk });
  onTestFinished(() => server.stop());
  const token = readFileSync(tokenFile, 'utf8').trim();
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.url}${path}`, { headers });
    return { status: response.status, body: (await response.json()) as unknown };
  };
  return { server, token, ask };
}

const WELL: HealthCheck = { part: 'store', about: null, look: () => 'can be written' };
const ILL: HealthCheck = {
  part: 'node',
  about: 'mac2',
  look: () => {
    throw new Error('no connection');
  },
};

test('it says that it lives to anybody, whether it works without names, and everything for the token', async () => {
  const { token, ask } = await serving(new HealthDesk({ ready: () => [WELL], deep: () => [ILL] }));
  expect(await ask('/health')).toEqual({ status: 200, body: { ok: true, pid: process.pid } });
  expect(await ask('/health/ready')).toEqual({
    status: 200,
    body: { ok: true, parts: [{ part: 'store', ok: true }] },
  });
  for (const headers of [{}, { authorization: 'Bearer nonsense' }])
    expect(await ask('/health/deep', headers as Record<string, string>)).toMatchObject({ status: 401 });
  expect(await ask('/health/deep', { authorization: `Bearer ${token}` })).toMatchObject({
    status: 503,
    body: {
      ok: false,
      parts: [
        { part: 'store', ok: true, detail: 'can be written' },
        { part: 'node', about: 'mac2', ok: false, detail: 'no connection' },
      ],
    },
  });
});

test('what does not work makes it not ready', async () => {
  const { ask } = await serving(new HealthDesk({ ready: () => [WELL, ILL], deep: () => [] }));
  expect(await ask('/health/ready')).toMatchObject({ status: 503, body: { ok: false } });
});

test('a part that hangs ends at its own deadline and hides no other; whoever asks again soon is given the same', async () => {
  let looks = 0;
  const counted: HealthCheck = {
    part: 'disk',
    about: null,
    look: () => {
      looks += 1;
      return 'free';
    },
  };
  let told = false;
  const hangs: HealthCheck = {
    part: 'hub',
    about: 'web',
    look: (signal) =>
      new Promise((_, fail) => {
        signal.addEventListener('abort', () => {
          told = true;
          fail(new Error('stopped'));
        });
      }),
  };
  const desk = new HealthDesk({
    ready: () => [],
    deep: () => [counted, hangs],
    deadlineMs: 50,
    keepMs: 600_000,
  });
  const [first, second] = await Promise.all([desk.deep(), desk.deep()]);
  expect(first.parts).toMatchObject([
    { part: 'disk', ok: true },
    { part: 'hub', ok: false, detail: expect.stringContaining('no answer within') as string },
  ]);
  expect(second).toBe(first);
  expect(await desk.deep()).toBe(first);
  expect({ looks, told }).toEqual({ looks: 1, told: true });
});

test('the token is its owner’s alone, lasts, and is replaced when others could have read it', async () => {
  const file = tokenPath();
  const desk = new HealthDesk({ ready: () => [], deep: () => [] });
  const { token } = await serving(desk, file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect((await serving(desk, file)).token).toBe(token);
  rmSync(file);
  writeFileSync(file, `${token}\n`, { mode: 0o644 });
  const replaced = await serving(desk, file);
  expect(replaced.token).not.toBe(token);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a page of the web that calls itself this machine is turned away', async () => {
  const { server } = await serving(new HealthDesk({ ready: () => [], deep: () => [] }));
  const status = await new Promise((done, fail) => {
    request(`${server.url}/health`, { headers: { host: 'evil.example.com' } }, (response) => {
      response.resume();
      done(response.statusCode);
    })
      .on('error', fail)
      .end();
  });
  expect(status).toBe(403);
});

test('a port that is taken is said with what to write, and stopping twice is harmless', async () => {
  const desk = new HealthDesk({ ready: () => [], deep: () => [] });
  const { server } = await serving(desk);
  const port = Number(new URL(server.url).port);
  await expect(
    serveHealth({ listen: { host: '127.0.0.1', port }, tokenFile: tokenPath(), desk }),
  ).rejects.toMatchObject({
    code: 'E_SERVE_PORT',
    message: expect.stringContaining('something else') as string,
  });
  await server.stop();
  await server.stop();
  await expect(fetch(`${server.url}/health`)).rejects.toThrow();
});
