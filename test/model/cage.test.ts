import { describe, expect, test } from 'vitest';
import { cageLevel, DEFAULT_CAGE, mayReach, parseHost } from '../../src/model/cage.ts';

describe('the level of a cage', () => {
  test.each([
    [undefined, undefined, 'basic'],
    ['none', undefined, 'none'],
    ['none', 'strict', 'strict'],
    ['strict', 'none', 'strict'],
    [undefined, 'none', 'none'],
    ['basic', 'none', 'basic'],
    [undefined, 'strict', 'strict'],
  ] as const)('of a project that says %s and an executor that says %s is %s', (project, executor, level) => {
    const cage = project === undefined ? undefined : { ...DEFAULT_CAGE, level: project };
    expect(cageLevel(cage, executor === undefined ? {} : { cage: executor })).toBe(level);
  });
});

describe('a host that an agent may reach', () => {
  const list = ['api.example.com', '*.npmjs.org', '10.0.0.7:8443', '[2001:db8::1]:443'];

  test('is on the list by name and port, however it is written', () => {
    expect(mayReach(list, 'API.example.com', 443)).toBe(true);
    expect(mayReach(list, 'api.example.com.', 443)).toBe(true);
    expect(mayReach(list, 'registry.npmjs.org', 443)).toBe(true);
    expect(mayReach(list, '10.0.0.7', 8443)).toBe(true);
    expect(mayReach(list, '[2001:db8::1]', 443)).toBe(true);
  });

  test.each([
    ['api.example.com', 80],
    ['example.com', 443],
    ['evil-api.example.com', 443],
    ['api.example.com.evil.org', 443],
    ['npmjs.org', 443],
    ['evilnpmjs.org', 443],
    ['10.0.0.7', 443],
    ['127.0.0.1', 22],
    ['', 443],
  ])('is not %s:%i', (host, port) => {
    expect(mayReach(list, host, port)).toBe(false);
  });

  test.each([
    '',
    'a b',
    'https://x.org',
    'x.org/',
    'x.org:0',
    'x.org:70000',
    '*',
    '*.',
    '-x.org',
    'x.org:https',
  ])('%j is none', (text) => {
    expect(parseHost(text)).toBeNull();
  });
});
