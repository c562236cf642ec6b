/**
 * A path as a person or an agent may read it. Control characters, quotes, backslashes, characters that hide or turn
 * text and a leading dash are escaped as in a JSON string, so that a file's name can neither draw on a terminal, nor
 * pretend to be another line of a report, nor be taken for an option when it is copied.
 */
export function showPath(path: string): string {
  const escaped = path.replace(
    UNSAFE,
    (char) => ESCAPES[char] ?? `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
  return escaped === path && !path.startsWith('-') && path === path.trim() && path !== ''
    ? path
    : `"${escaped}"`;
}

// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u00a0"\\\u00ad\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu;
const ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};
