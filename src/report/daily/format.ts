/**
 * Figures and moments as people in a language and a time zone write them. Names of days and months are our own words, and
 * not those of the ICU that a Node happens to have: the same log makes the same text everywhere.
 */
import type { Language } from '../../model/language.ts';
import { LocalTime, two } from '../../model/local-time.ts';
import { en, enSpan } from './messages/en.ts';
import type { Messages } from './messages/messages.ts';
import { zh, zhSpan } from './messages/zh.ts';

export const HOUR_MS = 3_600_000;

const MESSAGES: Readonly<Record<Language, Messages>> = { en, zh };

export class Formats {
  readonly words: Messages;
  readonly #language: Language;
  readonly #local: LocalTime;

  constructor(language: Language, timezone: string) {
    this.words = MESSAGES[language];
    this.#language = language;
    this.#local = new LocalTime(timezone);
  }

  count(figure: number): string {
    return figure.toLocaleString('en-US');
  }

  /** At most one digit after the point; two digits of what is less than one. */
  decimal(figure: number): string {
    if (figure < 1) return String(Number(figure.toPrecision(2)));
    return figure >= 100 ? this.count(Math.round(figure)) : String(Math.round(figure * 10) / 10);
  }

  /** Three digits and a unit: `6.69M`. */
  compact(figure: number): string {
    const unit = this.words.units.find(({ of }) => figure >= of);
    const digits = Number((figure / (unit?.of ?? 1)).toPrecision(3));
    return `${digits}${unit?.name ?? ''}`;
  }

  /** `38 %`; unknown of nothing. */
  share(part: number, whole: number): string {
    return whole === 0 ? this.words.unknown : `${Math.round((100 * part) / whole)} %`;
  }

  money(dollars: number | null): string {
    if (dollars === null) return this.words.unknown;
    return `$${dollars.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  }

  tokens(count: number | null): string {
    return count === null ? this.words.unknown : this.compact(count);
  }

  span(ms: number): string {
    return this.#language === 'zh' ? zhSpan(ms) : enSpan(ms);
  }

  /** Slot-hours. */
  hours(ms: number): string {
    return this.decimal(ms / HOUR_MS);
  }

  /** `19:02`, or `19:02:07`. */
  clock(at: number, withSeconds = false): string {
    const { hour, minute } = this.#local.at(at);
    // No zone is off by parts of a minute any more.
    const seconds = withSeconds ? `:${two(Math.floor(at / 1000) % 60)}` : '';
    return `${two(hour)}:${two(minute)}${seconds}`;
  }

  /** Day and time. */
  moment(at: number): string {
    const { month, day } = this.#local.at(at);
    return `${this.words.calendar.date(month, day)} ${this.clock(at)}`;
  }

  /** A day in full. @param at any instant of it. */
  day(at: number): string {
    const { year, month, day } = this.#local.at(at);
    return this.words.calendar.full(year, month, day, weekdayOf(year, month, day));
  }

  shortDay(at: number): string {
    const { year, month, day } = this.#local.at(at);
    return this.words.calendar.short(month, day, weekdayOf(year, month, day));
  }
}

/** Sunday is 0. */
function weekdayOf(year: number, month: number, day: number): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay();
}
