/**
 * Text of agents, gates and people without what a page, a file or a terminal would obey instead of showing: control
 * characters but newline and tab, and the marks that turn the direction of text round.
 */
export function clean(text: string): string {
  return text.replace(OBEYED, '');
}

// oxlint-disable-next-line no-control-regex -- control characters are exactly what is removed
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
