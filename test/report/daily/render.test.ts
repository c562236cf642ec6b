/** What the page says, in both languages, from one fixed log; and that nothing in it can be obeyed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LANGUAGES } from '../../../src/model/language.ts';
import { DailyFold } from '../../../src/report/daily/fold.ts';
import { Formats } from '../../../src/report/daily/format.ts';
import { dailyHtml } from '../../../src/report/daily/html/page.ts';
import { dailyMarkdown } from '../../../src/report/daily/markdown.ts';
import type { DailyReport } from '../../../src/report/daily/model.ts';
import { dayOf, type Period, weekOf } from '../../../src/model/period.ts';
import { BUSY_NODES, type BusyOptions, busyDays } from './busy-days.ts';

const ZONE = 'Asia/Shanghai';
const FROM = Date.UTC(2026, 10, 18, 22);
const NOW = Date.UTC(2026, 10, 20, 11, 2);
const HOSTILE =
  '</td></svg><script>alert(1)</script><img src=x onerror="alert(2)"> \u001b]0;owned\u0007 \u202egnp.exe [x](javascript:y) | `rm -rf` &amp; \'"';

function reportOn(period: Period, text?: string): DailyReport {
  return reportFrom(
    { from: FROM, to: NOW, tasksPerHour: 0.5, ...(text === undefined ? {} : { text }) },
    period,
  );
}

function reportFrom(options: BusyOptions, period: Period): DailyReport {
  const fold = new DailyFold({ period, nodes: BUSY_NODES, now: NOW });
  const log = busyDays(options);
  for (const event of log) if (event.at > NOW || !fold.push(event)) break;
  return fold.finish(true);
}

describe.each(LANGUAGES)('in %s', (language) => {
  test.each([
    ['day', FROM, 0.5],
    ['hour', NOW - 50 * 60_000, 8],
  ])('a %s reads as it should', (name, from, tasksPerHour) => {
    const file = new URL(`golden/${name}-${language}.md`, import.meta.url);
    const report = reportFrom({ from, to: NOW, tasksPerHour }, dayOf('2026-11-20', ZONE));
    const text = dailyMarkdown(report, language);
    if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  test('money is computed where there is a list of prices, and stands beside what agents reported', () => {
    const table = {
      claude: { input: 3, cached: 0.3, output: 15 },
      glm: { input: 1, cached: 0.2, output: 3 },
    };
    const day = dayOf('2026-11-20', ZONE);
    const fold = new DailyFold({
      period: day,
      nodes: BUSY_NODES,
      now: NOW,
      prices: { asOf: '2026-11', table },
    });
    for (const event of busyDays({ from: FROM, to: NOW, tasksPerHour: 0.5 }))
      if (event.at > NOW || !fold.push(event)) break;
    const report = fold.finish(true);
    const glm = report.spending.find(({ executor }) => executor === 'glm');
    const reported = reportOn(day).spending.find(({ executor }) => executor === 'glm');
    const { inputTokens, outputTokens, cachedTokens, reportedUsd } = glm ?? {};
    expect(reportedUsd).toBe(reported?.tokens.costUsd);
    const computed = ((inputTokens ?? 0) + (cachedTokens ?? 0) * 0.2 + (outputTokens ?? 0) * 3) / 1e6;
    expect(glm?.tokens.costUsd).toBeCloseTo(computed, 6);
    const text = dailyMarkdown(report, language);
    for (const column of ['computedCost', 'reportedCost'] as const)
      expect(text).toContain(new Formats(language, ZONE).words.columns[column]);
    expect(text).toContain(new Formats(language, ZONE).words.computedCosts('2026-11'));
  });

  test.each([
    ['a day', dayOf('2026-11-20', ZONE)],
    ['a day that is over', dayOf('2026-11-19', ZONE)],
    ['a week', weekOf('2026-11-20', ZONE)],
    ['a day before the log', dayOf('2026-01-01', ZONE)],
  ])('%s is well-formed, needs nothing from elsewhere, and has no figure that is none', (_, period) => {
    const html = dailyHtml(reportOn(period), language);
    expectWellFormed(html);
    expect(html).not.toMatch(/<script|<link|<iframe|\bsrc=|\bhref=|url\(|@import|\bon\w+=/iu);
    expect(html).not.toMatch(/NaN|undefined|Infinity|\[object/u);
    expect(html).toContain(`<html lang="${language === 'zh' ? 'zh-CN' : 'en-GB'}">`);
  });

  test('the charts of an hour say that they show an hour, and mark it', () => {
    const options = { from: NOW - 50 * 60_000, to: NOW, tasksPerHour: 8 };
    const html = dailyHtml(reportFrom(options, dayOf('2026-11-20', ZONE)), language);
    expect(html.match(/<span class="part">18:10–19:10<\/span>/gu)).toHaveLength(4);
    expect(html).toMatch(/<text[^>]*>18:30<\/text>/u);
    expect(html).not.toMatch(/<text[^>]*>0[0-9]:00<\/text>/u);
  });

  test('each chart has a title, a description and its table', () => {
    const html = dailyHtml(reportOn(dayOf('2026-11-20', ZONE)), language);
    const charts = html.split('<figure>').slice(1);
    expect(charts).toHaveLength(4);
    for (const chart of charts) {
      const [, title = '', about = ''] = /aria-labelledby="(\S+) (\S+)"/u.exec(chart) ?? [];
      expect(chart).toContain(`<title id="${title}">`);
      expect(chart).toContain(`<desc id="${about}">`);
      expect(chart).toMatch(/<details>.*<table>/su);
    }
  });

  test('hostile text is shown and not obeyed', () => {
    const report = reportOn(dayOf('2026-11-20', ZONE), HOSTILE);
    const html = dailyHtml(report, language);
    expectWellFormed(html);
    expect(html).toContain('&#60;script&#62;');
    expect(html).not.toMatch(/<script|<img|onerror="/iu);
    const markdown = dailyMarkdown(report, language);
    for (const text of [html, markdown]) {
      // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not be there
      expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u);
    }
    expect(markdown).not.toMatch(/(?<!\\)<(?:script|img)|(?<!\\)\[x\]/u);
    for (const line of markdown.split('\n').filter((one) => one.startsWith('|'))) {
      const cells = line.replace(/`[^`]*`/gu, '').match(/(?<!\\)\|/gu)?.length ?? 0;
      expect(cells).toBeLessThanOrEqual(10);
    }
  });
});

/** Every element that is opened is closed, in order, as in XML but for the few that have no end. */
function expectWellFormed(html: string): void {
  const open: string[] = [];
  const body = html.replace(/^<!doctype html>/u, '').replace(/<style>[^<]*<\/style>/u, '');
  const tags = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z][a-zA-Z0-9-]*(?:="[^"<>]*")?)*)\s*(\/?)>/gu;
  const outside = body.replace(tags, '');
  expect(outside).not.toMatch(/[<>]/u);
  expect(outside.replace(/&#\d+;/gu, '')).not.toContain('&');
  for (const [, end, name = '', , self] of body.matchAll(tags)) {
    if (self === '/' || name === 'meta') continue;
    if (end === '/') expect(open.pop()).toBe(name);
    else open.push(name);
  }
  expect(open).toEqual([]);
}
