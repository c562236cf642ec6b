/**
 * What the daily report costs on a long log: `npx tsx bench/daily.ts [events]`. A home at work for weeks is written into a
 * real store; then its last day and its last week are told. The aims: no more memory than the state and what is counted,
 * and seconds for a million events.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readDaily } from '../src/controller/daily.ts';
import type { Event } from '../src/model/event.ts';
import { evolve } from '../src/model/evolve.ts';
import { emptyState } from '../src/model/state.ts';
import { dailyHtml } from '../src/report/daily/html/page.ts';
import { dailyMarkdown } from '../src/report/daily/markdown.ts';
import { dayOf, localDate, weekOf } from '../src/report/daily/period.ts';
import { openSqliteStore } from '../src/store/sqlite/open.ts';
import { openReader } from '../src/store/sqlite/reader.ts';
import { BUSY_NODES, busyDays } from '../test/report/daily/busy-days.ts';
import { line, mib, ms, seconds, title } from './figures.ts';

const ZONE = 'Asia/Shanghai';
const FROM = Date.UTC(2026, 8, 1);
const GROUP = 10_000;
const wanted = Number(process.argv[2] ?? 1_000_000);
const directory = mkdtempSync(join(tmpdir(), 'dispatch-bench-daily-'));

try {
  const file = join(directory, 'state.db');
  const last = await fill(file);
  title(`the daily report of ${wanted.toLocaleString('en-US')} events`);
  line('the store', mib(statSync(file).size / 2 ** 20));
  await bench(file, last);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** @returns wall clock of the last event. */
async function fill(file: string): Promise<number> {
  const store = await openSqliteStore(file);
  const lease = await store.acquire('bench', process.pid, 0);
  const state = emptyState();
  let group: Event[] = [];
  let count = 0;
  let last = FROM;
  const log = busyDays({ from: FROM, to: Number.MAX_SAFE_INTEGER, tasksPerHour: 12 });
  for (const event of log) {
    evolve(state, event);
    group.push(event);
    last = event.at;
    count += 1;
    if (group.length < GROUP && count < wanted) continue;
    await store.commit(lease, group, state);
    group = [];
    if (count >= wanted) break;
  }
  await store.release(lease);
  await store.close();
  return last;
}

async function bench(file: string, now: number): Promise<void> {
  const reader = await openReader(file);
  const date = localDate(now, ZONE);
  for (const period of [dayOf(date, ZONE), weekOf(date, ZONE)]) {
    globalThis.gc?.();
    await pause(100);
    const before = process.memoryUsage().heapUsed;
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().heapUsed);
    }, 20);
    let longest = 0;
    let since = performance.now();
    const turns = setInterval(() => {
      longest = Math.max(longest, performance.now() - since - 5);
      since = performance.now();
    }, 5);
    const started = performance.now();
    const cpuBefore = process.cpuUsage();
    const report = await readDaily(reader, { period, nodes: BUSY_NODES, now });
    const read = performance.now() - started;
    const cpu = process.cpuUsage(cpuBefore);
    clearInterval(watch);
    clearInterval(turns);
    const html = dailyHtml(report, 'en');
    const text = dailyMarkdown(report, 'zh');
    const rendered = performance.now() - started - read;
    line(`${period.label}: read`, seconds(read), `${seconds((cpu.user + cpu.system) / 1000)} of processor`);
    line(`${period.label}: heap at most`, mib((peak - before) / 2 ** 20));
    line(`${period.label}: longest turn taken from others`, ms(longest));
    line(
      `${period.label}: rendered`,
      ms(rendered),
      `${Math.round(html.length / 1024)} KiB HTML, ${text.length} characters`,
    );
  }
  await reader.close();
}
