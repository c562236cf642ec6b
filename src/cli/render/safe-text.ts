/**
 * Text that came from a node, an agent or a repository, made safe for a terminal. A terminal obeys what it is sent: an
 * agent's output could retitle the window, rewrite what was printed above, answer a question in the user's place or
 * put text into the clipboard. So escape sequences and control characters are removed, and so are the marks that
 * reverse the direction of text, which make a path read as another one.
 *
 * Newline and tab stay. A carriage return becomes a newline: a progress bar shows as lines instead of erasing itself.
 */
export function safeText(text: string): string {
  return new SafeText().push(text);
}

/** As safeText, on one line: for a cell of a table or a message. */
export function safeLine(text: string): string {
  return safeText(text)
    .replace(/\s*[\n\t]+\s*/gu, ' ')
    .trim();
}

// An escape sequence that never ends must not swallow the rest of a log.
const LONGEST_STRING = 4096;

type Place =
  | 'text'
  | 'escape'
  /** ESC followed by intermediate bytes, such as `ESC ( B`. */
  | 'escape-more'
  /** Control sequence: parameters until a final byte. */
  | 'csi'
  /** OSC, DCS, SOS, PM, APC: a string until BEL or ST. */
  | 'string'
  | 'string-escape';

/** The same for text that arrives in pieces: a sequence may be cut anywhere. */
export class SafeText {
  #place: Place = 'text';
  #length = 0;
  #afterReturn = false;

  push(text: string): string {
    let safe = '';
    for (const char of text) safe += this.#step(char);
    return safe;
  }

  #step(char: string): string {
    const code = char.codePointAt(0) ?? 0;
    switch (this.#place) {
      case 'text':
        return this.#text(char, code);
      case 'escape':
        this.#place = afterEscape(char, code);
        return this.#place === 'text' && code === 0x0a ? char : '';
      case 'escape-more':
        if (code < 0x20 || code > 0x2f) this.#place = 'text';
        return '';
      case 'csi':
        if (code >= 0x20 && code <= 0x3f) return '';
        this.#place = 'text';
        // A byte that cannot be part of the sequence ends it, and is text of its own unless it is its final byte.
        return code >= 0x40 && code <= 0x7e ? '' : this.#text(char, code);
      default:
        return this.#string(char, code);
    }
  }

  #text(char: string, code: number): string {
    const followsReturn = this.#afterReturn;
    this.#afterReturn = char === '\r';
    if (char === '\r') return '\n';
    if (char === '\n') return followsReturn ? '' : char;
    if (char === '\t') return char;
    if (code === 0x1b) this.#place = 'escape';
    else if (code === 0x9b) this.#place = 'csi';
    else if (startsString(code)) this.#enterString();
    else if (isPrintable(code)) return char;
    return '';
  }

  #string(char: string, code: number): string {
    this.#length += 1;
    const ended =
      code === 0x07 ||
      code === 0x9c ||
      char === '\n' ||
      this.#length > LONGEST_STRING ||
      this.#place === 'string-escape';
    if (ended) {
      this.#place = 'text';
      return char === '\n' ? char : '';
    }
    if (code === 0x1b) this.#place = 'string-escape';
    return '';
  }

  #enterString(): void {
    this.#place = 'string';
    this.#length = 0;
  }
}

function afterEscape(char: string, code: number): Place {
  if (char === '[') return 'csi';
  if (char === ']' || char === 'P' || char === 'X' || char === '^' || char === '_') return 'string';
  if (code >= 0x20 && code <= 0x2f) return 'escape-more';
  if (code === 0x1b) return 'escape';
  return 'text';
}

function startsString(code: number): boolean {
  return code === 0x90 || code === 0x98 || code === 0x9d || code === 0x9e || code === 0x9f;
}

function isPrintable(code: number): boolean {
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false;
  const direction = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  const mark = code === 0x200e || code === 0x200f || code === 0x061c || code === 0xfeff;
  const separator = code === 0x2028 || code === 0x2029;
  const tag = code >= 0xe0000 && code <= 0xe007f;
  return !direction && !mark && !separator && !tag;
}
