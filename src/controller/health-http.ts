/**
 * /health, /health/ready and /health/deep on a port of this machine, for whatever supervises `dispatch serve`. The first
 * two say nothing that a stranger could use. The third names nodes and projects and makes work, so it wants the token in
 * `.dispatch/health.token`, which only the owner of the home can read.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { DispatchError } from '../model/error.ts';
import type { HealthDesk, HealthReport } from './health.ts';

export interface HealthServerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** Where the token is kept. */
  readonly tokenFile: string;
  readonly desk: Pick<HealthDesk, 'ready' | 'deep'>;
}

export interface HealthServer {
  /** `http://127.0.0.1:7070` */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** @throws DispatchError E_SERVE_PORT when something else listens there, or nobody may. */
export async function serveHealth({ listen, tokenFile, desk }: HealthServerOptions): Promise<HealthServer> {
  const token = ownToken(tokenFile);
  const app = appFor(desk, token);
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${listen.host}:${listen.port}`;
      const why = error.code === 'EADDRINUSE' ? 'something else listens there' : error.message;
      const fix = 'serve: { listen: "127.0.0.1:0" } in dispatch.yaml, another port, or off';
      fail(new DispatchError('E_SERVE_PORT', `no HTTP on ${where}: ${why}`, { where, fix }));
    });
    server.listen(listen.port, listen.host, () => done());
  });
  // A client that goes away in the middle of a request is no news.
  server.on('error', () => undefined);
  const { address, port, family } = server.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `http://${host}:${port}`,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}

function appFor(desk: HealthServerOptions['desk'], token: string): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    // A page of the web whose name leads to this machine is not to read anything here.
    if (!isLoopbackName(context.req.header('host') ?? '')) return context.text('not here', 403);
    context.header('cache-control', 'no-store');
    return next();
  });
  app.get('/health', (context) => context.json({ ok: true, pid: process.pid }));
  app.get('/health/ready', async (context) => {
    const report = await desk.ready();
    return context.json(publicPart(report), report.ok ? 200 : 503);
  });
  app.get('/health/deep', async (context) => {
    const given = context.req.header('authorization')?.replace(/^Bearer /u, '') ?? '';
    if (!isSame(given, token))
      return context.json({ ok: false, error: 'needs the token: .dispatch/health.token' }, 401);
    const report = await desk.deep();
    return context.json(report, report.ok ? 200 : 503);
  });
  return app;
}

/** Without names: whoever is on this machine may ask. */
function publicPart({ ok, parts }: HealthReport): unknown {
  return { ok, parts: parts.map(({ part, ok: good }) => ({ part, ok: good })) };
}

function isLoopbackName(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/u.test(host);
}

function isSame(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

/** The token of this home; one that others could read is replaced. */
function ownToken(file: string): string {
  const known = statSync(file, { throwIfNoEntry: false });
  if (known !== undefined && (known.mode & 0o077) === 0) {
    const token = readFileSync(file, 'utf8').trim();
    if (token.length >= 32) return token;
  }
  const token = randomBytes(24).toString('hex');
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${token}\n`, { mode: 0o600 });
  renameSync(temporary, file);
  return token;
}
