/** Apart, so that the parser is loaded only when a configuration file exists. */
import { parseDocument } from 'yaml';

/** The content of a YAML text, or what is wrong with it in one line. */
export function readYaml(text: string): { readonly content: unknown } | { readonly problem: string } {
  const document = parseDocument(text);
  const [broken] = document.errors;
  if (broken !== undefined) return { problem: broken.message.split('\n')[0] ?? broken.code };
  return { content: document.toJS({ maxAliasCount: 10 }) as unknown };
}
