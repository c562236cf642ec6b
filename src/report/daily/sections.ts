/** The sections of the page, in the order in which a person needs them: what to do, how the day went, then why. */
import { type Formats, HOUR_MS } from './format.ts';
import { chartBlocks } from './chart-tables.ts';
import type { DailyReport } from './model.ts';
import type { Block, Cell, Section } from './page.ts';
import { projectBlocks } from './projects.ts';
import { left, right, ROWS, table } from './table.ts';

export function sectionsOf(report: DailyReport, format: Formats): Section[] {
  const { sections } = format.words;
  const all: Section[] = [
    { id: 'next', title: sections.tomorrow, blocks: nextBlocks(report, format) },
    { id: 'alerts', title: sections.alerts, blocks: alertBlocks(report, format) },
    { id: 'charts', title: sections[report.period.kind], blocks: chartBlocks(report, format) },
    { id: 'projects', title: sections.projects, blocks: projectBlocks(report, format) },
    { id: 'failures', title: sections.failures, blocks: failureBlocks(report, format), narrow: true },
    { id: 'specs', title: sections.specs, blocks: specBlocks(report, format), narrow: true },
    { id: 'gates', title: sections.gates, blocks: gateBlocks(report, format) },
    { id: 'fleet', title: sections.fleet, blocks: fleetBlocks(report, format) },
    { id: 'capacity', title: sections.capacity, blocks: capacityBlocks(report, format) },
    { id: 'spending', title: sections.spending, blocks: spendingBlocks(report, format) },
    { id: 'notes', title: sections.notes, blocks: noteBlocks(report, format) },
  ];
  return all.filter(({ blocks }) => blocks.length > 0);
}

function nextBlocks({ tomorrow }: DailyReport, { words }: Formats): Block[] {
  if (tomorrow.length === 0) return [{ is: 'text', text: words.nothing, tone: 'muted' }];
  const items = tomorrow.slice(0, ROWS).map((step) => ({
    command: step.command,
    ...(step.do === 'mend' ? { next: step.next } : {}),
    purpose: words.next(step),
  }));
  const more = tomorrow.length - items.length;
  return [
    { is: 'commands', items },
    ...(more > 0 ? [{ is: 'text' as const, text: words.more(more), tone: 'muted' as const }] : []),
  ];
}

function alertBlocks({ alerts }: DailyReport, format: Formats): Block[] {
  const { words } = format;
  const { level, about, alert, state, hour } = words.columns;
  const rows = alerts.map((one): Cell[] => [
    { text: one.level, tone: one.level === 'P0' ? 'bad' : one.level === 'P1' ? 'warn' : 'muted' },
    { text: one.about },
    { text: one.message },
    { text: format.clock(one.since) },
    { text: words.alertIs[one.is], tone: one.is === 'open' ? 'warn' : 'muted' },
  ]);
  return table(null, [left(level), left(about), left(alert), left(hour), left(state)], rows);
}

function failureBlocks({ failures, retries }: DailyReport, { words }: Formats): Block[] {
  if (failures.length === 0 && retries.attempts === 0) return [];
  const { columns } = words;
  const most = Math.max(1, ...failures.map((one) => one.count));
  const rows = failures.map(({ cause, count: times, tasks }): Cell[] => [
    { text: words.cause(cause) },
    { text: String(times), share: times / most, tone: 'bad' },
    { text: tasks.slice(0, 2).join(words.separator), code: true, tone: 'muted' },
  ]);
  const heads = [left(columns.cause), right(columns.count), left(columns.tasks)];
  return [
    ...table(null, heads, rows),
    { is: 'text', text: words.retries(retries.attempts, retries.tasks, retries.rounds), tone: 'muted' },
  ];
}

function specBlocks({ specs }: DailyReport, format: Formats): Block[] {
  const { words } = format;
  const heads = [left(words.columns.kind), right(words.columns.passed), right(words.columns.attempts)];
  const rows = specs.map(({ kind, passed, of }): Cell[] => [
    { text: words.kind(kind) },
    { text: format.share(passed, of), share: passed / of, tone: passed / of < 0.7 ? 'warn' : 'good' },
    { text: format.count(of) },
  ]);
  return table(null, heads, rows);
}

function gateBlocks(report: DailyReport, format: Formats): Block[] {
  const { words } = format;
  const { columns } = words;
  const slowest = report.gates.map(({ project, verify, runs, red, broken, medianMs, longestMs }): Cell[] => [
    { text: project },
    { text: verify, code: true },
    { text: format.count(runs) },
    { text: format.count(red), ...(red > 0 ? { tone: 'bad' as const } : {}) },
    { text: format.count(broken), ...(broken > 0 ? { tone: 'bad' as const } : {}) },
    { text: format.span(medianMs) },
    { text: format.span(longestMs) },
  ]);
  const flaky = report.flaky.map(({ project, verify, today, rate, tests }): Cell[] => [
    { text: project },
    { text: verify, code: true },
    { text: format.count(today), tone: 'warn' },
    { text: `${(100 * rate).toFixed(1)} %` },
    {
      text: tests
        .slice(0, 3)
        .map(({ name }) => name)
        .join(words.separator),
      code: true,
    },
  ]);
  const { project, verify, runs, red, broken, median, longest, flakes, rate, tests } = columns;
  return [
    ...table(
      words.slowest,
      [left(project), left(verify), right(runs), right(red), right(broken), right(median), right(longest)],
      slowest,
    ),
    ...table(words.flaky, [left(project), left(verify), right(flakes), right(rate), left(tests)], flaky),
    ...stepBlocks(report, format),
  ];
}

function stepBlocks({ steps }: DailyReport, format: Formats): Block[] {
  const { words } = format;
  const whole = Object.values(steps).reduce((sum, ms) => sum + ms, 0);
  if (whole === 0) return [];
  const tones = { agent: 'agents', verify: 'gates', gates: 'slots', prepare: 'tasks' } as const;
  const parts = (['agent', 'verify', 'gates', 'prepare'] as const).map((step) => ({
    label: words.step[step],
    value: steps[step],
    text: `${format.share(steps[step], whole)} · ${format.span(steps[step])}`,
    tone: tones[step],
  }));
  return [{ is: 'parts', title: words.stepsTitle, parts }];
}

function fleetBlocks({ fleet }: DailyReport, format: Formats): Block[] {
  const { words } = format;
  const { columns } = words;
  const inHours = fleet.nodes.some(({ availableMs }) => availableMs >= HOUR_MS);
  const amount = (ms: number): string => (inHours ? format.hours(ms) : format.span(ms));
  const rows = fleet.nodes.map((node): Cell[] => [
    { text: node.node },
    { text: node.slots === null ? words.unlisted : format.count(node.slots) },
    { text: format.share(node.usedMs, node.availableMs), share: node.usedMs / Math.max(1, node.availableMs) },
    { text: amount(node.usedMs) },
    { text: amount(node.availableMs) },
    { text: format.count(node.peak) },
    { text: format.count(node.attempts) },
    { text: format.count(node.outages), ...(node.outages > 0 ? { tone: 'warn' as const } : {}) },
    { text: node.awayMs === 0 ? '–' : format.span(node.awayMs) },
  ]);
  const { node, slots, utilisation, peak, attempts, outages, away } = columns;
  const used = inHours ? columns.usedHours : columns.used;
  const available = inHours ? columns.availableHours : columns.available;
  const heads = [
    left(node),
    ...[slots, utilisation, used, available, peak, attempts, outages, away].map(right),
  ];
  const blind = words.blind(
    fleet.asleepMs === 0 ? null : format.span(fleet.asleepMs),
    fleet.absentMs === 0 ? null : format.span(fleet.absentMs),
    fleet.restarts,
  );
  const onboarded = fleet.onboarded.map(({ node: name, tookMs }) =>
    words.onboarded(name, tookMs === null ? null : format.span(tookMs)),
  );
  return [
    ...table(null, heads, rows),
    ...[...(blind === null ? [] : [blind]), ...onboarded].map(
      (text): Block => ({ is: 'text', text, tone: 'muted' }),
    ),
  ];
}

function capacityBlocks({ capacity: { advice, figures } }: DailyReport, { words }: Formats): Block[] {
  if (advice.length === 0) return [{ is: 'text', text: words.noAdvice(figures), tone: 'muted' }];
  return [{ is: 'list', items: advice.map((one) => words.advice(one, figures)) }];
}

function spendingBlocks({ spending, pricesAsOf }: DailyReport, format: Formats): Block[] {
  const { columns } = format.words;
  const { executor, attempts, merged, time, input, output, cached, perTask } = columns;
  const isComputed = pricesAsOf !== null;
  const rows = spending.map((one): Cell[] => {
    const { costUsd } = one.tokens;
    return [
      { text: one.executor },
      { text: format.count(one.attempts) },
      { text: format.count(one.merged) },
      { text: format.span(one.workMs) },
      { text: format.tokens(one.inputTokens) },
      { text: format.tokens(one.outputTokens) },
      { text: format.tokens(one.cachedTokens) },
      { text: format.money(costUsd) },
      ...(isComputed ? [{ text: format.money(one.reportedUsd) }] : []),
      { text: costUsd === null || one.merged === 0 ? '–' : format.money(costUsd / one.merged) },
    ];
  });
  const costs = isComputed ? [columns.computedCost, columns.reportedCost] : [columns.cost];
  const heads = [
    left(executor),
    ...[attempts, merged, time, input, output, cached, ...costs, perTask].map(right),
  ];
  return table(null, heads, rows);
}

function noteBlocks({ person, measures, pricesAsOf }: DailyReport, { words }: Formats): Block[] {
  const { unknown } = measures.tokens;
  const items = [
    words.availability,
    words.estimate(person),
    ...(unknown > 0 ? [words.unknownTokens(unknown, pricesAsOf !== null)] : []),
    ...(pricesAsOf === null ? [] : [words.computedCosts(pricesAsOf)]),
  ];
  return [{ is: 'list', items }];
}
