import { openChild } from './child.ts';
import { explainOpenSsh } from './ssh-failure.ts';
import { doorOf, type SshSettings, targetArguments } from './ssh-settings.ts';
import type { ByteStream, Door, Transport } from './transport.ts';

/**
 * Options that hold whatever the user's configuration says. Host keys are always checked, nothing ever asks, a dead
 * link is noticed within 20 s, and the process is the connection: it never goes to the background as a master.
 */
const OPTIONS: readonly string[] = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'ServerAliveInterval=5',
  'ServerAliveCountMax=3',
  'ControlMaster=no',
  'ClearAllForwardings=yes',
  'ForwardAgent=no',
  'ForwardX11=no',
  'PermitLocalCommand=no',
  'RemoteCommand=none',
  'LogLevel=ERROR',
];

/** The system's ssh, one process per stream: for everything that only OpenSSH can do. */
export class OpenSshTransport implements Transport {
  readonly door: Door | null;
  readonly #settings: SshSettings;
  readonly #socket: string | null;

  /** @param socket control path of a master that the user keeps; null uses what the ssh configuration says. */
  constructor(settings: SshSettings, socket: string | null) {
    this.#settings = settings;
    this.#socket = socket;
    this.door = socket === null ? doorOf(settings) : null;
  }

  async open(signal?: AbortSignal): Promise<ByteStream> {
    const options = [
      ...OPTIONS,
      `ConnectTimeout=${Math.ceil(this.#settings.connectTimeoutMs / 1000)}`,
      ...(this.#socket === null ? [] : [`ControlPath=${this.#socket}`]),
    ];
    return openChild({
      argv: [
        'ssh',
        '-T',
        ...options.flatMap((option) => ['-o', option]),
        ...targetArguments(this.#settings),
        'exec /bin/sh',
      ],
      // No askpass program: a jump host that would ask for something fails at once instead.
      env: { ...process.env, SSH_ASKPASS_REQUIRE: 'never' },
      explain: (end) => explainOpenSsh(this.#settings, end),
      signal,
    });
  }

  describe(): string {
    const by = this.#socket === null ? '' : ` through the control socket ${this.#socket}`;
    return `system ssh to ${this.#settings.target}${by}`;
  }
}
