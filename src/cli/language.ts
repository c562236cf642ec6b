import { DispatchError } from '../model/error.ts';
import { type Language, LANGUAGES, languageOf } from '../model/language.ts';
import { nearest } from '../spec/nearest.ts';
import type { Environment } from './environment.ts';

/**
 * The language of a report: the flag's, then DISPATCH_LANG's, then dispatch.yaml's, then the locale's, then English.
 * @throws DispatchError E_USAGE or E_CONFIG for a language that there is not.
 */
export function chooseLanguage(
  { variables }: Environment,
  said: { readonly flag?: string; readonly file: Language | null },
): Language {
  if (said.flag !== undefined) return named(said.flag, '--lang');
  if (variables.DISPATCH_LANG !== undefined) return named(variables.DISPATCH_LANG, 'DISPATCH_LANG');
  return said.file ?? languageOf(variables.LC_ALL ?? variables.LANG ?? '') ?? 'en';
}

function named(text: string, where: '--lang' | 'DISPATCH_LANG'): Language {
  const language = languageOf(text);
  if (language !== null) return language;
  const near = nearest(text, LANGUAGES);
  throw new DispatchError(
    where === '--lang' ? 'E_USAGE' : 'E_CONFIG',
    `${JSON.stringify(text)} is not a language of reports`,
    { where, fix: near === null ? `one of ${LANGUAGES.join(', ')}` : `did you mean ${near}?` },
  );
}
