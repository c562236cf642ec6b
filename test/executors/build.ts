import { readFileSync } from 'node:fs';
import type { RoundContext } from '../../src/executors/invoke.ts';
import type { ExecutorDef } from '../../src/model/executor.ts';

export function definition(parts: Partial<ExecutorDef> = {}): ExecutorDef {
  return { name: 'claude', kind: 'claude', command: ['claude'], env: {}, secrets: {}, model: null, ...parts };
}

export function round(parts: Partial<RoundContext> = {}): RoundContext {
  return {
    round: 1,
    sessionId: '0f5b6e3e-0000-4000-8000-000000000001',
    task: 'S01',
    project: 'demo',
    n: 2,
    token: 'ab'.repeat(16),
    promptPath: '/w/prompt.md',
    specPath: '/w/spec.md',
    gateOutput: '',
    gateOutputPath: '/w/gate.txt',
    againPath: '/w/again.md',
    usagePath: '/w/usage.json',
    treeDir: '/w/tree',
    notesDir: '/w/notes',
    isRoot: false,
    caged: false,
    ...parts,
  };
}

/** A recorded event stream. */
export function recorded(name: string): string {
  return readFileSync(new URL(`../fixtures/agent-events/${name}.jsonl`, import.meta.url), 'utf8');
}
