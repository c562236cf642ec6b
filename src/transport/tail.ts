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

/** CSI and OSC sequences, then what is left of the control characters; tab and line feed stay. */
const SEQUENCES = new RegExp(
  '\\u001B\\[[0-9;?]*[ -/]*[@-~]|\\u001B\\][^\\u0007\\u001B]*(?:\\u0007|\\u001B\\\\)?',
  'g',
);
const CONTROLS = new RegExp('[\\u0000-\\u0008\\u000B-\\u001F\\u007F-\\u009F]', 'g');

/** Text from another machine made safe for a terminal. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(SEQUENCES, '').replaceAll(CONTROLS, '');
}
