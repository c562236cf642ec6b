/** Languages in which reports are written. */
export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The language that a locale's name begins with, `zh_CN.UTF-8`; null when it is none of ours. */
export function languageOf(locale: string): Language | null {
  const [name] = locale.toLowerCase().split(/[._@-]/u);
  return LANGUAGES.find((language) => language === name) ?? null;
}
