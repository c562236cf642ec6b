/** Hears the alerts of a run, as somebody on call would, and says whether anything was told twice. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Report } from './report.ts';

interface Told {
  readonly state: string;
  readonly key: string;
  readonly code: string;
  readonly message: string;
}

export const SINK = 'hook';

export class Alarm {
  readonly #told: Told[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Alarm> {
    const server = createServer();
    const alarm = new Alarm(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { alerts } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { alerts: Told[] };
        alarm.#told.push(...alerts);
        response.writeHead(200).end();
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return alarm;
  }

  /** Text of alerts.yaml. This machine is full of other work: how late a process is says nothing of the product. */
  get settings(): string {
    const { port } = this.#server.address() as AddressInfo;
    return [
      'every: 2s',
      'rules:',
      '  event-loop: { off: true }',
      '  disk: { least: 8MB }',
      'sinks:',
      `  - { kind: webhook, name: ${SINK}, url: "http://127.0.0.1:${port}/" }`,
      '',
    ].join('\n');
  }

  heard(key: string): boolean {
    return this.#told.some((one) => one.key === key);
  }

  /** A cause is told once a day: raised once, or again only where it was over in between and a day has passed. */
  judge(report: Report, days = 1): void {
    const raised = new Map<string, number>();
    for (const { key, state } of this.#told)
      if (state === 'raised') raised.set(key, (raised.get(key) ?? 0) + 1);
    report.figure(
      'alerts raised',
      [...raised.values()].reduce((a, b) => a + b, 0),
      '',
    );
    report.figure('alerts over', this.#told.filter(({ state }) => state === 'resolved').length, '');
    for (const [key, times] of raised)
      report.expect(times <= days, `${key}: raised ${times} times: ${this.#messages(key)}`);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #messages(key: string): string {
    return this.#told
      .filter((one) => one.key === key)
      .map(({ state, message }) => `${state}: ${message}`)
      .join(' | ');
  }
}
