/** A model provider of the test's own, and the real agents' way to it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where `make test-agents` puts the programs; empty: they are not here. */
export const PACKAGES = process.env.DISPATCH_AGENT_PACKAGES ?? '';

if (PACKAGES === '')
  process.stderr.write(
    '\nSKIPPED: the tests with real coding agents (Claude Code, Codex CLI, Gemini CLI, Qwen Code, OpenCode). They need DISPATCH_AGENT_PACKAGES; `make test-agents` installs them and sets it.\n\n',
  );

/** Why the network cannot be cut off here; null when it can: the agent then sees a loopback with the provider and nothing else. */
const noCut = whyNot();
if (PACKAGES !== '' && noCut !== null)
  process.stderr.write(`\nNOTE: real agents run with the network of this machine: ${noCut}\n\n`);

function whyNot(): string | null {
  if (process.platform !== 'linux') return 'it is not Linux';
  const { status, error, stderr } = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up'], {
    encoding: 'utf8',
  });
  if (error !== undefined) return 'unshare is not installed';
  return status === 0 ? null : stderr.trim();
}

export class Provider {
  readonly dir = mkdtempSync(join(tmpdir(), 'provider-'));
  #process: ChildProcess | null = null;
  #port = 0;
  #open = false;

  /** @param open it listens on this machine's own loopback, for agents that are cut off otherwise. */
  async start(open = false): Promise<void> {
    this.#open = open;
    const server = [process.execPath, resolve('test/agents/model-server.mjs'), this.dir, this.#address];
    const argv =
      noCut === null && !open
        ? ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...server]
        : server;
    const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    this.#port = await new Promise<number>((done, failed) => {
      child.stdout?.once('data', (bytes: Buffer) => done(Number(bytes.toString('utf8'))));
      child.once('exit', () => failed(new Error('the model server did not start')));
    });
  }

  /** Programs go to 127.0.0.1 without the proxy that a cage has; the other is the same loopback. */
  get #address(): string {
    return this.#open ? '127.0.0.2' : '127.0.0.1';
  }

  get url(): string {
    return `http://${this.#address}:${this.#port}`;
  }

  /** The command of an agent that can reach this provider and nothing else. */
  reach(program: string): string[] {
    const path = join(PACKAGES, 'node_modules', '.bin', program);
    return noCut === null && !this.#open
      ? ['nsenter', '--net', '-t', String(this.#process?.pid), '--', path]
      : [path];
  }

  /**
   * Settings of Gemini CLI and Qwen Code. With another address than Google's the first takes a key only where a file says
   * so; and by themselves both try a refused call again and again for minutes, and say nothing meanwhile.
   */
  settings(): string {
    const file = join(this.dir, 'settings.json');
    const settings = {
      security: { auth: { selectedType: 'gemini-api-key' } },
      general: { maxAttempts: 2 },
    };
    writeFileSync(file, JSON.stringify(settings));
    return file;
  }

  behave(how: string): void {
    writeFileSync(join(this.dir, 'behave'), how);
  }

  requests(): string[] {
    return readFileSync(join(this.dir, 'requests'), 'utf8').trim().split('\n');
  }

  stop(): void {
    this.#process?.kill('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }
}
