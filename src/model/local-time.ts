/** What clocks and calendars on the wall show in a time zone. */

export interface WallTime {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

/** One is dear to make, and zones are few. */
const formats = new Map<string, Intl.DateTimeFormat>();

export class LocalTime {
  readonly #format: Intl.DateTimeFormat;

  constructor(timezone: string) {
    this.#format = formats.get(timezone) ?? formatOf(timezone);
    formats.set(timezone, this.#format);
  }

  /** @param instant wall clock, milliseconds. */
  at(instant: number): WallTime {
    const wall = { year: 0, month: 0, day: 0, hour: 0, minute: 0 };
    for (const { type, value } of this.#format.formatToParts(new Date(instant))) {
      if (type in wall) wall[type as keyof WallTime] = Number(value);
    }
    return wall;
  }

  /** `2026-11-20`. */
  date(instant: number): string {
    const { year, month, day } = this.at(instant);
    return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  }
}

/** With two digits. */
export function two(figure: number): string {
  return String(figure).padStart(2, '0');
}

function formatOf(timezone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
}
