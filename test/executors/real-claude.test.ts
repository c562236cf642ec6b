/**
 * The invocation, run for real: Claude Code against a scripted model server on the loopback interface. The program is
 * large and not free software, so it is no dependency: `npm i @anthropic-ai/claude-code` somewhere, then name its
 * program in DISPATCH_TEST_CLAUDE.
 */
import { spawn } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { invocation, type RoundContext } from '../../src/executors/invoke.ts';
import { type ExecutorOutcome, readOutcome } from '../../src/executors/outcome.ts';
import { definition, round } from './build.ts';

const CLAUDE = process.env.DISPATCH_TEST_CLAUDE ?? '';

describe.skipIf(CLAUDE === '')('Claude Code itself', () => {
  let dir = '';
  let stops: (() => void)[] = [];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'real-claude-'));
    mkdirSync(join(dir, 'tree'));
    mkdirSync(join(dir, 'home'));
    stops = [];
  });
  afterEach(() => {
    for (const stop of stops) stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('works in the first round and resumes the same session in the second', async () => {
    const port = await modelServer({});
    const first = await run(port, { round: 1 });
    expect(first.outcome).toMatchObject({ finished: true, apiError: null, text: 'DONE: wrote hello.txt' });
    expect(first.outcome.usage?.inputTokens).toBe(200);
    expect(readFileSync(join(dir, 'tree', 'hello.txt'), 'utf8')).toBe('hello-from-agent\n');

    const second = await run(port, { round: 2, gateOutput: 'the gate failed' });
    expect(second.code).toBe(0);
    expect(second.outcome).toMatchObject({ finished: true, sessionId: first.outcome.sessionId });
    expect(second.outcome.usage?.inputTokens).toBe(100);
  });

  test('is reported as refused when its key is', async () => {
    const port = await modelServer({ FAIL: '401' });
    const { outcome } = await run(port, { round: 1 }, { CLAUDE_CODE_MAX_RETRIES: '1' });
    expect(outcome.apiError).toMatchObject({ status: 401, retryable: false });
    expect(outcome.usage).toBeNull();
  });

  async function run(
    port: number,
    parts: Partial<RoundContext>,
    env: Record<string, string> = {},
  ): Promise<{ code: number | null; outcome: ExecutorOutcome }> {
    const def = definition({
      command: [CLAUDE],
      env: { ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`, ANTHROPIC_AUTH_TOKEN: 'dummy', ...env },
      model: 'mock-1',
    });
    const promptPath = join(dir, 'prompt.md');
    const gateOutputPath = join(dir, 'gate.txt');
    writeFileSync(promptPath, 'write hello.txt');
    writeFileSync(gateOutputPath, parts.gateOutput ?? '');
    const isRoot = process.getuid?.() === 0;
    const call = invocation(def, round({ promptPath, gateOutputPath, isRoot, ...parts }));
    const [program = '', ...args] = call.argv;
    const child = spawn(program, args, {
      cwd: join(dir, 'tree'),
      env: { PATH: process.env.PATH ?? '', HOME: join(dir, 'home'), ...call.env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createReadStream(call.stdinPath ?? '/dev/null').pipe(child.stdin);
    let log = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, outcome: readOutcome(def, log) };
  }

  async function modelServer(env: Record<string, string>): Promise<number> {
    const port = await freePort();
    const log = join(dir, 'server.log');
    const server = spawn(process.execPath, ['test/fixtures/mock-model-server.mjs'], {
      env: { PORT: String(port), MOCK_LOG: log, ...env },
      stdio: 'ignore',
    });
    stops.push(() => server.kill('SIGKILL'));
    for (;;) {
      const up = await fetch(`http://127.0.0.1:${port}/v1/models`).then(
        (response) => response.ok,
        () => false,
      );
      if (up || server.exitCode !== null) return port;
    }
  }
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
