import { expect, test } from 'vitest';
import { builtinExecutors } from '../../src/executors/builtin.ts';
import { type ProbeAsk, judgeProgram, probeOf, programKey } from '../../src/executors/probe.ts';
import type { ProbeRule } from '../../src/model/executor.ts';
import { definition } from './build.ts';

const rule: ProbeRule = {
  program: 'codex',
  version: ['--version'],
  least: null,
  help: [{ args: ['exec', '--help'], flags: ['--json', '--sandbox'] }],
};
const ask: ProbeAsk = { program: 'codex', rule };

test('every built-in agent is asked for the flags that it is called with', () => {
  for (const def of Object.values(builtinExecutors())) {
    const flags = probeOf(def)?.rule.help.flatMap((one) => one.flags) ?? [];
    expect(flags.length, def.name).toBeGreaterThan(2);
  }
});

test('a wrapper of another name, a program of the tree and a shell command are not asked', () => {
  expect(probeOf(definition({ command: ['npx', 'claude'] }))).toBeNull();
  expect(probeOf(definition({ command: ['tools/claude'] }))).toBeNull();
  expect(probeOf(definition({ kind: 'shell', command: ['claude'] }))).toBeNull();
  expect(probeOf(definition({ command: ['/opt/claude'] }))?.program).toBe('/opt/claude');
});

test('what a node says is kept by executor, and by program where that is not its name', () => {
  expect(programKey(definition())).toBe('claude');
  expect(programKey(definition({ name: 'glm' }))).toBe('glm (claude)');
  expect(programKey(definition({ kind: 'shell' }))).toBeNull();
});

test('a flag that is gone is named, with the version; a longer one does not stand in for it', () => {
  const said = { version: 'codex-cli 0.20.1\n', help: ['  --json-lines  x\n  -s, --sandbox <MODE>\n'] };
  expect(judgeProgram(ask, said)).toEqual({
    version: '0.20.1',
    problems: ['codex exec 0.20.1 has no --json'],
  });
  const good = { version: 'codex-cli 0.169.0', help: ['--json\n--sandbox=MODE'] };
  expect(judgeProgram(ask, good)).toEqual({ version: '0.169.0', problems: [] });
});

test('a program that does not answer, and one that is too old, are named', () => {
  expect(judgeProgram(ask, { version: null, help: [null] }).problems).toEqual([
    'codex --version fails',
    'codex exec --help fails',
  ]);
  const least = { ...ask, rule: { ...rule, least: '0.100', help: [] } };
  const judge = (version: string) => judgeProgram(least, { version, help: [] }).problems;
  expect(judge('codex 0.99.9')).toEqual(['codex 0.99.9 is older than 0.100']);
  expect(judge('codex 0.100.0')).toEqual([]);
  expect(judge('codex 1.0')).toEqual([]);
  expect(judge('nightly')).toEqual(['codex of no known version is older than 0.100']);
});
