export function work() {
  return {
    say: 'routes of the schedules',
    files: {
      'backend/schedule_routes.js': `import { parseSchedule } from './schemas/schedule.js';

/** POST and GET /schedules, as the shared contract has them. */
export function scheduleRoutes(router, schedules) {
  return router
    .on('POST /schedules', ({ body }) => ({ status: 201, body: schedules.add(parseSchedule(body)) }))
    .on('GET /schedules', () => ({ status: 200, body: { items: schedules.list() } }));
}
`,
    },
  };
}
