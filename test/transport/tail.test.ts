import { describe, expect, it } from 'vitest';
import { printable, Tail } from '../../src/transport/tail.ts';

describe('text from another machine', () => {
  it('reaches a terminal without escape sequences and control characters', () => {
    expect(printable('\u001B[31mred\u001B[0m \u001B]0;title\u0007x\u0008\u0000y\r\n目标\tz')).toBe(
      'red xy\n目标\tz',
    );
    expect(printable('\u001B]52;c;ZXZpbA==\u001B\\after')).toBe('after');
  });

  it('is kept to its last part, however much comes', () => {
    const tail = new Tail(10);
    for (let i = 0; i < 100; i += 1) tail.push(Buffer.from(`line ${i}\n`));
    expect(tail.text()).toBe('8\nline 99');
  });
});
