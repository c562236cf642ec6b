import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { commandsText, inSequence } from '../../src/model/commands.ts';

function run(...commands: string[]): { code: number | null; said: string } {
  const { status, stdout } = spawnSync('/bin/sh', ['-c', inSequence(commands)], {
    encoding: 'utf8',
    cwd: '/',
  });
  return { code: status, said: stdout.trim().replaceAll('\n', ' ') };
}

describe('several verify commands as one', () => {
  test('run one after the other, up to the first that fails, whose exit code it has', () => {
    expect(run('echo a', 'echo b')).toEqual({ code: 0, said: 'a b' });
    expect(run('echo a; exit 5', 'echo b')).toEqual({ code: 5, said: 'a' });
    expect(run('echo a', 'no-such-program 2>&-', 'echo b')).toEqual({ code: 127, said: 'a' });
  });

  test('cannot end, move or comment out the next', () => {
    expect(run('exit 0', 'echo b')).toEqual({ code: 0, said: 'b' });
    expect(run('cd /tmp', 'pwd')).toEqual({ code: 0, said: '/' });
    expect(run('true # all is well', 'echo b; exit 3')).toEqual({ code: 3, said: 'b' });
    expect(run('cat <<X\na\nX', 'echo b')).toEqual({ code: 0, said: 'a b' });
    expect(run('false || true', 'true; false')).toEqual({ code: 1, said: '' });
    expect(run('exec echo a', 'echo b')).toEqual({ code: 0, said: 'a b' });
  });

  test('one alone is itself', () => {
    expect(inSequence(['make test'])).toBe('make test');
    expect(commandsText(['make a', 'make b'])).toBe('make a && make b');
  });
});
