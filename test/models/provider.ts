/** The model server of the tests, reached over loopback, and what dispatch has to know to ask it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ModelUse } from '../../src/model/model-use.ts';

/** A key that must turn up nowhere. */
export const KEY = 'sk-very-secret-0123456789';

export interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ModelProvider {
  readonly url: string;
  /** One line each request until the last, which stays: see test/agents/model-server.mjs. */
  behave(...lines: readonly string[]): void;
  /** A file that the server reads: `key`, `model`, or what it is to say. */
  put(name: string, text: string): void;
  /** The questions so far. */
  asked(): Asked[];
}

/** Starts the server; it ends with the test. */
export async function modelProvider(): Promise<ModelProvider> {
  const dir = mkdtempSync(join(tmpdir(), 'models-'));
  const child = spawn(process.execPath, [resolve('test/agents/model-server.mjs'), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  });
  const port = await new Promise<string>((done, failed) => {
    child.stdout.once('data', (bytes: Buffer) => done(bytes.toString('utf8').trim()));
    child.once('exit', () => failed(new Error('the model server did not start')));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    behave: (...lines) => writeFileSync(join(dir, 'behave'), lines.join('\n')),
    put: (name, text) => writeFileSync(join(dir, name), text),
    asked: () => {
      const text = readFileSync(join(dir, 'asked'), 'utf8').trim();
      return text.split('\n').map((line) => JSON.parse(line) as Asked);
    },
  };
}

/** How a provider's model is used, by protocol. */
export function useOf(api: ModelUse['api'], url: string, more: Partial<ModelUse> = {}): ModelUse {
  return {
    purpose: 'split',
    provider: 'mock',
    api,
    baseUrl: api === 'openai' ? `${url}/v1` : url,
    model: 'mock-1',
    keyEnv: 'MOCK_KEY',
    auth: api === 'openai' ? 'bearer' : 'x-api-key',
    structured: 'schema',
    maxOutputTokens: 4096,
    timeoutMs: 600_000,
    silenceMs: 600_000,
    ...more,
  };
}
