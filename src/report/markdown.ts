import { assertNever } from '../model/assert.ts';
import type { Finding } from '../model/attempt.ts';
import type { Control, ControlVerdict } from '../model/task.ts';
import { formatDuration } from '../model/time.ts';
import { adviceLines } from './advice-text.ts';
import { shortCommit } from './build.ts';
import { nextText } from './clash.ts';
import type { ContractReport } from './contract.ts';
import { flakeText } from './flaky.ts';
import type { AgentWord } from './notes.ts';
import { lateLine } from './late.ts';
import { lookFindingText, lookText, settledText } from './second-look.ts';
import { qualityLines } from './spec-quality.ts';
import type {
  ConflictReport,
  DeliveryReport,
  FlakyGateReport,
  Refusal,
  Report,
  ScopeReport,
  TaskReport,
  TokenSum,
} from './model.ts';

/** Findings shown per refusal; the rest is counted. */
const FINDINGS_SHOWN = 5;

/** The report as Markdown, ended by a newline. */
export function reportMarkdown(report: Report): string {
  const sections = [
    [`# ${report.project}`, summary(report)],
    list('## Alerts', report.alerts, ({ level, node, code: what, message, fix }) => [
      `- **${level} ${what}**: ${node === null ? '' : `${node}: `}${plain(message)}`,
      ...(fix === null ? [] : [`  \`${fix}\``]),
    ]),
    taskTable(report.tasks),
    list('## Machines', report.machines, ({ node, mark, ails, healed }) => [
      `- **${node}**${mark === 'none' ? '' : ` (${mark})`}`,
      ...ails.map(({ text }) => `  - ${plain(text)}`),
      ...healed.map(({ at, text }) => `  - healed ${new Date(at).toISOString()}: ${plain(text)}`),
    ]),
    list('## Waits for you', report.waiting, ({ task, what, reason, command }) => [
      `- **${task}** (${what}): ${plain(reason)}`,
      `  \`${command}\``,
    ]),
    list('## Second looks', report.looks, (look) => [
      `- **${look.task}** ${plain([lookText(look), settledText(look)].filter((text) => text !== null).join('; '))}`,
      ...look.findings.slice(0, FINDINGS_SHOWN).map((finding) => `  - ${plain(lookFindingText(finding))}`),
    ]),
    list('## Capacity', report.capacity === null ? [] : adviceLines(report.capacity), (line) => [
      `- ${line}`,
    ]),
    list('## Scope', report.scopes, scopeLines),
    list('## Contract', contractsWorthTelling(report.contract), contractLines),
    list('## What agents say of their work (no gate believes it)', report.words, wordLines),
    list('## Refused', report.refusals, refusalLines),
    list('## Conflicts', report.conflicts, (conflict) => conflictLines(conflict, report.project)),
    list('## Came too late', report.late, (late) => [`- ${plain(lateLine(late))}`]),
    list('## Flaky', report.flaky, flakyLines),
    list('## Specs', report.quality === null ? [] : qualityLines(report.quality), (line) => [`- ${line}`]),
    list('## Gates on a broken copy', report.controls, controlLines),
    list('## Next', report.next, ({ command, purpose }) => [`- \`${command}\`: ${purpose}`]),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n\n'))
    .join('\n\n')}\n`;
}

/** `12/40 merged · 8 running · 2 failed`: merged of all first, then what else there is. */
export function countsLine(counts: Report['counts'], total: number): string {
  const rest = Object.entries(counts).filter(([word]) => word !== 'merged');
  return [`${counts.merged ?? 0}/${total} merged`, ...rest.map(([word, count]) => `${count} ${word}`)].join(
    ' · ',
  );
}

/** Tokens with thousands set apart; what is not known is said to be unknown. */
export function tokensText({ total, unknown, costUsd }: TokenSum): string {
  const cost = costUsd === null ? '' : ` ($${costUsd.toFixed(2)})`;
  if (total === null) return `unknown${cost}`;
  const figure = total.toLocaleString('en-US');
  return unknown === 0 ? `${figure}${cost}` : `${figure}${cost} and ${unknown} unknown`;
}

function summary(report: Report): string {
  const { counts, tasks, span, concurrency, tokens, delivery, target } = report;
  const lines = [`- ${countsLine(counts, tasks.length)}`];
  if (span !== null) {
    lines.push(`- ${iso(span.from)} to ${iso(span.to)} (${formatDuration(span.to - span.from)})`);
  }
  if (concurrency !== null) {
    const { used, possible, peak, slots } = concurrency;
    const share = possible > 0 ? ` (${Math.round((100 * used) / possible)} %)` : '';
    lines.push(
      `- concurrency: ${used.toFixed(1)} used of ${possible.toFixed(1)} possible on average${share}, ${peak} at most, ${slots} slots`,
    );
  }
  if (span !== null) lines.push(`- tokens: ${tokensText(tokens)}`);
  lines.push(`- ${target}: ${deliveryText(delivery)}`);
  return lines.join('\n');
}

function deliveryText(delivery: DeliveryReport): string {
  switch (delivery.is) {
    case 'none':
      return 'nothing delivered yet';
    case 'running':
      return `a collect is at work (${delivery.at})`;
    case 'failed':
      return `the last collect was refused at ${iso(delivery.when)}: ${delivery.code}: ${plain(delivery.message)}`;
    case 'landed': {
      const since = delivery.pending === 0 ? '' : `; ${delivery.pending} merged since`;
      return `delivered ${shortCommit(delivery.commit)} at ${iso(delivery.when)}${since}`;
    }
  }
}

function taskTable(tasks: readonly TaskReport[]): string[] {
  if (tasks.length === 0) return [];
  const head = ['Task', 'State', 'Node', 'Attempts', 'Rounds', 'Time', 'Tokens', 'Commit', 'Reason'];
  const rows = tasks.map((task) => [
    task.id,
    task.status,
    task.nodes.join(', ') || '-',
    String(task.attempts),
    task.rounds === null ? '-' : String(task.rounds),
    task.attempts === 0 ? '-' : formatDuration(task.workMs),
    task.attempts === 0 ? '-' : tokensText(task.tokens),
    task.commit === null ? '-' : shortCommit(task.commit),
    task.reason === null ? '' : plain(task.reason),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')];
}

function controlLines({ verify, verdict, note, at }: Control): string[] {
  return [`- ${code(verify)}: ${controlText(verdict)} (${plain(note)}), ${iso(at)}`];
}

/** What a try on a broken copy says of a command, as the end of a sentence that begins with it. */
export function controlText(verdict: ControlVerdict): string {
  switch (verdict) {
    case 'proved':
      return 'goes red on a copy that is broken on purpose';
    case 'red':
      return 'is red on the base already, so nothing can be shown yet';
    case 'nothing':
      return 'has nothing to judge yet: the base holds no file that could be broken';
    case 'blind':
      return 'stays green on a copy that is broken on purpose, so it proves nothing';
    case 'skipped':
      return 'was not tried on a broken copy';
    default:
      return assertNever(verdict);
  }
}

function scopeLines({ task, claimed, actual, outside }: ScopeReport): string[] {
  const changed = actual === null ? 'not recorded' : pathList(actual);
  const beyond = outside.length === 0 ? 'nothing' : pathList(outside);
  return [`- **${task}** claimed ${pathList(claimed)}; changed ${changed}; outside: ${beyond}`];
}

/** Only one that has changed, or under another of which something was made. */
function contractsWorthTelling(contract: ContractReport | null): ContractReport[] {
  return contract === null || (contract.changed === null && contract.outdated.length === 0) ? [] : [contract];
}

function contractLines({ path, changed, outdated }: ContractReport): string[] {
  const stands =
    changed === null
      ? 'the change was accepted'
      : `changed in ${shortCommit(changed.commit)} at ${iso(changed.since)}, and nobody has accepted it`;
  return [
    `- ${code(path)}: ${stands}`,
    ...(outdated.length === 0 ? [] : [`  - made under another one: ${outdated.join(', ')}`]),
  ];
}

/** The plan and the evidence in short; `dispatch logs --notes` has them whole. */
function wordLines({ task, n, plan, evidence, ticked }: AgentWord): string[] {
  const met = ticked === null ? '' : `: ${ticked.met} of ${ticked.of} criteria met`;
  return [
    `- **${task}** attempt ${n}${met}`,
    ...(plan === null ? [] : [`  - plan: ${plain(cutShort(plan))}`]),
    ...(evidence === null ? [] : [`  - evidence: ${plain(cutShort(evidence))}`]),
  ];
}

/** Characters of a plan, and of the evidence, in a line. */
const WORD_CHARS = 300;

function cutShort(text: string): string {
  const characters = Array.from(text);
  return characters.length <= WORD_CHARS ? text : `${characters.slice(0, WORD_CHARS).join('')}…`;
}

function pathList(paths: readonly string[]): string {
  const more = paths.length - PATHS_SHOWN;
  return [...paths.slice(0, PATHS_SHOWN).map(code), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

/** Paths shown in a line; the rest is counted. */
const PATHS_SHOWN = 6;

function refusalLines({ task, n, by, findings }: Refusal): string[] {
  const who = {
    node: 'gates on the node',
    branch: 'gates on the branch',
    merge: 'the gate on the merged tree',
    revert: 'the gate on the tree without it, when it was to be reverted',
  }[by];
  const more = findings.length - FINDINGS_SHOWN;
  return [
    `- **${task}** attempt ${n}, by ${who}`,
    ...findings.slice(0, FINDINGS_SHOWN).map((finding) => `  - ${findingText(finding)}`),
    ...(more > 0 ? [`  - and ${more} more`] : []),
  ];
}

/** Tests shown per gate; the rest is counted. */
const TESTS_SHOWN = 10;

function flakyLines({ verify, runs, flakes, tests }: FlakyGateReport): string[] {
  const more = tests.length - TESTS_SHOWN;
  return [
    `- ${code(verify)}: red, then green on the same commit in ${flakeText(flakes, runs)}`,
    ...tests
      .slice(0, TESTS_SHOWN)
      .map((test) => `  - ${code(test.name)}: ${flakeText(test.flakes, runs)}, last at ${iso(test.last)}`),
    ...(more > 0 ? [`  - and ${more} more`] : []),
  ];
}

/** A line for the clash, and one for each file of it. */
function conflictLines({ task, n, ...clash }: ConflictReport, project: string): string[] {
  const { code: number, conflicts, ours, theirs, times, most } = clash;
  const others = theirs.map((other) => `${other.task} (${plain(other.title)})`).join(', ');
  const against = others === '' ? 'a change from outside' : others;
  const files = conflicts.map(
    ({ path, tasks }) => `  - ${code(path)}${tasks.length > 0 ? ` against ${tasks.join(', ')}` : ''}`,
  );
  return [
    `- **${task}** attempt ${n}: ${number}, ${plain(ours.title)}, against ${against}; ${times} of ${most} times; ${plain(nextText(clash, project))}`,
    ...files.slice(0, FINDINGS_SHOWN),
    ...(files.length > FINDINGS_SHOWN ? [`  - and ${files.length - FINDINGS_SHOWN} more`] : []),
  ];
}

function findingText({ gate, path, line, message, fix }: Finding): string {
  const named = path === null || message.startsWith(path);
  const where = named ? '' : ` ${code(line === null ? path : `${path}:${line}`)}`;
  return `${gate}${where}: ${plain(message)}${fix === null ? '' : ` ${plain(fix)}`}`;
}

function list<T>(title: string, items: readonly T[], lines: (item: T) => string[]): string[] {
  return items.length === 0 ? [] : [title, items.flatMap(lines).join('\n')];
}

function iso(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/u, 'Z');
}

/** Text of an agent or a gate inside Markdown: one line, and no markup, link or HTML of its own. */
export function plain(text: string): string {
  return text
    .replace(/\s+/gu, ' ')
    .trim()
    .replace(/[\\`*_[\]<>|#~]/gu, '\\$&');
}

/** A path as code, whatever it contains: the fence is longer than any run of backticks inside. */
export function code(text: string): string {
  const line = text.replace(/\s+/gu, ' ');
  const longest = Math.max(0, ...[...line.matchAll(/`+/gu)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}
