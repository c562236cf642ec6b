import type { StatusWord } from '../../schedule/status.ts';
import type { Paint } from '../render/colour.ts';

/** A symbol and a colour per word; the word itself is always shown, so neither carries the meaning alone. */
const LOOK: Readonly<
  Record<StatusWord, { symbol: string; colour: 'green' | 'red' | 'yellow' | 'cyan' | 'dim' }>
> = {
  waiting: { symbol: '·', colour: 'dim' },
  locked: { symbol: '≡', colour: 'yellow' },
  ready: { symbol: '○', colour: 'dim' },
  running: { symbol: '▶', colour: 'cyan' },
  gating: { symbol: '◆', colour: 'cyan' },
  review: { symbol: '?', colour: 'yellow' },
  conflict: { symbol: '!', colour: 'yellow' },
  merged: { symbol: '✔', colour: 'green' },
  reverted: { symbol: '↶', colour: 'yellow' },
  failed: { symbol: '✘', colour: 'red' },
  blocked: { symbol: '■', colour: 'red' },
  cancelled: { symbol: '–', colour: 'dim' },
};

export function wordWithSymbol(word: StatusWord): string {
  return `${LOOK[word].symbol} ${word}`;
}

export function paintWord(paint: Paint, word: StatusWord): (text: string) => string {
  return paint[LOOK[word].colour];
}
