/** Posts one message. Redirects are not followed: an address is a secret, and only its owner says where it leads. */
import { DispatchError } from '../../model/error.ts';
import { type HttpKind, type Keys, postFor, refusalIn } from './bodies.ts';
import { addressProblem } from '../../spec/parse-sinks.ts';
import type { Message } from '../message.ts';
import { needNameService } from './name-service.ts';

/** Of an answer, for the reason of a failure. */
const MOST_ANSWER = 300;

/** @throws DispatchError E_SINK with what came back; no address, token or secret is in it. */
export async function postMessage(
  kind: HttpKind,
  message: Message,
  keys: Keys,
  { now, signal }: { readonly now: number; readonly signal: AbortSignal },
): Promise<void> {
  const problem = addressProblem(keys.url);
  if (problem !== null) throw new DispatchError('E_SINK', problem);
  const { url, headers, body } = postFor(kind, message, keys, now);
  await needNameService(new URL(url).hostname, signal);
  let response: Response;
  try {
    response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
  } catch (error) {
    throw new DispatchError('E_SINK', hidden(reasonOf(error, signal), keys));
  }
  const answer = await beginningOf(response).catch(() => '');
  const refusal = refusalIn(kind, response.status, answer);
  if (refusal !== null) throw new DispatchError('E_SINK', hidden(refusal, keys));
}

/** What a server says may be endless. */
async function beginningOf(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size < MOST_ANSWER) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.byteLength;
  }
  await reader.cancel();
  return Buffer.concat(chunks).toString('utf8').slice(0, MOST_ANSWER);
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'it did not answer in time';
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error)
    return 'code' in cause ? `${String(cause.code)}: ${cause.message}` : cause.message;
  return error instanceof Error ? error.message : String(error);
}

function hidden(text: string, { url, token, secret }: Keys): string {
  const { pathname, search } = new URL(url);
  return [url, `${pathname}${search}`, token, secret]
    .filter((one): one is string => one !== null && one.length > 3)
    .reduce((left, one) => left.replaceAll(one, '***'), text);
}
