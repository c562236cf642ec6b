import type { Cell, Table } from './page.ts';

/** Rows of any table; the rest is counted. */
export const ROWS = 12;

/** Nothing when there are no rows. */
export function table(
  title: string | null,
  columns: Table['columns'],
  rows: readonly (readonly Cell[])[],
): Table[] {
  return newest(title, columns, { items: rows.toReversed(), most: ROWS }, (row) => row);
}

/** A row for each of the last `most` items, or one more, the last one first; nothing when there are none. */
export function newest<T>(
  title: string | null,
  columns: Table['columns'],
  { items, most }: { readonly items: readonly T[]; readonly most: number },
  cells: (item: T) => readonly Cell[],
): Table[] {
  if (items.length === 0) return [];
  // One left out would be told in a line of its own, which takes the same room.
  const shown = items.length === most + 1 ? items : items.slice(-most);
  const rows = shown.toReversed().map(cells);
  return [{ is: 'table', title, columns, rows, more: items.length - rows.length }];
}

export function left(label: string): Table['columns'][number] {
  return { label };
}

/** A column of figures. */
export function right(label: string): Table['columns'][number] {
  return { label, figure: true };
}
