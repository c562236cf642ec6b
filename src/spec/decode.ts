import type { Problem } from '../model/error.ts';

/** The text of a file's bytes, without a byte order mark; a problem at the first byte that is not UTF-8. */
export function decodeText(bytes: Uint8Array, file: string): { text: string } | { problem: Problem } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    const { line, col, byte } = firstBadByte(bytes);
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    return {
      problem: {
        code: 'E_SPEC_ENCODING',
        severity: 'error',
        file,
        line,
        col,
        message: utf16 ? 'the file is UTF-16, not UTF-8' : 'the file is not UTF-8',
        got: `byte 0x${byte.toString(16).padStart(2, '0')}`,
        fix: utf16
          ? 'save it as UTF-8: iconv -f UTF-16 -t UTF-8'
          : 'save it as UTF-8: iconv -f GB18030 -t UTF-8',
      },
    };
  }
}

/** Halves the text around the fault: a prefix decodes as a stream exactly up to the first bad byte. */
function firstBadByte(bytes: Uint8Array): { line: number; col: number; byte: number } {
  const good = (length: number): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  let low = 0;
  let high = bytes.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (good(middle)) low = middle;
    else high = middle;
  }
  const before = new TextDecoder('utf-8').decode(bytes.subarray(0, low));
  const lines = before.split('\n');
  return { line: lines.length, col: (lines.at(-1)?.length ?? 0) + 1, byte: bytes[low] ?? 0 };
}
