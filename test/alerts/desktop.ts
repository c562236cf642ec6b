/** A desktop of its own: a real session bus, and on it what shows notifications, as notify-send looks for it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** Why there can be none here, and what to install; null where there can. */
export const noDesktop: string | null =
  process.platform !== 'linux'
    ? 'not Linux'
    : ['dbus-daemon', 'notify-send'].every((program) => spawnSync(program, ['--version']).status === 0)
      ? null
      : 'LEFT OUT: needs dbus-daemon and notify-send: apt-get install dbus libnotify-bin';

export interface Notification {
  readonly app: string;
  readonly title: string;
  readonly body: string;
  /** 0 low, 1 normal, 2 critical. */
  readonly urgency: number;
}

export interface Desktop {
  /** What DBUS_SESSION_BUS_ADDRESS is to be. */
  readonly address: string;
  readonly shown: readonly Notification[];
}

/** The part of the library that it has no types for: a service of our own. */
interface Bus {
  readonly connection: { end(): void };
  requestName(name: string, flags: number, done: (error: unknown, owner: number) => void): void;
  exportInterface(service: object, path: string, describedBy: object): void;
}

const NAME = 'org.freedesktop.Notifications';
/** Desktop Notifications Specification 1.2. */
const METHODS = {
  Notify: ['susssasa{sv}i', 'u'],
  GetServerInformation: ['', 'ssss'],
  GetCapabilities: ['', 'as'],
};

export async function openDesktop(): Promise<Desktop> {
  const daemon = spawn('dbus-daemon', ['--session', '--nofork', '--print-address=1'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const over = once(daemon, 'exit');
  onTestFinished(async () => {
    daemon.kill();
    await over;
  });
  const address = await firstLine(daemon);
  const require = createRequire(import.meta.url);
  const { sessionBus } = require('@homebridge/dbus-native') as {
    sessionBus: (options: { busAddress: string }) => Bus;
  };
  const bus = sessionBus({ busAddress: address });
  onTestFinished(() => bus.connection.end());
  const shown: Notification[] = [];
  const service = {
    Notify: (
      app: string,
      _: number,
      _icon: string,
      title: string,
      body: string,
      _do: unknown,
      hints: Hints,
    ) => {
      shown.push({ app, title, body, urgency: urgencyOf(hints) });
      return shown.length;
    },
    GetServerInformation: () => ['desktop', 'dispatch', '1', '1.2'],
    GetCapabilities: () => ['body', 'body-markup'],
  };
  bus.exportInterface(service, `/${NAME.replaceAll('.', '/')}`, {
    name: NAME,
    methods: METHODS,
    signals: {},
  });
  await new Promise<void>((done, refused) => {
    bus.requestName(NAME, 0, (error) => (error === null || error === undefined ? done() : refused(error)));
  });
  return { address, shown };
}

/** An a{sv}, as the library reads one: names, and variants of [type, [value]]. */
type Hints = readonly (readonly [string, readonly [unknown, readonly unknown[]]])[];

function urgencyOf(hints: Hints): number {
  return Number(hints.find(([name]) => name === 'urgency')?.[1][1][0]);
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('the bus has no output');
  for await (const line of createInterface({ input: stdout })) return line;
  throw new Error('the bus ended');
}
