/** How each kind of receiver over HTTP wants a message. Pure: the moment comes in. */
import { createHmac } from 'node:crypto';
import { assertNever } from '../../model/assert.ts';
import type { SinkKind } from '../../spec/alert-settings.ts';
import { cut, type Message } from '../message.ts';
import { escapeMarkup } from './markup.ts';

export type HttpKind = Exclude<SinkKind, 'terminal' | 'desktop' | 'email'>;

export interface Keys {
  readonly url: string;
  readonly token: string | null;
  readonly secret: string | null;
}

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Most bytes of text that each takes in one message, with room for what stands around it. */
const MOST_BYTES: Readonly<Record<HttpKind, number>> = {
  webhook: 256 * 1024,
  slack: 12_000,
  feishu: 18_000,
  dingtalk: 18_000,
  wecom: 2000,
  ntfy: 4000,
};

/** @param now wall clock, milliseconds: signatures hold for an hour around it. */
export function postFor(kind: HttpKind, message: Message, keys: Keys, now: number): Post {
  const text = cut(`${message.title}\n\n${message.text}`, MOST_BYTES[kind]);
  const json = (body: unknown, url = keys.url): Post => {
    return { url, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  };
  switch (kind) {
    case 'webhook':
      return webhook(message, keys);
    case 'slack':
      return json({ text: escapeMarkup(text) });
    case 'feishu':
      return json({ ...feishuSign(keys.secret, now), msg_type: 'text', content: { text } });
    case 'dingtalk':
      return json({ msgtype: 'text', text: { content: text } }, dingtalkUrl(keys, now));
    case 'wecom':
      return json({ msgtype: 'text', text: { content: text } });
    case 'ntfy':
      return ntfy(message, keys);
    default:
      return assertNever(kind);
  }
}

/** Ours: what happened as data, and as text; signed over the body's bytes where there is a secret. */
function webhook({ id, is, level, title, text, alerts }: Message, { url, token, secret }: Keys): Post {
  const body = JSON.stringify({
    schema: 'dispatch/alert/v1',
    id,
    is,
    level,
    title,
    alerts,
    text: cut(text, MOST_BYTES.webhook),
  });
  const signature = secret === null ? null : createHmac('sha256', secret).update(body).digest('hex');
  return {
    url,
    headers: {
      'content-type': 'application/json',
      'idempotency-key': id,
      ...bearer(token),
      ...(signature === null ? {} : { 'x-dispatch-signature': `sha256=${signature}` }),
    },
    body,
  };
}

/** https://docs.ntfy.sh/publish/: the text is the body, the rest goes into headers, which hold ASCII. */
function ntfy({ title, text, level, is }: Message, { url, token }: Keys): Post {
  return {
    url,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      title: `=?UTF-8?B?${Buffer.from(cut(title, 200)).toString('base64')}?=`,
      priority: level === 'P0' ? 'urgent' : level === 'P1' ? 'high' : 'default',
      tags: level === null ? (is === 'report' ? 'memo' : 'white_check_mark') : 'warning',
      ...bearer(token),
    },
    body: cut(text, MOST_BYTES.ntfy),
  };
}

function bearer(token: string | null): Record<string, string> {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot: seconds; the key signs nothing but itself. */
function feishuSign(secret: string | null, now: number): { timestamp?: string; sign?: string } {
  if (secret === null) return {};
  const timestamp = String(Math.floor(now / 1000));
  return { timestamp, sign: createHmac('sha256', `${timestamp}\n${secret}`).digest('base64') };
}

/** https://open.dingtalk.com/document/robots/customize-robot-security-settings: milliseconds, in the address. */
function dingtalkUrl({ url, secret }: Keys, now: number): string {
  if (secret === null) return url;
  const signed = new URL(url);
  const sign = createHmac('sha256', secret).update(`${now}\n${secret}`).digest('base64');
  signed.searchParams.set('timestamp', String(now));
  signed.searchParams.set('sign', sign);
  return signed.href;
}

/**
 * What a receiver says is wrong; null: it took the message. Feishu, DingTalk and WeCom refuse with status 200 and a code
 * in the answer.
 */
export function refusalIn(kind: HttpKind, status: number, answer: string): string | null {
  if (status < 200 || status > 299) return `it answered ${status}${answer === '' ? '' : `: ${answer}`}`;
  if (kind !== 'feishu' && kind !== 'dingtalk' && kind !== 'wecom') return null;
  const said = parsed(answer);
  const code = said.errcode ?? said.code ?? said.StatusCode;
  return code === 0 ? null : `it refused: ${answer === '' ? 'an empty answer' : answer}`;
}

function parsed(answer: string): { errcode?: unknown; code?: unknown; StatusCode?: unknown } {
  try {
    const value: unknown = JSON.parse(answer);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
