/** Figures and moments as people in a language and a time zone write them. */
import { en, enSpan } from './messages/en.ts';
import type { Language } from '../../model/language.ts';
import type { Messages } from './messages/messages.ts';
import { zh, zhSpan } from './messages/zh.ts';

const MESSAGES: Readonly<Record<Language, Messages>> = { en, zh };

export class Formats {
  readonly words: Messages;
  readonly #language: Language;
  readonly #timezone: string;
  readonly #count: Intl.NumberFormat;
  readonly #compact: Intl.NumberFormat;
  readonly #clock: Intl.DateTimeFormat;
  readonly #date: Intl.DateTimeFormat;
  readonly #weekday: Intl.DateTimeFormat;

  constructor(language: Language, timezone: string) {
    this.words = MESSAGES[language];
    this.#language = language;
    this.#timezone = timezone;
    const { locale } = this.words;
    this.#count = new Intl.NumberFormat(locale);
    // British English writes millions as a small m, which elsewhere means a thousandth.
    const short = language === 'en' ? 'en-US' : locale;
    this.#compact = new Intl.NumberFormat(short, { notation: 'compact', maximumSignificantDigits: 3 });
    this.#clock = this.#calendar({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    this.#date = this.#calendar({ month: 'short', day: 'numeric' });
    this.#weekday = this.#calendar({ weekday: 'short', day: 'numeric', month: 'short' });
  }

  count(figure: number): string {
    return this.#count.format(figure);
  }

  /** At most one digit after the point. */
  decimal(figure: number): string {
    return figure >= 100 ? this.count(Math.round(figure)) : String(Math.round(figure * 10) / 10);
  }

  compact(figure: number): string {
    return this.#compact.format(figure);
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
    return this.decimal(ms / 3_600_000);
  }

  /** `19:02`. */
  clock(at: number): string {
    return this.#clock.format(new Date(at));
  }

  /** Day and time. */
  moment(at: number): string {
    return `${this.#date.format(new Date(at))} ${this.clock(at)}`;
  }

  /** A day in full. @param at any instant of it. */
  day(at: number): string {
    const parts = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' } as const;
    return this.#calendar(parts).format(new Date(at));
  }

  shortDay(at: number): string {
    return this.#weekday.format(new Date(at));
  }

  #calendar(parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    return new Intl.DateTimeFormat(this.words.locale, { ...parts, timeZone: this.#timezone });
  }
}
