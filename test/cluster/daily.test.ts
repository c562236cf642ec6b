/** The daily report of a real home: its figures are those of the other verbs, and serve writes it at its hour. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DailyReport } from '../../src/report/daily/model.ts';
import { localDate } from '../../src/model/period.ts';
import type { Report } from '../../src/report/model.ts';
import { httpReceiver } from '../alerts/receivers.ts';
import { type Home, makeHome, PROJECT } from './home.ts';
import { until } from './until.ts';

/** Ten programs start one after the other; on a machine at its limit one takes seconds. */
const LIMIT_MS = 240_000;
const USES =
  'echo \'{"inputTokens":1000,"outputTokens":100,"costUsd":0.25}\' >"$DISPATCH_USAGE_FILE"; put "src/$DISPATCH_TASK.txt" done';

test('tells what happened, as report does, and is written by serve', { timeout: LIMIT_MS }, async () => {
  const home = makeHome({
    tasks: {
      A: { agent: USES },
      B: { agent: 'put src/B.txt "TODO: later"' },
      C: { agent: USES, review: true, depends_on: ['A'] },
      D: { agent: `test "$DISPATCH_ATTEMPT" = 2 || exit 7; ${USES}` },
    },
  });
  const zone = zoneOfNoon(Date.now());
  writeFileSync(join(home.dir, 'dispatch.yaml'), `report: { lang: zh, timezone: ${zone} }\n`);
  expect((await home.start({ limitMs: LIMIT_MS }).ended).code).toBe(3);
  expect((await home.dispatch(['review', 'C', '--approve'])).code).toBe(0);
  expect((await home.dispatch(['retry', 'D'])).code).toBe(0);
  expect((await home.start({ limitMs: LIMIT_MS }).ended).code).toBe(3);

  const report = await dataOf<Report>(home, ['report', PROJECT]);
  const daily = await dataOf<DailyReport>(home, ['daily-report', '--lang', 'en', '--html', 'day.html']);
  const [day] = daily.projects;
  expect(report.counts).toEqual({ merged: 3, failed: 1 });
  expect(day?.merged.map(({ task }) => task).toSorted()).toEqual(['A', 'C', 'D']);
  expect(day?.merged.map(({ commit }) => commit).toSorted()).toEqual(
    report.tasks.flatMap(({ commit }) => commit ?? []).toSorted(),
  );
  expect(day?.refusals).toEqual(report.refusals);
  expect(day?.waiting).toEqual(report.waiting);
  expect(day?.delivery).toEqual(report.delivery);
  expect(daily.measures.tokens).toEqual(report.tokens);
  expect(daily.spending.reduce((sum, { workMs }) => sum + workMs, 0)).toBe(
    report.tasks.reduce((sum, { workMs }) => sum + workMs, 0),
  );
  const { passed, of } = daily.measures.firstRound;
  expect({ failed: of - passed, of }).toEqual(report.capacity?.figures.firstRound);
  expect(daily.retries).toMatchObject({ attempts: 1, tasks: 1 });
  expect(daily.person.acts.map(({ act }) => act).toSorted()).toEqual(['approve', 'retry', 'start']);
  expect(daily.fleet.nodes).toMatchObject([{ node: 'here', slots: 4 }]);
  expect(daily.fleet.onboarded).toMatchObject([{ node: 'here', tookMs: expect.any(Number) as number }]);
  expect(daily.measures.usedMs).toBeLessThanOrEqual(daily.measures.availableMs);
  expect(daily.gates.map(({ verify }) => verify)).toEqual(['sh test.sh']);

  const chinese = await home.dispatch(['daily-report']);
  expect(chinese).toMatchObject({ code: 0, stderr: '' });
  expect(chinese.stdout).toContain('# 日报');
  expect(readFileSync(join(home.dir, 'day.html'), 'utf8')).toContain('Daily report');
  const tomorrow = localDate(Date.now() + 86_400_000, zone);
  expect((await home.dispatch(['daily-report', '--date', tomorrow])).stderr).toContain('has not begun yet');

  writeFileSync(join(home.dir, 'dispatch.yaml'), 'report:\n  at: "0 25 * * *"\n');
  const refused = await home.dispatch(['serve']);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('dispatch.yaml:2:7');
  await writtenByServe(home, zone);
});

/** Sets a moment that is near until one of them has come: a machine may be too busy to read the file before it passes. */
async function writtenByServe(home: Home, zone: string): Promise<void> {
  const date = localDate(Date.now(), zone);
  const file = join(home.dir, 'dispatch.yaml');
  writeFileSync(file, `report: { timezone: ${zone} }\n`);
  const receiver = await httpReceiver();
  const hook = `{ kind: webhook, url: "${receiver.url}/daily", levels: [], report: true }`;
  writeFileSync(join(home.dir, 'alerts.yaml'), `sinks: [${hook}]\n`);
  const serve = home.spawn(['serve'], { limitMs: LIMIT_MS });
  await serve.until('that it serves', () => serve.output.includes('keeps'));
  let gap = 2000;
  let moment = 0;
  await until('the report', () => {
    if (Date.now() > moment + 1500) {
      moment = Date.now() + gap;
      gap *= 2;
      const at = new Date(moment).toISOString().slice(0, 19);
      writeFileSync(file, `report: { lang: zh, timezone: ${zone}, at: "${at}Z" }\n`);
    }
    return existsSync(join(home.dir, 'reports', `${date}.html`));
  });
  // That of the day before, which nobody has written, comes first.
  const sent = (): { id: string; is: string; text: string }[] =>
    receiver.received.map(({ body }) => JSON.parse(body) as { id: string; is: string; text: string });
  await until('that it is sent', () => sent().some(({ id }) => id === `report-${date}`));
  expect(sent().every(({ is, text }) => is === 'report' && text.startsWith('# 日报'))).toBe(true);
  await serve.until('its word', () => serve.output.includes(`wrote reports/${date}.md`));
  serve.signal('SIGTERM');
  expect(await serve.ended).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(join(home.dir, 'reports', `${date}.md`), 'utf8')).toContain('# 日报');
}

async function dataOf<T>(home: Home, args: readonly string[]): Promise<T> {
  const { stdout } = await home.dispatch([...args, '-o', 'json']);
  return (JSON.parse(stdout) as { data: T }).data;
}

/** A zone in which the hour after noon is passing, so that no day ends while the test runs. */
function zoneOfNoon(now: number): string {
  const east = 12 - new Date(now).getUTCHours();
  return east === 0 ? 'UTC' : `Etc/GMT${east > 0 ? '-' : '+'}${Math.abs(east)}`;
}
