/** Real receivers on loopback, as sinks see them: HTTP, and SMTP as far as RFC 5321 asks of a server. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpReceiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** What it answers from now on; null: nothing at all. */
  answer(status: number | null, body?: string): void;
}

export async function httpReceiver(): Promise<HttpReceiver> {
  const received: Received[] = [];
  let answer: { status: number | null; body: string } = { status: 200, body: '{"errcode":0}' };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '', headers } = request;
      received.push({ path: url, headers, body: Buffer.concat(chunks).toString('utf8') });
      if (answer.status !== null) response.writeHead(answer.status).end(answer.body);
    });
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${await listening(server)}`,
    received,
    answer: (status, body = '') => {
      answer = { status, body };
    },
  };
}

export interface MailReceiver {
  readonly port: number;
  /** Whole messages, headers and body. */
  readonly mails: readonly { readonly from: string; readonly to: readonly string[]; readonly data: string }[];
  /** What clients logged in with, `user\0password`. */
  readonly logins: readonly string[];
}

/** @param said what it says to a sender instead of taking the message. */
export async function mailReceiver(said?: string): Promise<MailReceiver> {
  const mails: MailReceiver['mails'][number][] = [];
  const logins: string[] = [];
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    converse(socket, { mails, logins }, said);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: await listening(server), mails, logins };
}

function converse(
  socket: Socket,
  { mails, logins }: { mails: MailReceiver['mails'][number][]; logins: string[] },
  said: string | undefined,
): void {
  let text = '';
  let data: string | null = null;
  let from = '';
  let to: string[] = [];
  const say = (line: string): void => void socket.write(`${line}\r\n`);
  const take = (line: string): void => {
    if (data !== null) {
      if (line !== '.') data += `${line}\n`;
      else {
        mails.push({ from, to, data });
        data = null;
        to = [];
        say('250 taken');
      }
      return;
    }
    const word = line.slice(0, 4).toUpperCase();
    if (word === 'EHLO') say('250-here\r\n250 AUTH PLAIN');
    else if (word === 'AUTH') {
      logins.push(
        Buffer.from(line.split(' ')[2] ?? '', 'base64')
          .toString('utf8')
          .slice(1),
      );
      say('235 welcome');
    } else if (word === 'MAIL') {
      from = addressIn(line);
      say(said ?? '250 ok');
    } else if (word === 'RCPT') {
      to.push(addressIn(line));
      say('250 ok');
    } else if (word === 'DATA') {
      data = '';
      say('354 go on');
    } else if (word === 'QUIT') socket.end('221 bye\r\n');
    else say('250 ok');
  };
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const lines = text.split('\r\n');
    text = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  say('220 here');
}

function addressIn(line: string): string {
  return /<([^>]*)>/u.exec(line)?.[1] ?? '';
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done()));
  return (server.address() as AddressInfo).port;
}
