export function work() {
  return {
    say: 'tests of the schedule service',
    files: {
      'tests/schedule/service.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScheduleService } from '../../backend/services/schedules.js';

const plan = (at) => ({ post_id: 'p1', publish_at: at, channel: 'blog' });

test('only what is planned and not later than now is due', () => {
  const service = new ScheduleService();
  const early = service.add(plan('2026-03-01T09:00:00Z'));
  service.add(plan('2026-03-02T09:00:00Z'));
  assert.deepEqual(service.due(Date.parse('2026-03-01T12:00:00Z')), [early]);
});

test('a cancelled one is never due', () => {
  const service = new ScheduleService();
  const { id } = service.add(plan('2026-03-01T09:00:00Z'));
  service.cancel(id);
  assert.deepEqual(service.due(Date.parse('2027-01-01T00:00:00Z')), []);
});

test('an unknown one cannot be cancelled', () => {
  assert.throws(() => new ScheduleService().cancel('s9'), { status: 404 });
});
`,
    },
  };
}
