/** Where no name server answers: what a sink says, and what is still asked for when it has given up. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { postMessage } from '../../src/alerts/sinks/http.ts';

async function main(): Promise<void> {
  const silent = createSocket('udp4');
  silent.bind(53, '127.0.0.1');
  await once(silent, 'listening');
  const keys = { url: 'https://hooks.example/x', token: null, secret: null };
  const message = { alerts: [], title: 'a title', text: 'a text' } as never;
  // Stopped as soon as it is asked for.
  const stop = new AbortController();
  silent.once('message', () => stop.abort());
  const said = await postMessage('webhook', message, keys, { now: 0, signal: stop.signal }).then(
    () => 'taken',
    (error: unknown) => (error instanceof Error ? error.message : ''),
  );
  const left = process.getActiveResourcesInfo().filter((name) => /addrinfo/iu.test(name));
  console.log(JSON.stringify({ said, left }));
  silent.close();
}

void main();
