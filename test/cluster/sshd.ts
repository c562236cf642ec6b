/**
 * A real OpenSSH server on a free loopback port, with everything it and a client need in one temporary directory: host
 * key, user key, configurations, known hosts, a home. Nothing in ~/.ssh is read or written.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

export interface SshdOptions {
  /** Name of the host in the client configuration. */
  readonly alias?: string;
  readonly maxSessions?: number;
  /** Runs instead of any command; the command asked for is in SSH_ORIGINAL_COMMAND. */
  readonly forceCommand?: string;
  /** Types of host keys, best first. */
  readonly hostKeyTypes?: readonly ('ed25519' | 'ecdsa' | 'rsa')[];
  /** HOME of sessions; by default a directory of the fixture's own. */
  readonly home?: string;
  /** Further variables of every session's environment; no spaces in values. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further lines of sshd_config. */
  readonly config?: readonly string[];
  /** Further lines of the client's Host block. */
  readonly clientConfig?: readonly string[];
  /** Where it listens, and where clients find it. */
  readonly address?: string;
  /** Words in front of sshd, when it starts: a program that runs it somewhere else. */
  readonly launcher?: () => readonly string[];
  /** Write the host's keys into the known hosts: true by default. */
  readonly trusted?: boolean;
}

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'].find((file) =>
  existsSync(file),
);

export class Sshd {
  readonly alias: string;
  readonly dir: string;
  readonly port: number;
  readonly user = userInfo().username;
  /** HOME of every session. */
  readonly home: string;
  /** For `ssh -F` and nodes.json's configFile. */
  readonly configFile: string;
  readonly knownHosts: string;
  /** Private key that the server accepts. */
  readonly userKey: string;
  readonly #options: SshdOptions;
  #server: ChildProcess | null = null;
  #log = '';

  constructor(dir: string, port: number, options: SshdOptions) {
    this.dir = dir;
    this.port = port;
    this.#options = options;
    this.alias = options.alias ?? 'box';
    this.home = options.home ?? join(dir, 'home');
    this.configFile = join(dir, 'ssh_config');
    this.knownHosts = join(dir, 'known_hosts');
    this.userKey = join(dir, 'user_key');
  }

  /** Name of this host in a file of known hosts. */
  get hostKeyName(): string {
    return `[${this.address}]:${this.port}`;
  }

  get address(): string {
    return this.#options.address ?? '127.0.0.1';
  }

  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  /** What sshd wrote to its log. */
  get log(): string {
    return this.#log;
  }

  async prepare(): Promise<void> {
    await mkdir(this.home, { recursive: true });
    for (const type of this.hostKeyTypes) keygen(this.#hostKey(type), type);
    keygen(this.userKey, 'ed25519');
    await writeFile(join(this.dir, 'authorized_keys'), await readFile(`${this.userKey}.pub`), {
      mode: 0o600,
    });
    await writeFile(join(this.dir, 'sshd_config'), this.#serverConfig());
    await writeFile(this.configFile, this.#clientConfig());
    await writeFile(this.knownHosts, '');
    if (this.#options.trusted !== false) await this.trust();
    // The privilege separation directory that a distribution's unit file makes.
    if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true });
  }

  get hostKeyTypes(): readonly ('ed25519' | 'ecdsa' | 'rsa')[] {
    return this.#options.hostKeyTypes ?? ['ed25519'];
  }

  /** Lines of the host's keys as a file of known hosts has them. */
  async hostKeyLines(): Promise<string[]> {
    const publicKeys = await Promise.all(
      this.hostKeyTypes.map((type) => readFile(`${this.#hostKey(type)}.pub`, 'utf8')),
    );
    return publicKeys.map((text) => `${this.hostKeyName} ${text.split(' ').slice(0, 2).join(' ').trim()}`);
  }

  /** Writes the host's keys into the known hosts. */
  async trust(): Promise<void> {
    await appendFile(this.knownHosts, `${(await this.hostKeyLines()).join('\n')}\n`);
  }

  /** Starts the server; returns when it listens. */
  async start(): Promise<void> {
    if (SSHD === undefined) throw new Error('no sshd here: apt install openssh-server');
    const config = join(this.dir, 'sshd_config');
    const words: string[] = [...(this.#options.launcher?.() ?? []), SSHD, '-D', '-e', '-f', config];
    const server = spawn(words[0] ?? SSHD, words.slice(1), {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, HOME: this.home },
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('close', (code) => reject(new Error(`sshd ended with ${code}: ${this.#log}`)));
      server.stderr.on('data', (bytes: Buffer) => {
        this.#log = (this.#log + bytes.toString('utf8')).slice(-100_000);
        if (this.#log.includes(`Server listening on ${this.address}`)) resolve();
      });
    });
  }

  /** Ends the server and every session. Client files stay, so that `start` brings the same host back. */
  async halt(): Promise<void> {
    const server = this.#server;
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const exited = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGSTOP');
    const sessions = this.#stopConnections();
    server.kill('SIGKILL');
    for (const pid of sessions) kill(pid, 'SIGKILL');
    await exited;
    this.#log = '';
  }

  /** Ends the server and removes its directory. */
  async stop(): Promise<void> {
    await this.halt();
    await rm(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  /** Process ids of the connections that are open now, one or two per connection. */
  sessions(): number[] {
    const children = new Map<number, number[]>();
    for (const row of execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' }).split(
      '\n',
    )) {
      const [pid, ppid, name = ''] = row.trim().split(/\s+/);
      if (!name.startsWith('sshd')) continue;
      children.set(Number(ppid), [...(children.get(Number(ppid)) ?? []), Number(pid)]);
    }
    const below = (pid: number): number[] =>
      (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
    return below(this.pid);
  }

  /** Cuts every open connection, as a network would: nobody is told. Returns how many processes were hit. */
  killConnections(signal: NodeJS.Signals = 'SIGKILL'): number {
    const pids = this.#stopConnections();
    if (signal !== 'SIGSTOP') for (const pid of pids) kill(pid, signal);
    return pids.length;
  }

  /** Stops every connection. One that was just logging in has made a further process, which would outlive its parent. */
  #stopConnections(): number[] {
    for (let known: number[] = []; ; ) {
      const pids = this.sessions();
      if (pids.every((pid) => known.includes(pid))) return pids;
      for (const pid of pids) kill(pid, 'SIGSTOP');
      known = pids;
    }
  }

  /** Gives the host new keys and starts it again, as a machine that was installed anew. */
  async replaceHostKey(): Promise<void> {
    await this.halt();
    for (const type of this.hostKeyTypes) {
      await rm(this.#hostKey(type), { force: true });
      await rm(`${this.#hostKey(type)}.pub`, { force: true });
      keygen(this.#hostKey(type), type);
    }
    await this.start();
  }

  #hostKey(type: string): string {
    return join(this.dir, `host_${type}`);
  }

  #serverConfig(): string {
    const { maxSessions, forceCommand, env = {}, config = [] } = this.#options;
    // Only the first SetEnv line counts.
    const variables = Object.entries({ HOME: this.home, ...env }).map(([name, value]) => `${name}=${value}`);
    return `${[
      `ListenAddress ${this.address}`,
      `Port ${this.port}`,
      ...this.hostKeyTypes.map((type) => `HostKey ${this.#hostKey(type)}`),
      `AuthorizedKeysFile ${join(this.dir, 'authorized_keys')}`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'MaxStartups 100',
      'PrintMotd no',
      'PidFile none',
      'UseDNS no',
      `SetEnv ${variables.join(' ')}`,
      ...(maxSessions === undefined ? [] : [`MaxSessions ${maxSessions}`]),
      ...(forceCommand === undefined ? [] : [`ForceCommand ${forceCommand}`]),
      ...config,
    ].join('\n')}\n`;
  }

  #clientConfig(): string {
    return `${[
      `Host ${this.alias}`,
      `  HostName ${this.address}`,
      `  Port ${this.port}`,
      `  User ${this.user}`,
      `  IdentityFile ${this.userKey}`,
      '  IdentitiesOnly yes',
      '  IdentityAgent none',
      `  UserKnownHostsFile ${this.knownHosts}`,
      '  GlobalKnownHostsFile /dev/null',
      ...(this.#options.clientConfig ?? []).map((line) => `  ${line}`),
    ].join('\n')}\n`;
  }
}

/** A server that runs. Stop it with `stop()`. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'dispatch-sshd-')));
  await chmod(dir, 0o755);
  const sshd = new Sshd(dir, await freePort(), options);
  try {
    await sshd.prepare();
    await sshd.start();
    return sshd;
  } catch (error) {
    await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    // Somebody else was faster.
    if (sshd.log.includes('Address already in use')) return startSshd(options);
    throw error;
  }
}

/**
 * A loopback port that nobody listens on at this moment. Not one that the kernel gives out: while a test has its server
 * halted, any connection of any program could get such a port for its own end, even the one that looks for the server.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 30_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function keygen(file: string, type: string): void {
  execFileSync('ssh-keygen', [
    '-q',
    '-t',
    type,
    ...(type === 'rsa' ? ['-b', '2048'] : []),
    '-N',
    '',
    '-f',
    file,
  ]);
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself in between.
  }
}
