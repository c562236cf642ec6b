/**
 * The only way out of a cage without a network: a proxy that connects to the hosts it was told and to no others.
 *
 *   in the cage                              | outside: this process
 *   agent ──CONNECT──> 127.0.0.1:17771 ──────┼──> host on the list
 *
 * The cage has a loopback of its own. A short program inside opens the socket there and hands it to this process (a
 * listening socket stays in the network that it was made in, whoever holds it), so nothing of ours runs beside the agent
 * and no address of this machine is reachable from inside. On macOS, which cannot part networks, the proxy listens on the
 * machine's own loopback. The command is a child of this process, and its end is this process's end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { lookup } from 'node:dns';
import { readFileSync } from 'node:fs';
import {
  createServer,
  request as callHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { BlockList, connect, isIP, type LookupFunction, type Server as NetServer } from 'node:net';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { mayReach } from '../src/model/cage.ts';

export interface WayOut {
  /** The command, which builds the cage. */
  readonly argv: readonly string[];
  /** Hosts, as `parseHost` reads them. */
  readonly hosts: readonly string[];
}

/** Of the cage's own loopback: nothing else is there. */
const PORT = 17_771;

/** Descriptor of the channel that the socket is handed over; 3 is where bwrap reports. */
const CHANNEL = 4;

/** Lines of shell for the inside of the cage: the socket is opened and handed out, and the channel closed behind it. */
export function openTheWay(node: string, quote: (text: string) => string): string[] {
  const hand = `const s=require('net').createServer().listen(${PORT},'127.0.0.1',()=>process.send('way',s,()=>process.exit(0)))`;
  return [
    `${quote(node)} -e ${quote(hand)} || { echo 'dispatch: the way out of the cage could not be opened'; exit 126; }`,
    `exec ${CHANNEL}>&-`,
    'unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE',
  ];
}

/** What makes programs use the way; their own servers inside are reached without it. */
export function proxyVariables(port = PORT): Record<string, string> {
  const proxy = `http://127.0.0.1:${port}`;
  const direct = 'localhost,127.0.0.1,::1';
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: direct,
    no_proxy: direct,
  };
}

/** `task-wrapper way-out <file>`: runs the command until it ends. */
export async function wayOut(file: string): Promise<void> {
  const { argv, hosts } = JSON.parse(readFileSync(file, 'utf8')) as WayOut;
  const proxy = proxyTo(hosts);
  const child = process.platform === 'darwin' ? await beside(argv, proxy) : around(argv, proxy);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exit, signal) =>
      resolve(exit ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
  process.exit(code);
}

function around([program = '', ...args]: readonly string[], proxy: Server): ChildProcess {
  const child = spawn(program, args, { stdio: ['inherit', 'inherit', 'inherit', 3, 'ipc'] });
  // Once: from then on nothing that is said in there is listened to.
  child.once('message', (_word, socket) => {
    if (socket !== undefined)
      (socket as NetServer).on('connection', (client) => proxy.emit('connection', client));
    child.disconnect();
  });
  return child;
}

async function beside([program = '', ...args]: readonly string[], proxy: Server): Promise<ChildProcess> {
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as { port: number };
  return spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...proxyVariables(port) } });
}

/** The proxy: CONNECT, and plain HTTP with the whole address. */
function proxyTo(hosts: readonly string[]): Server {
  const told = new Set<string>();
  const allowed = (host: string, port: number): boolean => {
    if (mayReach(hosts, host, port)) return true;
    const name = `${host}:${port}`.replaceAll(/[^\w.:-]/g, '?').slice(0, 300);
    if (told.size < 100 && !told.has(name))
      process.stdout.write(`dispatch: the cage does not let it reach ${name}\n`);
    told.add(name);
    return false;
  };
  const server = createServer((asked, answer) => {
    const url = URL.canParse(asked.url ?? '') ? new URL(asked.url ?? '') : null;
    if (url?.protocol !== 'http:' || !allowed(url.hostname, Number(url.port || 80))) refuse(answer);
    else pass(url, asked, answer);
  });
  server.on('connect', (asked: IncomingMessage, client: Duplex, head: Buffer) => {
    client.on('error', () => client.destroy());
    const url = URL.canParse(`http://${asked.url}`) ? new URL(`http://${asked.url}`) : null;
    const port = Number(/:(\d+)$/.exec(asked.url ?? '')?.[1]);
    if (url === null || !allowed(url.hostname, port))
      client.end(`HTTP/1.1 403 Forbidden\r\ncontent-length: ${REFUSED.length}\r\n\r\n${REFUSED}`);
    else join(client, head, plain(url.hostname), port);
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}

const REFUSED = 'the cage of this attempt does not reach that host (cage.network in project.yaml)\n';

function refuse(answer: ServerResponse): void {
  answer.writeHead(403).end(REFUSED);
}

function join(client: Duplex, head: Buffer, host: string, port: number): void {
  const server = connect({ host, port, lookup: outside });
  server.once('connect', () => {
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    server.write(head);
    server.pipe(client).pipe(server);
  });
  server.on('error', () => {
    if (server.bytesRead === 0) client.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n');
    else client.destroy();
  });
  client.once('close', () => server.destroy());
  server.once('close', () => client.end());
}

function pass(url: URL, asked: IncomingMessage, answer: ServerResponse): void {
  const { 'proxy-connection': _ours, ...headers } = asked.headers;
  const { method } = asked;
  const call = callHttp(url, { method, headers, lookup: outside }, (reply) => {
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(answer);
  });
  call.on('error', () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()));
  asked.pipe(call);
}

const near = new BlockList();
for (const [net, bits] of [
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['0.0.0.0', 8],
] as const)
  near.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ['::1', 128],
  ['::', 128],
  ['fe80::', 10],
  ['::ffff:127.0.0.0', 104],
  ['::ffff:169.254.0.0', 112],
] as const)
  near.addSubnet(net, bits, 'ipv6');

/** A name on the list does not lead back to this machine or to its cloud's metadata; only `localhost` and numbers say so themselves. */
const outside: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error !== null) return done(error, '', 0);
    const good = found.filter(
      ({ address, family }) =>
        hostname === 'localhost' || !near.check(address, family === 6 ? 'ipv6' : 'ipv4'),
    );
    const [first] = good;
    if (first === undefined) return done(new Error(`${hostname} leads back to this machine`), '', 0);
    if (options.all === true) done(null, good);
    else done(null, first.address, first.family);
  });
};

function plain(host: string): string {
  const inner = host.replace(/^\[(.*)\]$/, '$1');
  return isIP(inner) === 0 ? host : inner;
}
