/**
 * Real coding agents inside real attempts: supervisor, tmux, trees, gates and feedback, against a provider of the test's
 * own and without any other network. The programs are large and not all free software, so they are no dependency:
 * `make test-agents` installs them into a cache and runs this.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/model/attempt.ts';
import { type CageRules, DEFAULT_CAGE } from '../../src/model/cage.ts';
import { probeOf } from '../../src/executors/probe.ts';
import type { AgentCall, ExecutorDef } from '../../src/model/executor.ts';
import type { AttemptOrder, WorkOrder } from '../../src/protocol/order.ts';
import { type Client, TestNode } from '../task-wrapper/client.ts';
import { Project, treeOrder } from '../task-wrapper/project.ts';
import { noSandbox } from '../task-wrapper/sandbox-here.ts';
import { PACKAGES, Provider } from './provider.ts';

const NAMES = ['claude', 'codex', 'gemini', 'qwen', 'opencode'] as const;

/** Several programs start and talk to each other; a loaded machine takes its time. */
const LONG_MS = 240_000;

describe.skipIf(PACKAGES === '')('a real agent', { timeout: LONG_MS }, () => {
  let provider: Provider;
  let node: TestNode;
  let client: Client;
  let project: Project;
  const temporary = process.env.TMPDIR;

  beforeEach(async () => {
    // Codex makes no helper programs for its sandbox in a home under the temporary directory.
    const base = join(homedir(), '.cache', 'dispatch-agents-run');
    mkdirSync(base, { recursive: true });
    process.env.TMPDIR = base;
    provider = new Provider();
    await provider.start();
    node = new TestNode({ DISPATCH_SILENT_MS: '2000' });
    mkdirSync(join(node.root, 'secrets'));
    writeFileSync(join(node.root, 'secrets', 'key'), 'sk-test');
    chmodSync(join(node.root, 'secrets', 'key'), 0o600);
    project = new Project({
      'src/a.txt': 'a\n',
      'test.sh': 'grep -q good src/a.txt || { echo THE CHECKS SAY NO; exit 1; }\n',
    });
    client = await node.join();
    await project.put(client);
  });
  afterEach(async () => {
    provider.stop();
    project.clean();
    await node.clean();
    if (temporary === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = temporary;
  });

  const AGENTS: Record<(typeof NAMES)[number], () => ExecutorDef> = {
    claude: () => ({
      name: 'claude',
      kind: 'claude',
      command: provider.reach('claude'),
      env: { ANTHROPIC_BASE_URL: provider.url, CLAUDE_CODE_MAX_RETRIES: '1' },
      secrets: { ANTHROPIC_AUTH_TOKEN: { file: 'secrets/key' } },
      model: 'mock-1',
    }),
    codex: () => ({
      name: 'codex',
      kind: 'codex',
      command: [
        ...provider.reach('codex'),
        '-c',
        'model_provider=mock',
        '-c',
        `model_providers.mock={name="mock",base_url="${provider.url}/v1",env_key="CODEX_API_KEY",wire_api="responses",request_max_retries=0,stream_max_retries=1}`,
      ],
      env: {},
      secrets: { CODEX_API_KEY: { file: 'secrets/key' } },
      model: 'mock-1',
    }),
    gemini: () => ({
      name: 'gemini',
      kind: 'gemini',
      command: provider.reach('gemini'),
      env: {
        GOOGLE_GEMINI_BASE_URL: provider.url,
        GEMINI_CLI_SYSTEM_SETTINGS_PATH: provider.settings(),
      },
      secrets: { GEMINI_API_KEY: { file: 'secrets/key' } },
      model: 'gemini-2.5-flash',
    }),
    qwen: () => ({
      name: 'qwen',
      kind: 'qwen',
      command: provider.reach('qwen'),
      env: { OPENAI_BASE_URL: `${provider.url}/v1` },
      secrets: { OPENAI_API_KEY: { file: 'secrets/key' } },
      model: 'mock-1',
    }),
    opencode: () => ({
      name: 'opencode',
      kind: 'opencode',
      command: provider.reach('opencode'),
      env: {
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_CONFIG_CONTENT: JSON.stringify({
          provider: {
            mock: {
              npm: '@ai-sdk/openai-compatible',
              options: { baseURL: `${provider.url}/v1`, apiKey: '{env:MOCK_API_KEY}' },
              models: { 'mock-1': { name: 'mock', tool_call: true } },
            },
          },
        }),
      },
      secrets: { MOCK_API_KEY: { file: 'secrets/key' } },
      model: 'mock/mock-1',
    }),
  };

  async function run(
    def: ExecutorDef,
    call: Partial<AgentCall> = {},
    change: Partial<AttemptOrder> = {},
    work: Partial<WorkOrder> = {},
  ): Promise<{ outcome: Outcome; order: AttemptOrder }> {
    const executor = { ...def, call: { ...def.call, ...call } };
    const order = treeOrder(
      project,
      '',
      {},
      { executor, retries: 1, ...work },
      { timeoutMs: LONG_MS, ...change },
    );
    await client.call({ op: 'start', order });
    return { outcome: await client.ended(order.token, LONG_MS), order };
  }

  test('claude that is told 429 is heard while it still tries, and gets through when there is room', async () => {
    provider.behave('refuse:429:rate_limit_error');
    const def = AGENTS.claude();
    const patient = { ...def, env: { ...def.env, CLAUDE_CODE_MAX_RETRIES: '10' } };
    const ended = run(patient, {}, { stallMs: 300_000 });
    const heard = await client.until(
      () => client.events.find((entry) => entry.type === 'provider.refused'),
      'the refusal is heard',
      LONG_MS,
    );
    expect(heard).toMatchObject({ refusal: { kind: 'rate' } });
    expect(client.events.some(({ type }) => type === 'attempt.ended')).toBe(false);
    provider.behave('work');
    expect((await ended).outcome).toMatchObject({ kind: 'done' });
  });

  describe.each(NAMES)('%s', (name) => {
    test('has the flags that it is called with', async () => {
      const ask = probeOf({ ...AGENTS[name](), command: [join(PACKAGES, 'node_modules', '.bin', name)] });
      if (ask === null) throw new Error(`${name} is not asked`);
      const { executors } = await client.call({ op: 'probe', programs: [], executors: { [name]: ask } });
      expect(executors?.[name]).toMatchObject({ problems: [], version: expect.stringMatching(/^\d/) });
    });

    test('does the task, is told what the gate said in the same session, and mends it', async () => {
      const { outcome, order } = await run(AGENTS[name]());
      // Two calls in the first round; in the second the session knows them, and makes two more.
      expect(outcome, node.file(order.token, 'agent.log').slice(-4000)).toMatchObject({
        kind: 'done',
        rounds: 2,
        usage: { inputTokens: 400, outputTokens: 80 },
      });
      const commit = await project.fetch(client, order);
      expect(project.show(commit, 'src/a.txt')).toBe('good');
      expect(node.file(order.token, 'agent.log')).toContain('DONE: wrote src/a.txt 2 times');
    });

    // What else the other agents look for on a machine has not been tried in a strict cage.
    test.skipIf(noSandbox !== null || (name !== 'claude' && name !== 'codex'))(
      'does the same in cage: strict, with its model as the only host',
      async () => {
        provider.stop();
        provider = new Provider();
        await provider.start(true);
        const cage: CageRules = { ...DEFAULT_CAGE, level: 'strict', readOnly: [PACKAGES] };
        // Codex names its provider in an argument, where nobody looks for hosts.
        const hosts = { hosts: [provider.url.replace('http://', '')] };
        const { outcome, order } = await run(AGENTS[name](), hosts, {}, { cage });
        expect(outcome, node.file(order.token, 'agent.log').slice(-4000)).toMatchObject({
          kind: 'done',
          rounds: 2,
          usage: { inputTokens: 400, outputTokens: 80 },
        });
        expect(project.show(await project.fetch(client, order), 'src/a.txt')).toBe('good');
      },
    );

    test('that is told 429 is ended by name, and its key is to blame', async () => {
      provider.behave('refuse:429:rate_limit_error');
      // Qwen Code tries again for many minutes and is silent about it: the limit of a round is all there is.
      if (name === 'qwen') {
        const { outcome } = await run(AGENTS[name](), { roundMs: 45_000 });
        expect(outcome).toMatchObject({
          kind: 'failed',
          cause: 'executor',
          message: expect.stringContaining('45s'),
        });
        return;
      }
      const { outcome } = await run(AGENTS[name]());
      expect(outcome).toMatchObject({
        kind: 'failed',
        cause: 'executor',
        message: expect.stringMatching(/429|rate_limit_error/),
        refusal: { kind: 'rate' },
      });
    });

    test('whose key is not taken is ended by name', async () => {
      provider.behave('refuse:401:authentication_error');
      const { outcome } = await run(AGENTS[name]());
      expect(outcome).toMatchObject({
        kind: 'failed',
        cause: 'executor',
        message: expect.stringMatching(/401|authentication_error/),
        refusal: { kind: 'login' },
      });
    });

    test('whose stream is dropped again and again is an executor failure with the reason', async () => {
      provider.behave('drop');
      const { outcome } = await run(AGENTS[name]());
      expect(outcome).toMatchObject({
        kind: 'failed',
        cause: 'executor',
        message: expect.stringMatching(/connection|disconnected|stream|terminated|closed|socket|response/i),
      });
    });

    test('in a stream without end is known to wait for its model, and is ended when its round is over', async () => {
      provider.behave('endless');
      const { outcome } = await run(AGENTS[name](), { roundMs: 40_000 }, { stallMs: 5000 });
      const causes = client.events.flatMap((entry) =>
        entry.type === 'attempt.stalled' ? [entry.stall.cause] : [],
      );
      expect(causes).toContain('model');
      expect(outcome).toMatchObject({
        kind: 'failed',
        cause: 'executor',
        message: "the agent's turn did not end within 40s, so it was ended",
      });
      expect(provider.requests().some((line) => line.includes('endless'))).toBe(true);
    });

    test('that hangs after its closing words has finished, and nothing of it is left', async () => {
      const def = AGENTS[name]();
      const hangs = ['sh', '-c', '"$@"; echo $$ > ../pid; exec sleep 600', 'sh', ...def.command];
      const { outcome } = await run({ ...def, command: hangs });
      expect(outcome).toMatchObject({ kind: 'done', rounds: 2 });
    });
  });
});
