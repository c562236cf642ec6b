/** HTML and SVG as a value: whatever is put into it is escaped, unless it is markup itself. */
import { clean } from '../clean.ts';

export class Markup {
  readonly html: string;

  constructor(html: string) {
    this.html = html;
  }
}

type Piece = string | number | Markup | null | readonly Piece[];

export function markup(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(strings.reduce((html, text, index) => html + rendered(pieces[index - 1] ?? null) + text));
}

function rendered(piece: Piece): string {
  if (piece === null) return '';
  if (piece instanceof Markup) return piece.html;
  if (typeof piece === 'number') return String(Math.round(piece * 100) / 100);
  if (typeof piece !== 'string') return piece.map(rendered).join('');
  return clean(piece).replace(/[&<>"']/gu, (char) => `&#${char.charCodeAt(0)};`);
}
