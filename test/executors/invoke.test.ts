import { describe, expect, test } from 'vitest';
import { builtinExecutors } from '../../src/executors/builtin.ts';
import { hostsOf } from '../../src/executors/hosts.ts';
import { invocation } from '../../src/executors/invoke.ts';
import { definition, round } from './build.ts';

describe('Claude Code', () => {
  test('is started without a terminal, with the prompt on stdin and a named session', () => {
    const call = invocation(definition(), round());
    expect(call.argv).toEqual([
      'claude',
      '-p',
      '--output-format',
      'stream-json',
      '--verbose',
      '--dangerously-skip-permissions',
      '--session-id',
      '0f5b6e3e-0000-4000-8000-000000000001',
    ]);
    expect(call.stdinPath).toBe('/w/prompt.md');
  });

  test('resumes the session in a later round, with the words of the gates on stdin', () => {
    const call = invocation(definition(), round({ round: 2, gateOutput: 'red' }));
    expect(call.argv.slice(-2)).toEqual(['--resume', '0f5b6e3e-0000-4000-8000-000000000001']);
    expect(call.argv).not.toContain('--session-id');
    expect(call.stdinPath).toBe('/w/gate.txt');
  });

  test('takes a model and arguments of its own', () => {
    const def = definition({ command: ['npx', 'claude', '--max-turns', '5'], model: 'opus' });
    const { argv } = invocation(def, round());
    expect(argv.slice(0, 5)).toEqual(['npx', 'claude', '--max-turns', '5', '-p']);
    expect(argv.slice(-2)).toEqual(['--model', 'opus']);
  });

  test('is told that it runs in a sandbox as root, and only then', () => {
    expect(invocation(definition(), round({ isRoot: true })).env.IS_SANDBOX).toBe('1');
    expect(invocation(definition(), round()).env).not.toHaveProperty('IS_SANDBOX');
  });

  test('does not update itself, send telemetry or believe that it is nested', () => {
    const { env, unset } = invocation(definition(), round());
    expect(env).toMatchObject({ CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' });
    expect(unset).toContain('CLAUDECODE');
  });

  test('loses what a profile left behind of another provider, but not what its definition sets', () => {
    const { unset, env } = invocation(builtinExecutors().glm ?? definition(), round());
    expect(unset).toEqual(
      expect.arrayContaining(['ANTHROPIC_API_KEY', 'ANTHROPIC_MODEL', 'CLAUDE_CODE_OAUTH_TOKEN']),
    );
    expect(unset).not.toContain('ANTHROPIC_BASE_URL');
    expect(unset).not.toContain('ANTHROPIC_AUTH_TOKEN');
    expect(env.ANTHROPIC_BASE_URL).toBe('https://api.z.ai/api/anthropic');
  });
});

describe('a shell executor', () => {
  const def = definition({
    name: 'replay',
    kind: 'shell',
    command: ['python3', 'agent.py'],
    env: { MODE: 'x' },
  });

  test('runs its command as it is and learns everything from variables', () => {
    const call = invocation(def, round({ round: 3, gateOutput: 'line 1\nline 2' }));
    expect(call.argv).toEqual(['python3', 'agent.py']);
    expect(call.stdinPath).toBeNull();
    expect(call.env).toEqual({
      DISPATCH_NOTES: '/w/notes',
      DISPATCH_PROJECT: 'demo',
      DISPATCH_TASK: 'S01',
      DISPATCH_ATTEMPT: '2',
      DISPATCH_TOKEN: 'ab'.repeat(16),
      DISPATCH_ROUND: '3',
      DISPATCH_TREE: '/w/tree',
      DISPATCH_PROMPT: '/w/prompt.md',
      DISPATCH_SPEC: '/w/spec.md',
      DISPATCH_GATE_OUTPUT: 'line 1\nline 2',
      DISPATCH_GATE_OUTPUT_FILE: '/w/gate.txt',
      DISPATCH_USAGE_FILE: '/w/usage.json',
      MODE: 'x',
    });
  });

  test('gets a gate output that fits into a variable, however long it is', () => {
    const { env } = invocation(def, round({ gateOutput: `${'漢字 noise\n'.repeat(50_000)}\0end` }));
    expect(Buffer.byteLength(env.DISPATCH_GATE_OUTPUT ?? '')).toBeLessThanOrEqual(32 * 1024);
    expect(env.DISPATCH_GATE_OUTPUT).not.toContain('\0');
    expect(env.DISPATCH_GATE_OUTPUT).toMatch(/end$/);
  });
});

describe('secrets', () => {
  test('are named, never valued, and never in argv or the plain environment', () => {
    for (const def of Object.values(builtinExecutors())) {
      const call = invocation(def, round());
      for (const variable of Object.keys(def.secrets)) expect(call.env).not.toHaveProperty(variable);
    }
    expect(invocation(builtinExecutors().glm ?? definition(), round()).secrets).toEqual({
      ANTHROPIC_AUTH_TOKEN: { env: 'GLM_API_KEY', file: 'secrets/glm', optional: false },
    });
  });

  test('are optional only where a login of the node can stand in for them', () => {
    const optional = (name: string): boolean[] =>
      Object.values(invocation(builtinExecutors()[name] ?? definition(), round()).secrets).map(
        (one) => one.optional,
      );
    expect(optional('claude')).toEqual([true, true]);
    expect(optional('glm')).toEqual([false]);
    expect(optional('minimax')).toEqual([false]);
  });
});

test('Codex CLI cages its own commands, and leaves that to a strict cage, in which it could not', () => {
  const codex = definition({ name: 'codex', kind: 'codex', command: ['codex'] });
  const free = invocation(codex, round()).argv.join(' ');
  expect(free).toContain('exec --json --sandbox workspace-write --skip-git-repo-check');
  const caged = invocation(codex, round({ caged: true, round: 2, gateOutput: 'red' })).argv.join(' ');
  expect(caged).toContain('exec --json --sandbox danger-full-access --skip-git-repo-check resume');
});

describe('the hosts of an executor', () => {
  const { claude, glm, aider, qwen } = builtinExecutors();

  test('are those that its variables name, else those of its kind', () => {
    expect(claude && hostsOf(claude)).toContain('api.anthropic.com');
    expect(glm && hostsOf(glm)).toEqual(['api.z.ai:443']);
    expect(qwen && hostsOf(qwen)).toEqual(['dashscope-intl.aliyuncs.com:443']);
    expect(aider && hostsOf(aider)).toEqual(['api.anthropic.com', 'api.openai.com']);
  });

  test('are its own where it says some, besides what its variables name', () => {
    const def = definition({ env: { BASE: 'http://10.0.0.7:8080/v1' }, call: { hosts: ['api.mine.dev'] } });
    expect(hostsOf(def)).toEqual(['10.0.0.7:8080', 'api.mine.dev']);
    expect(hostsOf(definition({ kind: 'shell', env: {} }))).toEqual([]);
  });
});
