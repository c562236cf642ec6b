/** Each kind of sink against a real receiver: what arrives, what a refusal is told as, and what never gets out. */
import { createHmac } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { alertMessage, cut, type Message, reportMessage } from '../../src/alerts/message.ts';
import { type Hands, sendTo } from '../../src/alerts/sinks/send.ts';
import type { AlertState } from '../../src/model/alert.ts';
import type { SinkConfig } from '../../src/spec/alert-settings.ts';
import { parseAlerts } from '../../src/spec/parse-alerts.ts';
import { noDesktop, openDesktop } from './desktop.ts';
import { httpReceiver, mailReceiver } from './receivers.ts';

const ALERT: AlertState = {
  key: 'node/mac2',
  rule: 'node-down',
  level: 'P0',
  code: 'E_NODE_DOWN',
  about: 'mac2',
  message: 'no connection <b>since</b> \u001b[31m2m\u001b[0m & more\r\nBcc: eve@example.com',
  fix: 'dispatch nodes probe mac2',
  since: Date.UTC(2026, 10, 20, 9),
  announcedAt: Date.UTC(2026, 10, 20, 9),
  tellings: [],
  quiet: false,
  told: [],
  acked: null,
  resolved: null,
};
const MESSAGE = alertMessage({ raised: [ALERT], resolved: [] }, 'agents');
const TEXT =
  'P0 mac2: E_NODE_DOWN: no connection <b>since</b> 2m & more Bcc: eve@example.com\nfix: dispatch nodes probe mac2';
/** For what would take tags for its own. */
const BODY = TEXT.replace('<b>since</b>', '&lt;b&gt;since&lt;/b&gt;').replace('& more', '&amp; more');
const NOW = Date.UTC(2026, 10, 20, 10);
const SECRET = 'very-secret-0123456789';

/** A sink as alerts.yaml writes it. */
function sink(yaml: string): SinkConfig {
  const { settings, problems } = parseAlerts(`sinks: [${yaml}]`, 'alerts.yaml');
  expect(problems).toEqual([]);
  const [found] = settings.sinks;
  if (found === undefined) throw new Error('no sink');
  return found;
}

function hands(variables: Readonly<Record<string, string>> = {}, more: Partial<Hands> = {}): Hands {
  const shown = (): void => undefined;
  const variable = (name: string): string | undefined => variables[name];
  return { home: '/nowhere', variable, show: shown, platform: 'linux', now: () => NOW, ...more };
}

function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sinks-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** What it is told as when it fails. */
async function reason(one: SinkConfig, held: Hands, message: Message = MESSAGE, deadlineMs?: number) {
  const limit = deadlineMs === undefined ? {} : { deadlineMs };
  return sendTo(one, message, held, limit).then(
    () => null,
    (error: unknown) => error,
  );
}

describe('over HTTP', () => {
  test('a webhook is given what happened as data, signed, with an id that is the same the next time', async () => {
    const receiver = await httpReceiver();
    const home = scratch();
    writeFileSync(join(home, 'token'), `${SECRET}\n`, { mode: 0o600 });
    const one = sink('{ kind: webhook, url_env: HOOK, token_file: token, secret_env: SIGN }');
    const held = hands({ HOOK: `${receiver.url}/hook`, SIGN: 'sign' }, { home });
    await sendTo(one, MESSAGE, held);
    await sendTo(one, alertMessage({ raised: [ALERT], resolved: [] }, 'agents'), held);
    const [first, second] = receiver.received;
    expect(JSON.parse(first?.body ?? '')).toEqual({
      schema: 'dispatch/alert/v1',
      id: MESSAGE.id,
      is: 'alerts',
      level: 'P0',
      title: 'dispatch agents: P0 mac2: E_NODE_DOWN',
      text: TEXT,
      alerts: [
        {
          state: 'raised',
          key: 'node/mac2',
          level: 'P0',
          code: 'E_NODE_DOWN',
          about: 'mac2',
          message: 'no connection <b>since</b> 2m & more Bcc: eve@example.com',
          fix: 'dispatch nodes probe mac2',
          since: '2026-11-20T09:00:00.000Z',
        },
      ],
    });
    const digest = createHmac('sha256', 'sign')
      .update(first?.body ?? '')
      .digest('hex');
    expect(first).toMatchObject({
      path: '/hook',
      headers: {
        authorization: `Bearer ${SECRET}`,
        'x-dispatch-signature': `sha256=${digest}`,
        'idempotency-key': MESSAGE.id,
      },
    });
    expect(second?.body).toBe(first?.body);
  });

  test('Slack, Feishu, DingTalk and WeCom are given bodies of their own, signed as each wants it', async () => {
    const receiver = await httpReceiver();
    const held = hands({ URL: `${receiver.url}/in?key=1`, SIGN: 'sign' });
    for (const yaml of [
      '{ kind: slack, url_env: URL }',
      '{ kind: feishu, url_env: URL, secret_env: SIGN }',
      '{ kind: dingtalk, url_env: URL, secret_env: SIGN }',
      '{ kind: wecom, url_env: URL }',
    ])
      await sendTo(sink(yaml), MESSAGE, held);
    const [slack, feishu, dingtalk, wecom] = receiver.received;
    const text = `${MESSAGE.title}\n\n${TEXT}`;
    const escaped = text.replace('&', '&amp;').replace('<b>', '&lt;b&gt;').replace('</b>', '&lt;/b&gt;');
    expect(JSON.parse(slack?.body ?? '')).toEqual({ text: escaped });
    const seconds = String(NOW / 1000);
    expect(JSON.parse(feishu?.body ?? '')).toEqual({
      timestamp: seconds,
      sign: createHmac('sha256', `${seconds}\nsign`).digest('base64'),
      msg_type: 'text',
      content: { text },
    });
    expect(JSON.parse(dingtalk?.body ?? '')).toEqual({ msgtype: 'text', text: { content: text } });
    expect(Object.fromEntries(new URL(dingtalk?.path ?? '', receiver.url).searchParams)).toEqual({
      key: '1',
      timestamp: String(NOW),
      sign: createHmac('sha256', 'sign').update(`${NOW}\nsign`).digest('base64'),
    });
    expect(JSON.parse(wecom?.body ?? '')).toEqual({ msgtype: 'text', text: { content: text } });
  });

  test('ntfy is given the text, with its urgency and a title of any letters in headers', async () => {
    const receiver = await httpReceiver();
    const held = hands({ URL: `${receiver.url}/topic`, TOKEN: SECRET });
    await sendTo(sink('{ kind: ntfy, url_env: URL, token_env: TOKEN }'), { ...MESSAGE, title: '严重' }, held);
    expect(receiver.received[0]).toMatchObject({
      path: '/topic',
      headers: {
        title: `=?UTF-8?B?${Buffer.from('严重').toString('base64')}?=`,
        priority: 'urgent',
        authorization: `Bearer ${SECRET}`,
      },
      body: TEXT,
    });
  });

  test('what refuses, falls silent or leads elsewhere has failed, and no secret is in what is said of it', async () => {
    const receiver = await httpReceiver();
    const held = hands({ URL: `${receiver.url}/${SECRET}`, TOKEN: SECRET });
    const hook = sink('{ kind: webhook, url_env: URL, token_env: TOKEN }');
    receiver.answer(500, `no such hook: /${SECRET}, Bearer ${SECRET}`);
    expect(String(await reason(hook, held))).toMatch(/it answered 500: no such hook: \S*\*\*\*/u);
    expect(String(await reason(hook, held))).not.toContain(SECRET);
    receiver.answer(302);
    expect(String(await reason(hook, held))).toContain('it answered 302');
    receiver.answer(200, '{"errcode":310000,"errmsg":"sign not match"}');
    expect(String(await reason(sink('{ kind: dingtalk, url_env: URL }'), held))).toContain('sign not match');
    receiver.answer(null);
    expect(String(await reason(hook, held, MESSAGE, 200))).toContain('did not answer in time');
    const nobody = hands({ URL: 'http://127.0.0.1:2/x', TOKEN: SECRET });
    expect(String(await reason(hook, nobody))).toContain('ECONNREFUSED');
    const clear = hands({ URL: 'http://example.com/x', TOKEN: SECRET });
    expect(String(await reason(hook, clear))).toContain('in the clear');
  });
});

describe('by mail', () => {
  test('a report arrives whole, with its page attached, after a login', async () => {
    const server = await mailReceiver();
    const one = sink(
      `{ kind: email, host: 127.0.0.1, port: ${server.port}, tls: none, user: me, password_env: PW, from: me@example.com, to: [a@example.com, b@example.com] }`,
    );
    const report = reportMessage(
      { label: '2026-11-20', markdown: '# Daily report\n\n- 3 merged\n', html: '<p>3 merged</p>' },
      'agents',
    );
    await sendTo(one, report, hands({ PW: SECRET }));
    expect(server.logins).toEqual([`me\0${SECRET}`]);
    const [mail] = server.mails;
    expect(mail).toMatchObject({ from: 'me@example.com', to: ['a@example.com', 'b@example.com'] });
    expect(mail?.data).toMatch(/^Subject: dispatch agents: report 2026-11-20$/mu);
    expect(mail?.data).toContain('- 3 merged');
    expect(mail?.data).toContain('filename=report.html');
  });

  test('nothing of an agent’s words becomes a header, and a refusal is told without the password', async () => {
    const server = await mailReceiver();
    const to = `host: 127.0.0.1, tls: none, user: me, password_env: PW, from: me@example.com, to: [a@example.com]`;
    await sendTo(sink(`{ kind: email, port: ${server.port}, ${to} }`), MESSAGE, hands({ PW: SECRET }));
    const [headers = ''] = server.mails[0]?.data.split('\n\n') ?? [];
    expect(headers).not.toMatch(/^Bcc:/mu);
    const refuses = await mailReceiver(`550 not from you, ${SECRET}`);
    const said = await reason(sink(`{ kind: email, port: ${refuses.port}, ${to} }`), hands({ PW: SECRET }));
    expect(String(said)).toContain('550 not from you, ***');
    expect(String(await reason(sink(`{ kind: email, port: 1, ${to} }`), hands({ PW: SECRET })))).toContain(
      'ECONNREFUSED',
    );
  });
});

test('a desktop is notified by a program of its own, with the text as arguments', async () => {
  const dir = scratch();
  const program = join(dir, 'notify-send');
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$@" >"${dir}/said"\n`);
  chmodSync(program, 0o755);
  const before = process.env.PATH;
  onTestFinished(() => {
    process.env.PATH = before;
  });
  process.env.PATH = `${dir}:${before}`;
  await sendTo(sink('{ kind: desktop }'), MESSAGE, hands());
  expect(readFileSync(join(dir, 'said'), 'utf8')).toBe(
    `--app-name=dispatch\n--urgency=critical\n--\n${MESSAGE.title}\n${BODY}\n`,
  );
  writeFileSync(program, '#!/bin/sh\necho "no session bus" >&2\nexit 1\n');
  expect(String(await reason(sink('{ kind: desktop }'), hands()))).toContain('no session bus');
  process.env.PATH = dir;
  rmSync(program);
  expect(String(await reason(sink('{ kind: desktop }'), hands()))).toContain('there is no notify-send');
});

test.skipIf(noDesktop !== null)(
  `a desktop shows it, and reads no markup from what others wrote${noDesktop === null ? '' : ` (${noDesktop})`}`,
  async () => {
    const desktop = await openDesktop();
    vi.stubEnv('DBUS_SESSION_BUS_ADDRESS', desktop.address);
    onTestFinished(() => void vi.unstubAllEnvs());
    await sendTo(sink('{ kind: desktop }'), MESSAGE, hands());
    expect(desktop.shown).toEqual([{ app: 'dispatch', title: MESSAGE.title, body: BODY, urgency: 2 }]);
  },
);

test('a desktop that is not there is told as what is missing', async () => {
  vi.stubEnv('DBUS_SESSION_BUS_ADDRESS', 'unix:path=/nowhere/bus');
  onTestFinished(() => void vi.unstubAllEnvs());
  const said = String(await reason(sink('{ kind: desktop }'), hands()));
  expect(said).toContain(noDesktop === null ? 'notify-send failed: ' : 'there is no notify-send');
});

test('a secret that is missing, or that others may read, is not used', async () => {
  const home = scratch();
  const held = hands({ EMPTY: ' ' }, { home });
  const failed = async (yaml: string): Promise<string> => String(await reason(sink(yaml), held));
  writeFileSync(join(home, 'open'), 'http://127.0.0.1:1/x', { mode: 0o644 });
  expect(await failed('{ kind: slack, url_env: EMPTY }')).toContain('the variable EMPTY is not set');
  expect(await failed('{ kind: slack, url_file: open }')).toContain('open may be read by others');
  expect(await failed('{ kind: slack, url_file: gone }')).toContain('gone cannot be read');
});

test('however much there is to tell, it is one message that names the worst and counts the rest', () => {
  const raised = Array.from({ length: 500 }, (_, n) => {
    return { ...ALERT, key: `k${n}`, about: `node-${n}`, level: n === 400 ? 'P0' : 'P1' } as const;
  });
  const message = alertMessage({ raised, resolved: [] }, 'agents');
  expect(message.title).toBe('dispatch agents: P0 500 new');
  expect(message.text).toMatch(/^P0 node-400: /u);
  expect(message.text).toMatch(/and 490 more: dispatch alerts list$/u);
  expect(message.alerts).toHaveLength(10);
  const over = alertMessage(
    { raised: [], resolved: [{ ...ALERT, resolved: { at: 1, told: [] } }] },
    'agents',
  );
  expect(over).toMatchObject({ level: null, title: 'dispatch agents: resolved: mac2: E_NODE_DOWN' });
  expect(over.text).toMatch(/^resolved mac2: /u);
  expect(cut('严重严重', 9)).toBe('严\n…');
});
