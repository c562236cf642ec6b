/** Where everything that a verb says goes: data to stdout in the chosen format, progress and errors to stderr. */
import type { Environment, Terminal } from './environment.ts';
import { type Paint, paintFor } from './render/colour.ts';
import { type Column, renderTable } from './render/table.ts';
import type { Format, Settings } from './settings.ts';

export const SCHEMA = 'dispatch/v1';

export interface Listing<Row> {
  /** Name of the envelope, `TaskList`. */
  readonly kind: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** What `-o name` prints. */
  name(row: Row): string;
  /** What a program gets per row; the row itself by default. */
  json?(row: Row): unknown;
  readonly meta?: Readonly<Record<string, unknown>>;
  /** Lines for a person below the table. */
  readonly below?: readonly string[];
  /** Shown instead of an empty table: what to do next. */
  readonly empty?: string;
}

export class Output {
  readonly format: Format;
  readonly quiet: boolean;
  readonly terminal: Terminal;
  /** Colours of stdout. */
  readonly paint: Paint;
  /** Colours of stderr. */
  readonly notePaint: Paint;
  #streaming = false;

  constructor(environment: Environment, settings: Settings) {
    this.format = settings.output;
    this.quiet = settings.progress === 'quiet';
    this.terminal = environment.stdout;
    this.paint = paintFor(settings.color, environment, environment.stdout);
    this.notePaint = paintFor(settings.color, environment, environment.stderr);
  }

  /** A program reads: no prose on stdout. */
  get machine(): boolean {
    return this.format === 'json' || this.format === 'ndjson';
  }

  /** Data as it is. */
  write(text: string): void {
    process.stdout.write(text);
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** Progress, hints and what a person should know; silent with --quiet. */
  note(text: string): void {
    if (!this.quiet) process.stderr.write(`${text}\n`);
  }

  /** One object, in the envelope that every JSON answer has. */
  envelope(kind: string, data: unknown, meta: Readonly<Record<string, unknown>> = {}): void {
    this.line(JSON.stringify({ schema: SCHEMA, kind, data, meta }));
  }

  /** One line of a stream; the first one names the schema. */
  event(kind: string, data: unknown): void {
    if (!this.#streaming) {
      this.#streaming = true;
      this.line(JSON.stringify({ type: 'version', schema: SCHEMA }));
    }
    this.line(JSON.stringify({ type: kind, data }));
  }

  list<Row>(listing: Listing<Row>): void {
    const { rows, kind } = listing;
    const json = (row: Row): unknown => listing.json?.(row) ?? row;
    if (this.format === 'json') return this.envelope(kind, rows.map(json), listing.meta);
    if (this.format === 'ndjson') {
      const item = kind.replace(/List$/u, '');
      for (const row of rows) this.event(item, json(row));
      return;
    }
    if (this.format === 'name') {
      for (const row of rows) this.line(listing.name(row));
      return;
    }
    if (rows.length === 0 && listing.empty !== undefined) return this.note(listing.empty);
    this.write(this.table(listing));
    for (const line of listing.below ?? []) this.line(line);
  }

  table<Row>({ rows, columns }: Pick<Listing<Row>, 'rows' | 'columns'>): string {
    const shown = columns.filter(({ wide }) => wide !== true || this.format === 'wide');
    return renderTable(rows, shown, this.terminal, this.paint);
  }
}
