import { FIRST } from './0001-first.ts';

/**
 * The way from an empty file to the present schema; the position of an entry plus one is its version. Entries are
 * never edited once released. A new kind of fact needs an entry too, if only an empty one: the number is what keeps an
 * older program from replaying events that it does not know.
 */
export const MIGRATIONS: readonly string[] = [FIRST];
