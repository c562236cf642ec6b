import { describe, expect, test } from 'vitest';
import { EXECUTOR_KINDS, type ExecutorKind } from '../../src/model/executor.ts';
import { type Evidence, needsPerson, type ProcessSeen, stallMend, stallText } from '../../src/model/stall.ts';
import { callOf } from '../../src/executors/kinds.ts';
import { stallOf } from '../../src/executors/stall.ts';
import { lastEventOf, repeatsIn } from '../../src/executors/stream-tail.ts';
import { evidenceWith } from '../model/builder.ts';
import { recorded } from './build.ts';

/** A process as nodes see most of them: asleep, idle, as old as the attempt. */
function process(command: string, parts: Partial<ProcessSeen> = {}): ProcessSeen {
  return { pid: 10, command, state: 'sleeping', waits: null, cpuMs: 0, ageMs: 600_000, ...parts };
}

const CLAUDE = process('claude -p --output-format stream-json');
const ONLINE = process('claude -p', { waits: 'network' });
const HELPER = process('node mcp-server.js', { pid: 11, ageMs: 599_000 });
const TESTS = process('npm test', { pid: 12, ageMs: 400_000 });

describe('why a silent attempt is silent', () => {
  test.each<[string, Partial<Evidence>, string, string]>([
    ['waits for its model', { processes: [ONLINE, HELPER] }, 'model', ''],
    ['waits for its tests', { processes: [ONLINE, HELPER, TESTS] }, 'child', 'npm test'],
    [
      'waits for tests that compute',
      {
        processes: [CLAUDE, process('cargo test', { pid: 12, cpuMs: 50_000, state: 'running' })],
        cpu: { usedMs: 50_000, overMs: 60_000 },
      },
      'child',
      'cargo test',
    ],
    [
      'computes itself',
      {
        processes: [process('node solve.js', { cpuMs: 59_000, state: 'running' }), HELPER],
        cpu: { usedMs: 59_100, overMs: 60_000 },
      },
      'busy',
      'node solve.js',
    ],
    [
      'computes on a machine where it gets little of a core',
      { processes: [process('sh', { cpuMs: 300, state: 'running' })], cpu: { usedMs: 300, overMs: 60_000 } },
      'busy',
      'sh',
    ],
    [
      'reads its keyboard',
      { processes: [CLAUDE, process('ssh host', { pid: 12, waits: 'terminal' })] },
      'keyboard',
      'ssh host',
    ],
    [
      'is stopped',
      { processes: [process('claude', { state: 'stopped' })], finished: true },
      'stopped',
      'claude',
    ],
    ['is stuck on a disk', { processes: [process('tar x', { state: 'disk' })] }, 'disk', 'tar x'],
    ['has said its result', { processes: [ONLINE], finished: true }, 'finished', ''],
    [
      'says the same again and again',
      { processes: [ONLINE], repeats: { line: 'Bash ls', times: 30 } },
      'looping',
      '30 times Bash ls',
    ],
    [
      'is refused for being one too many',
      { processes: [ONLINE], refused: { kind: 'rate', message: 'API Error: 429' } },
      'rate',
      'API Error: 429',
    ],
    [
      'is refused while its provider is overloaded',
      { processes: [ONLINE], refused: { kind: 'overload', message: '529' } },
      'rate',
      '529',
    ],
    [
      'has a key that is not taken',
      { processes: [ONLINE], refused: { kind: 'login', message: '401' } },
      'login',
      '401',
    ],
    [
      'has children that have ended and were not waited for',
      { processes: [process('sh', { state: 'zombie' })] },
      'unknown',
      'what it started has ended and was not waited for',
    ],
    ['shows nothing', { processes: [] }, 'unknown', 'no process of it can be seen'],
  ])('%s', (_, parts, cause, detail) => {
    expect(stallOf({ kind: 'claude' }, evidenceWith(parts))).toMatchObject({ cause, detail });
  });

  test.each<[ExecutorKind, string, string]>([
    ['claude', ' Do you trust the files in this folder?', 'trust'],
    ['claude', '❯ 1. Yes, I trust this folder', 'trust'],
    ['claude', 'Do you want to proceed?', 'permission'],
    ['claude', 'Invalid API key · Please run /login', 'login'],
    ['claude', 'OAuth token has expired. Please obtain a new token', 'login'],
    ['claude', "You've hit your limit · resets 3pm", 'rate'],
    [
      'claude',
      '--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons',
      'root',
    ],
    ['codex', 'Not inside a trusted directory and --skip-git-repo-check was not specified.', 'trust'],
    ['codex', 'Would you like to run the following command?', 'permission'],
    ['codex', 'Sign in with ChatGPT', 'login'],
    ['gemini', 'Do you trust this folder?', 'trust'],
    ['gemini', 'Apply this change?', 'permission'],
    ['gemini', 'How would you like to authenticate for this project?', 'login'],
    ['qwen', 'Waiting for auth... (Press ESC to cancel)', 'login'],
    ['opencode', 'Permission required', 'permission'],
    ['aider', 'Add src/a.py to the chat? (Y)es/(N)o [Yes]:', 'permission'],
    ['shell', 'sh: 1: flobnicate: not found', 'missing'],
    ['shell', "git@example.org's password:", 'keyboard'],
    ['shell', 'Are you sure you want to continue connecting (yes/no/[fingerprint])?', 'keyboard'],
    ['shell', 'Overwrite? [y/N]', 'keyboard'],
  ])('%s says %j', (kind, line, cause) => {
    const evidence = evidenceWith({ processes: [ONLINE, HELPER], lastLines: ['something else', line] });
    expect(stallOf({ kind }, evidence)).toMatchObject({ cause, detail: line.trim() });
  });

  test('what an agent reads or writes in its events is no question to a person', () => {
    const line = '{"type":"user","content":"bash: foo: command not found. Do you want to proceed?"}';
    expect(stallOf({ kind: 'claude' }, evidenceWith({ processes: [ONLINE], lastLines: [line] })).cause).toBe(
      'model',
    );
  });

  test('who computes does not wait for an answer, whatever it printed last', () => {
    const evidence = evidenceWith({
      processes: [process('make', { cpuMs: 60_000, state: 'running' })],
      cpu: { usedMs: 60_000, overMs: 60_000 },
      lastLines: ['Continue? [y/N] y'],
    });
    expect(stallOf({ kind: 'shell' }, evidence).cause).toBe('busy');
  });

  test("an executor's own words come before those of its kind", () => {
    const call = {
      stalls: [{ text: 'Pick A Tenant', cause: 'login' as const }, ...callOf({ kind: 'shell' }).stalls],
    };
    const evidence = evidenceWith({ processes: [CLAUDE], lastLines: ['pick a tenant [y/n]'] });
    expect(stallOf({ kind: 'shell', call }, evidence).cause).toBe('login');
  });

  test('every kind knows what shells ask', () => {
    for (const kind of EXECUTOR_KINDS)
      expect(callOf({ kind }).stalls).toContainEqual({ text: '[y/n]', cause: 'keyboard' });
  });

  test('every cause has words and a command that mends it, and those that pass by themselves need nobody', () => {
    const stopped = process('sh', { pid: 77, state: 'stopped' });
    const causes = [
      'trust',
      'permission',
      'login',
      'rate',
      'root',
      'missing',
      'keyboard',
      'stopped',
      'disk',
      'finished',
      'looping',
      'child',
      'model',
      'busy',
      'unknown',
    ] as const;
    const mends = causes.map((cause) => {
      const stall = { cause, detail: 'x', evidence: evidenceWith({ processes: [stopped] }) };
      expect(stallText(stall)).toMatch(/^[a-z].*: x$/);
      return stallMend(stall, { task: 'web/S03', node: 'mac2' });
    });
    expect(mends.filter((mend) => !/dispatch |kill -CONT 77|nothing has to be done/.test(mend))).toEqual([]);
    expect(causes.filter((cause) => !needsPerson(cause))).toEqual([
      'rate',
      'finished',
      'child',
      'model',
      'busy',
    ]);
  });
});

describe('the end of a stream', () => {
  test.each([
    ['claude', 'result/success'],
    ['claude-401-retrying', 'system/api_retry'],
    ['codex', 'turn.completed'],
    ['gemini', 'result'],
    ['opencode', 'step_finish/step-finish'],
  ])('%s stands at its last event', (name, event) => {
    expect(lastEventOf(recorded(name))).toBe(event);
  });

  test('a log without events has no last one', () => {
    expect(lastEventOf('plain text\n{ not json }\n')).toBeNull();
  });

  test('a call that is made again and again is a loop, whatever its number', () => {
    const call = (n: number): string =>
      `{"type":"assistant","message":{"content":[{"type":"tool_use","id":"toolu_01Ab${n}cdefgh","name":"Bash","input":{"command":"ls"}}]}}\n{"type":"user","uuid":"8217ab5e-454c-4525-a233-99073${n}"}`;
    const log = Array.from({ length: 30 }, (_, n) => call(100 + n)).join('\n');
    expect(repeatsIn(log)).toMatchObject({ times: 20 });
  });

  test.each([
    ['a few lines', Array.from({ length: 10 }, () => 'same')],
    ['a download', Array.from({ length: 50 }, (_, n) => `${n} % of 50 MB`)],
    ['a test run', Array.from({ length: 50 }, (_, n) => `ok ${n} - works`)],
  ])('%s is no loop', (_, lines) => {
    expect(repeatsIn(lines.join('\n'))).toBeNull();
  });
});
