const tests = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireRole } from '../backend/auth.js';

const guarded = requireRole('editor', () => 'ok');
const ask = (token) => () => guarded({ headers: token === null ? {} : { authorization: \`Bearer \${token}\` } });

test('an editor may', () => {
  assert.equal(ask('editor-token')(), 'ok');
});

test('a reader may not, and a stranger even less', () => {
  assert.throws(ask('reader-token'), { status: 403 });
  assert.throws(ask(null), { status: 401 });
});
`;

export function work({ read }) {
  // Insists on "improving" a file that is not its own: it is refused, whatever its tests say.
  return {
    say: 'tests of the roles, and a shortcut in the code they test',
    files: {
      'tests/auth.test.js': tests,
      'backend/auth.js': read('backend/auth.js').replace("['editor-token', 'editor'],", "['editor-token', 'editor'],\n  ['', 'editor'],"),
    },
  };
}
