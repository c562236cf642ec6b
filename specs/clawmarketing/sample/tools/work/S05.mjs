export function work() {
  return {
    say: 'tests of the schedule schema',
    files: {
      'tests/schedule/schema.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSchedule } from '../../backend/schemas/schedule.js';

const good = { post_id: 'p1', publish_at: '2026-03-01T09:00:00Z', channel: 'blog' };

test('a good schedule is taken as it is', () => {
  assert.deepEqual(parseSchedule(good), good);
});

for (const [field, value] of [['post_id', ''], ['publish_at', 'tomorrow'], ['publish_at', '2026-03-01T09:00:00'], ['channel', 'fax']]) {
  test(\`\${field} = \${JSON.stringify(value)} is refused\`, () => {
    assert.throws(() => parseSchedule({ ...good, [field]: value }), { status: 422, code: \`bad_\${field}\` });
  });
}
`,
    },
  };
}
