import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { asDispatchError } from '../../src/cli/render/error.ts';

/** As node:fs throws them. */
function thrown(code: string): Error {
  return Object.assign(new Error(`${code}: said, write '/h/x'`), { code, syscall: 'write', path: '/h/x' });
}

test('what the system refuses has a name and is no defect of ours, wherever it happens', () => {
  for (const [code, name] of [
    ['ENOSPC', 'E_NO_SPACE'],
    ['EDQUOT', 'E_NO_SPACE'],
    ['EIO', 'E_HOME_IO'],
    ['EROFS', 'E_HOME_IO'],
  ] as const)
    expect(asDispatchError(thrown(code))).toMatchObject({ code: name, where: '/h/x' });
});

test('what only a defect explains stays one', () => {
  expect(asDispatchError(thrown('EBADF')).code).toBe('E_INTERNAL');
  try {
    writeFileSync('/no/such/directory/x', '');
  } catch (error) {
    expect(asDispatchError(error).code).toBe('E_INTERNAL');
  }
});
