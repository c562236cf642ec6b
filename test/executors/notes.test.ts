import { expect, test } from 'vitest';
import { cleanNotes } from '../../src/executors/notes.ts';

// Put together here, so that this file itself contains none.
const KEY = `AKIA${'QW3ERT7YUI2OPASD'}`;

test('what an agent says is kept without control characters and without what it should not repeat', () => {
  const pem = `-----BEGIN ${'RSA PRIVATE'} KEY-----\nMIIEvQIBADANBgkqhki\n-----END RSA PRIVATE KEY-----`;
  const notes = cleanNotes(
    {
      plan: `\u001b[31mfirst\u001b[0m a\r\n\u202eb\n`,
      evidence: `key ${KEY}, pass s3cr3t-value\n${pem}\nend`,
    },
    ['s3cr3t-value', 'a'],
  );
  expect(notes).toEqual({
    plan: 'first a\nb',
    evidence: 'key [redacted: an AWS access key], pass [redacted]\n[redacted: a private key]\nend',
  });
});

test('no more is kept than a person reads, and a key at the cut is gone all the same', () => {
  const long = `${'x '.repeat(1500)}\n`.repeat(20);
  const notes = cleanNotes({ plan: `${long}${KEY}\n${long}`, evidence: long });
  expect(notes?.plan?.length).toBeLessThanOrEqual(4096);
  expect(notes?.evidence?.length).toBeLessThanOrEqual(8192);
  expect(JSON.stringify(notes)).not.toContain(KEY.slice(0, 10));
});

test('blank notes are none', () => {
  expect(cleanNotes({ plan: ' \n', evidence: null })).toBeNull();
});
