/**
 * Names of files as git has them, which are bytes. Output is always asked for with `-z`, so a name may contain
 * anything but NUL. A name that is not valid UTF-8 becomes text in which each such byte reads `\xHH`: two different
 * names stay different, and no rule for paths takes one for another.
 */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes of a path -> text. */
export function decodePath(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return Array.from(bytes, (byte) =>
      byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
    ).join('');
  }
}

/** Output of a `-z` command -> its fields. The terminator of the last field is not one more empty field. */
export function splitZ(output: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  let from = 0;
  while (from < output.length) {
    const end = output.indexOf(0, from);
    const to = end === -1 ? output.length : end;
    fields.push(output.subarray(from, to));
    from = to + 1;
  }
  return fields;
}

const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  '\\': 92,
};

/** A name in the header of a patch, quoted as C strings are when it needs to be -> its bytes. */
export function unquotePath(bytes: Buffer): Buffer {
  if (bytes[0] !== 0x22) return bytes;
  const text = bytes.toString('latin1');
  const end = text.lastIndexOf('"');
  const plain = text
    .slice(1, end)
    .replace(/\\(?:([0-7]{3})|(.))/g, (_, octal: string | undefined, letter: string | undefined) =>
      String.fromCharCode(octal === undefined ? (ESCAPES[letter ?? ''] ?? 0) : Number.parseInt(octal, 8)),
    );
  return Buffer.from(plain, 'latin1');
}
