/** The page as Markdown: for a terminal, for git, for a message. */
import { code, plain } from '../markdown.ts';
import { clean } from './clean.ts';
import type { Language } from '../../model/language.ts';
import type { DailyReport } from './model.ts';
import { type Block, type Card, type Cell, type Page, pageOf, type Table, type Typed } from './page.ts';

/** The report as Markdown, ended by a newline. */
export function dailyMarkdown(report: DailyReport, language: Language): string {
  const page = pageOf(report, language);
  const parts = [
    `# ${page.title} · ${page.dates}`,
    ...(page.asOf === null ? [] : [`*${page.asOf}*`]),
    plain(page.lead),
    cardTable(page),
    ...page.sections.flatMap(({ title, blocks }) => [
      `## ${title}`,
      ...blocks.flatMap((block) => written(block, page)),
    ]),
    `*${page.footer}*`,
  ];
  return `${clean(parts.filter((part) => part !== '').join('\n\n'))}\n`;
}

function cardTable({ cards }: Page): string {
  return cards.map((card) => `- ${cardLine(card)}`).join('\n');
}

function cardLine({ label, value, note, change }: Card): string {
  const more = [note, change?.text ?? ''].filter((text) => text !== '').join('; ');
  return `**${label}**: ${value}${more === '' ? '' : ` (${more})`}`;
}

function written(block: Block, page: Page): string[] {
  switch (block.is) {
    case 'text':
      return [plain(block.text)];
    case 'list':
      return [block.items.map((item) => `- ${plain(item)}`).join('\n')];
    case 'heading':
      return [`### ${plain(block.text)}`, ...(block.note === null ? [] : [plain(block.note)])];
    case 'commands':
      return [block.items.map(typed).join('\n')];
    case 'parts': {
      const parts = block.parts.map(({ label, text }) => `${plain(label)} ${text}`).join(' · ');
      return [block.title === '' ? parts : `${block.title}: ${parts}`];
    }
    case 'chart':
      return block.line === null ? [] : [sparkline(block.title, block.line)];
    case 'table':
      return [...(block.title === null ? [] : [`**${block.title}**`]), tableText(block, page)];
  }
}

function typed({ command, next, purpose }: Typed): string {
  return `- ${[command, ...(next === undefined ? [] : [next])].map(code).join(', ')}: ${plain(purpose)}`;
}

const HEIGHTS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** `**Throughput** 00:00 ▂▃▁█ 23:00, most 32`; nothing at all is a blank. */
function sparkline(
  title: string,
  { from, to, values, most }: NonNullable<Extract<Block, { is: 'chart' }>['line']>,
): string {
  const highest = Math.max(...values);
  const height = (value: number): string =>
    value === 0 ? '\u2007' : (HEIGHTS[Math.ceil((value / highest) * HEIGHTS.length) - 1] ?? '');
  return `**${title}** ${from} ${values.map(height).join('')} ${to} (max ${most})`;
}

function tableText({ columns, rows, more }: Table, { format }: Page): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    line(columns.map(({ label }) => label)),
    line(columns.map(({ figure }) => (figure === true ? '---:' : '---'))),
    ...rows.map((row) => line(row.map(cellText))),
  ];
  return [lines.join('\n'), ...(more > 0 ? [format.words.more(more)] : [])].join('\n\n');
}

/** A bar inside a cell of a table would end it. */
function cellText({ text, code: isCode }: Cell): string {
  if (text === '') return '';
  return isCode === true && !text.includes('|') ? code(text) : plain(text);
}
