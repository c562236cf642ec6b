/** Hands one message to one sink, whatever its kind, before a deadline. */
import { assertNever } from '../../model/assert.ts';
import type { Secret, SinkConfig } from '../../spec/alert-settings.ts';
import type { Message } from '../message.ts';
import { notifyDesktop } from './desktop.ts';
import { postMessage } from './http.ts';
import { needNameService } from './name-service.ts';
import { readSecret, type SecretPlaces } from './secrets.ts';

export interface Hands extends SecretPlaces {
  /** Shows it to whoever looks at this process. */
  readonly show: (message: Message) => void;
  readonly platform: NodeJS.Platform;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

/** A receiver that has not taken a message by then has failed. */
const DEADLINE_MS = 15_000;

/**
 * @param stop ends it early.
 * @throws DispatchError E_SINK: it was not taken, as far as anybody knows.
 */
export async function sendTo(
  sink: SinkConfig,
  message: Message,
  hands: Hands,
  { stop, deadlineMs = DEADLINE_MS }: { readonly stop?: AbortSignal; readonly deadlineMs?: number } = {},
): Promise<void> {
  const late = AbortSignal.timeout(deadlineMs);
  const signal = stop === undefined ? late : AbortSignal.any([late, stop]);
  const secret = async (from: Secret | null): Promise<string | null> =>
    from === null ? null : readSecret(from, hands);
  const { kind, mail, url, token } = sink;
  switch (kind) {
    case 'terminal':
      return hands.show(message);
    case 'desktop':
      return notifyDesktop(message, { platform: hands.platform, signal });
    case 'email': {
      if (mail === null) throw new TypeError('a sink for mail has its server');
      await needNameService(mail.host, signal);
      const { mailMessage } = await import('./mail.ts');
      return mailMessage(message, mail, { password: await secret(mail.password), deadlineMs, signal });
    }
    case 'webhook':
    case 'slack':
    case 'feishu':
    case 'dingtalk':
    case 'wecom':
    case 'ntfy': {
      if (url === null) throw new TypeError(`a sink of kind ${kind} has an address`);
      const keys = {
        url: await readSecret(url, hands),
        token: await secret(token),
        secret: await secret(sink.secret),
      };
      return postMessage(kind, message, keys, { now: hands.now(), signal });
    }
    default:
      return assertNever(kind);
  }
}
