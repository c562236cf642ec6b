/** The page as one HTML file that needs nothing else: style and charts are inside, there is no script, all text is escaped. */
import type { Language } from '../../../model/language.ts';
import type { DailyReport } from '../model.ts';
import { type Block, type Card, type Cell, type Page, pageOf, type Section, type Table } from '../page.ts';
import { chartFigure } from './charts.ts';
import { type Markup, markup } from './markup.ts';
import { STYLE } from './style.ts';

/** Nothing is loaded, whatever a text manages to say. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** The report as an HTML document. */
export function dailyHtml(report: DailyReport, language: Language): string {
  const page = pageOf(report, language);
  const title = `${page.title} · ${page.dates}`;
  return markup`<!doctype html>
<html lang="${page.format.words.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header><span class="kind">${page.title}</span><h1>${page.dates}</h1>${page.asOf === null ? null : markup`<span class="asof">${page.asOf}</span>`}</header>
<p class="lead">${page.lead}</p>
<div class="cards">${page.cards.map(cardBox)}</div>
${paired(page.sections).map((group) => (group.length === 1 ? group.map((one) => sectionBox(one, page)) : markup`<div class="pair">${group.map((one) => sectionBox(one, page))}</div>`))}
<footer>${page.footer}</footer>
</main>
</body>
</html>
`.html;
}

/** Neighbours that need half of the width stand side by side. */
function paired(sections: readonly Section[]): Section[][] {
  const groups: Section[][] = [];
  for (const section of sections) {
    const last = groups.at(-1);
    if (section.narrow === true && last?.length === 1 && last[0]?.narrow === true) last.push(section);
    else groups.push([section]);
  }
  return groups;
}

function cardBox({ label, value, note, change, trend }: Card): Markup {
  return markup`<div class="card"><h2>${label}</h2><b>${value}</b>${note === '' ? null : markup`<small>${note}</small>`}${change === null ? null : markup`<small class="${change.tone}">${change.text}</small>`}${spark(trend)}</div>
`;
}

/** The last days as bars; what it shows is in the table of days. */
function spark(trend: Card['trend']): Markup | null {
  const most = Math.max(0, ...trend.map((value) => value ?? 0));
  if (trend.length < 2 || most === 0) return null;
  const step = 100 / Math.max(7, trend.length);
  const bars = trend.map((value, index) => {
    const height = Math.max(1, ((value ?? 0) / most) * 20);
    const place = 100 - (trend.length - index) * step;
    return markup`<rect class="${index === trend.length - 1 ? 'last' : 'day'}" x="${place}" y="${20 - height}" width="${step - 2}" height="${height}"/>`;
  });
  return markup`<svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">${bars}</svg>`;
}

function sectionBox({ id, title, blocks }: Section, page: Page): Markup {
  return markup`<section id="${id}"><h2>${title}</h2>
${blocks.map((block) => blockBox(block, page))}</section>
`;
}

function blockBox(block: Block, page: Page): Markup {
  switch (block.is) {
    case 'text':
      return markup`<p class="${block.tone ?? 'plain'}">${block.text}</p>
`;
    case 'list':
      return markup`<ul>${block.items.map((item) => markup`<li>${item}</li>`)}</ul>
`;
    case 'heading':
      return markup`<h3>${block.text}${block.note === null ? null : markup`<span>${block.note}</span>`}</h3>
`;
    case 'commands':
      return markup`<ol class="todo">${block.items.map(({ command, next, purpose }) => markup`<li><div><code>${command}</code>${next === undefined ? null : markup`<code>${next}</code>`}<small>${purpose}</small></div></li>`)}</ol>
`;
    case 'parts':
      return partsBox(block);
    case 'chart':
      return chartFigure(block, page, tableBox(block.table, page));
    case 'table':
      return tableBox(block, page);
  }
}

function partsBox({ title, parts }: Extract<Block, { is: 'parts' }>): Markup {
  const whole = parts.reduce((sum, { value }) => sum + value, 0);
  const bars = parts.map(
    ({ value, tone }) =>
      markup`<i class="f-${tone}" style="flex:${(value / Math.max(1, whole)) * 1000}"></i>`,
  );
  const keys = parts.map(
    ({ label, text, tone }) => markup`<span><i class="f-${tone}"></i>${label} ${text}</span>`,
  );
  return markup`${title === '' ? null : markup`<h4>${title}</h4>`}<div class="parts" aria-hidden="true">${bars}</div><p class="keys">${keys}</p>
`;
}

function tableBox({ title, columns, rows, more }: Table, { format }: Page): Markup {
  const heads = columns.map(
    ({ label, figure }) =>
      markup`<th scope="col"${figure === true ? markup` class="num"` : null}>${label}</th>`,
  );
  const lines = rows.map(
    (row) => markup`<tr>${row.map((cell, index) => cellBox(cell, columns[index]?.figure === true))}</tr>
`,
  );
  return markup`${title === null ? null : markup`<h4>${title}</h4>`}<table><thead><tr>${heads}</tr></thead><tbody>
${lines}</tbody></table>${more > 0 ? markup`<p class="more">${format.words.more(more)}</p>` : null}
`;
}

/** Commits and names of tasks up to this length are not broken into lines. */
const WHOLE = 24;

function cellBox({ text, code, tone, share }: Cell, isFigure: boolean): Markup {
  const isShort = code === true && text.length <= WHOLE;
  const names = [
    isFigure ? 'num' : '',
    code === true ? 'code' : '',
    isShort ? 'whole' : '',
    tone ?? '',
  ].filter((name) => name !== '');
  const gauge =
    share === undefined
      ? null
      : markup`<span class="gauge" aria-hidden="true"><i style="width:${Math.min(100, 100 * share)}%"></i></span>`;
  const words =
    code === true && text !== ''
      ? markup`<code>${text}</code>`
      : gauge === null
        ? markup`${text}`
        : markup`<span class="beside">${text}</span>`;
  return markup`<td${names.length === 0 ? null : markup` class="${names.join(' ')}"`}>${gauge}${words}</td>`;
}
