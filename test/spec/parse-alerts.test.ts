import { expect, test } from 'vitest';
import { BUILT_IN_ALERTS, BUILT_IN_RULES } from '../../src/spec/alert-settings.ts';
import { parseAlerts } from '../../src/spec/parse-alerts.ts';
import { places } from './check.ts';

const read = (text: string) => parseAlerts(text, 'alerts.yaml');

test('what alerts.yaml leaves out is as built in', () => {
  expect(read('')).toEqual({ settings: BUILT_IN_ALERTS, problems: [] });
  const { settings, problems } = read(`every: 1s
quiet: { from: "22:30", to: "07:00", timezone: Asia/Shanghai }
rules:
  failure-rate: { over: 10, level: P0 }
  disk: { least: 2g }
  utilisation: { off: true }
  stalled: { level: P2 }
sinks:
  - { kind: ntfy, name: phone, url_env: NTFY_URL, token_file: token, report: true, levels: [P0] }
  - { kind: email, host: smtp.example.com, user: me, password_env: PW, from: me@example.com, to: [me@example.com] }
`);
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({
    everyMs: 1000,
    againMs: 86_400_000,
    quiet: { from: 1350, to: 420, timezone: 'Asia/Shanghai' },
    sinks: [
      {
        name: 'phone',
        kind: 'ntfy',
        levels: ['P0'],
        report: true,
        url: { is: 'env', name: 'NTFY_URL' },
        token: { is: 'file', path: 'token' },
      },
      {
        name: 'email',
        url: null,
        mail: { port: 587, tls: 'starttls', user: 'me', password: { is: 'env', name: 'PW' } },
      },
    ],
  });
  expect(settings.rules).toEqual({
    ...BUILT_IN_RULES,
    'failure-rate': { ...BUILT_IN_RULES['failure-rate'], over: 10, level: 'P0' },
    disk: { ...BUILT_IN_RULES.disk, leastBytes: 2 * 1024 ** 3 },
    utilisation: null,
    stalled: { level: 'P2' },
  });
});

test('everything that is wrong with its form is told with its place', () => {
  const { settings, problems } = read(`quiet: { from: "25:00", to: "07:00" }
rules:
  failure-rat: { over: 10 }
  wal: { over: much }
  budget: { over: 120 }
sinks:
  - { kind: slak, url_env: X }
`);
  expect(settings).toEqual(BUILT_IN_ALERTS);
  expect(places(problems).toSorted()).toEqual([
    'E_SPEC_UNKNOWN_KEY 3:3',
    'E_SPEC_VALUE 1:16',
    'E_SPEC_VALUE 4:16',
    'E_SPEC_VALUE 5:19',
    'E_SPEC_VALUE 7:13',
  ]);
});

test('a sink has the keys of its kind, an address that is no secret in the clear, and a name of its own', () => {
  const { problems } = read(`sinks:
  - { kind: slack }
  - { kind: desktop, url_env: X }
  - { kind: webhook, url: "http://example.com/hook" }
  - { kind: webhook, name: two, url: "http://127.0.0.1:1/x", url_env: X }
  - { kind: slack, url_env: X }
  - { kind: email, host: mail.example.com, tls: none, user: me, from: a@b, to: [c@d] }
`);
  expect(problems.map(({ line, message }) => `${line} ${message}`)).toEqual([
    '2 the address is missing',
    '3 a sink of kind desktop has no `url_env`',
    '4 messages would be sent in the clear to another machine',
    '5 the url is given twice',
    '6 a second sink is called "slack"',
    '7 a login needs both `user` and a password',
    '7 mail would be sent in the clear to another machine',
  ]);
});
