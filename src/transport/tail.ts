/** Keeps the end of what was written, for messages to people: bounded, and without control characters. */
export class Tail {
  #text = '';
  readonly #limit: number;

  /** @param limit characters kept. */
  constructor(limit = 4096) {
    this.#limit = limit;
  }

  push(bytes: Buffer): void {
    this.#text = (this.#text + bytes.toString('utf8')).slice(-this.#limit);
  }

  /** What is kept, safe to print: escape sequences and control characters other than line ends are gone. */
  text(): string {
    return printable(this.#text).trim();
  }
}

const ESC = String.fromCharCode(0x1b);
const BEL = String.fromCharCode(0x07);
/** CSI and OSC sequences. */
const SEQUENCES = new RegExp(
  `${ESC}\\[[0-9;?]*[ -/]*[@-~]|${ESC}\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)?`,
  'g',
);
/** Control characters other than tab and line feed. */
const CONTROLS = /[^\P{Cc}\t\n]/gu;

/** Text from another machine made safe for a terminal. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(SEQUENCES, '').replaceAll(CONTROLS, '');
}
