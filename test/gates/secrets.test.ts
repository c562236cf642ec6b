import { describe, expect, test } from 'vitest';
import { redactSecrets, secretFindings, withoutSecrets } from '../../src/gates/secrets.ts';
import { lines } from './build.ts';

// Put together here, so that this file itself contains none.
const KEYS: readonly (readonly [string, string])[] = [
  ['an AWS access key', `AKIA${'QW3ERT7YUI2OPASD'}`],
  ['a GitHub token', `ghp_${'a8Fk2Lq9Zx7Cv5Bn3Mm1Qw4Er6Ty8Ui0Op2As'}`.slice(0, 40)],
  ['a GitLab token', `glpat-${'Xk29sLq0ZmNv73TyUwBe'}`],
  ['a Slack token', `xoxb-${'730191371969-8162093115602-kQw7ZxCvB3nMa9SdFgHjKl2P'}`],
  ['a Stripe key', `sk_live_${'51Hq8ZkLw2Xc9Vb3Nm7Qa4Ws'}`],
  ['an Anthropic key', `sk-ant-api03-${'aZ9xQ2wE7rT4yU1iO8pL5kJ3hG6fD0sA-bNvCmXzQwErTy'}`],
  ['an OpenAI key', `sk-proj-${'aZ9xQ2wE7rT4yU1iO8pL5kJ3hG6fD0sAbNvCmXzQwErTy'}`],
  ['a Google API key', `AIza${'SyD9kLq2Zx7Cv5Bn3Mm1Qw4Er6Ty8Ui0OpA'}`],
];

describe('keys that open something', () => {
  test.each(KEYS)('%s is found and never repeated', (is, key) => {
    const [finding, ...others] = secretFindings(lines('src/a.ts', `const key = '${key}';`), []);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ gate: 'content', path: 'src/a.ts', line: 1 });
    expect(finding?.message).toContain(is);
    expect(JSON.stringify(finding)).not.toContain(key.slice(5));
  });

  test('a private key is found by its body, on the same line or the next', () => {
    const body = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7';
    const begin = `-----BEGIN ${'RSA PRIVATE'} KEY-----`;
    expect(secretFindings(lines('id', `${begin}\n${body}`), [])[0]?.message).toContain('a private key');
    expect(secretFindings(lines('a.ts', `x = "${begin}\\n${body}"`), [])).toHaveLength(1);
    expect(secretFindings(lines('a.ts', `if (text.startsWith('${begin}')) {\n  parse(text);`), [])).toEqual(
      [],
    );
  });

  test.each([
    `AKIA${'IOSFODNN7EXAMPLE'}`,
    `ghp_${'x'.repeat(36)}`,
    `sk_test_${'123456789012345678901234'}`,
    'sk-learn and hf_hub are names',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  ])('%j is none', (text) => {
    expect(secretFindings(lines('docs/a.md', text), [])).toEqual([]);
  });

  test('one that opens nothing may be allowed, with a reason', () => {
    const [, [, key]] = KEYS as [unknown, readonly [string, string]];
    const allow = [{ path: 'test/**', text: key.slice(0, 10), reason: 'a revoked one' }];
    expect(secretFindings(lines('test/a.ts', key), allow)).toEqual([]);
    expect(secretFindings(lines('src/a.ts', key), allow)).toHaveLength(1);
  });
});

describe('text that leaves a machine', () => {
  test.each(KEYS)('has no %s in it', (is, key) => {
    const mark = `[redacted: ${is}]`;
    expect(withoutSecrets(`curl -u ${key} x ${key}`)).toBe(`curl -u ${mark} x ${mark}`);
    expect(redactSecrets(`see ${key}`)).toBe(`see ${mark}`);
  });

  test.each([
    ['curl -H "Authorization: Bearer abcdef123456" x', 'curl -H "Authorization: Bearer [redacted]" x'],
    ['agent --api-key qwertyuiop --model big', 'agent --api-key [redacted] --model big'],
    ['GLM_API_KEY=qwertyuiop run', 'GLM_API_KEY=[redacted] run'],
    ['{"token": "qwertyuiop"}', '{"token": "[redacted]"}'],
    ['npm test -- --tokens 12', 'npm test -- --tokens 12'],
    ['input_tokens: 1200', 'input_tokens: 1200'],
    ['AKIAIOSFODNN7EXAMPLE', '[redacted: an AWS access key]'],
    [`-----BEGIN ${'RSA PRIVATE'} KEY----- MIIEow`, '[redacted: a private key]'],
  ])('%j becomes %j', (text, clean) => {
    expect(withoutSecrets(text)).toBe(clean);
  });

  test('of a person keeps examples and prose', () => {
    const prose = 'the password handling of AKIAIOSFODNN7EXAMPLE';
    expect(redactSecrets(prose)).toBe(prose);
  });
});
