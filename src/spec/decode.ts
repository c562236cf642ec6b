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

/** Where the first sequence begins that is no character: found by halving, since prefixes decode up to the fault. */
function firstBadByte(bytes: Uint8Array): { line: number; col: number; byte: number } {
  let low = 0;
  let high = bytes.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (decodes(bytes.subarray(0, middle), { stream: true })) low = middle;
    else high = middle;
  }
  // A stream may end inside of a character: the fault is where that character begins.
  while (low > 0 && !decodes(bytes.subarray(0, low), { stream: false })) low--;
  const lines = new TextDecoder('utf-8').decode(bytes.subarray(0, low)).split('\n');
  return { line: lines.length, col: (lines.at(-1)?.length ?? 0) + 1, byte: bytes[low] ?? 0 };
}

function decodes(bytes: Uint8Array, options: { stream: boolean }): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, options);
    return true;
  } catch {
    return false;
  }
}
