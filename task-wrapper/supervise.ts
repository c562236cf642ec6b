/**
 * The supervisor: one per root, started on demand inside the worker's own tmux server, gone when there is no work and
 * nobody listens. It may be killed at any moment: attempts run on, launch.sh or the next rpc starts another one, and
 * that one finds everything in files.
 *
 * It leaves only when nothing runs, so there is nothing that could end unnoticed after it; and it gives its place to a
 * newer program when one asks (see rpc.ts), leaving running attempts to it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { existsSync, rmSync } from 'node:fs';
import { PROTOCOL } from '../src/protocol/version.ts';
import { adopt } from './adopt.ts';
import { sweepViews } from './attach.ts';
import { Attempts } from './attempts.ts';
import { replaceFile } from './durable.ts';
import { Epoch } from './epoch.ts';
import { FullDisk } from './full-disk.ts';
import { Housekeeping } from './housekeeping.ts';
import { readBootId, startTime } from './host.ts';
import { endStoppedJoints } from './joints.ts';
import { Journal } from './journal.ts';
import { isLock, type Lock, takeLock } from './lock.ts';
import { installProgram, sweepPrograms, thisProgram } from './program.ts';
import { requestHandler } from './requests.ts';
import { programsNeeded, sweep } from './retire.ts';
import { replaceSupervisor } from './rpc.ts';
import type { Root } from './root.ts';
import { Stalls } from './stalls.ts';
import { type Handover, Stream } from './stream.ts';
import { StuckWatch } from './stuck.ts';
import { removeInterrupted } from './sweep.ts';
import { applyConfig, STOPPED_MS, Tmux, type TmuxListener, writeConfig } from './tmux.ts';
import { openWake } from './wake.ts';

export interface SuperviseOptions {
  /** Milliseconds without work and without a stream before it leaves. */
  readonly idleMs: number;
  /** Bytes that must be free for an attempt to start. */
  readonly reserve: number;
  /** Milliseconds of silence after an agent's closing event, after which it is ended. */
  readonly silentMs: number;
  /** Milliseconds between two looks at how much the files of an attempt take. */
  readonly diskMs: number;
  /** Milliseconds of silence after which a controller's older stream is taken for one that was cut. */
  readonly quietMs: number;
  /** Milliseconds after which a tmux server that was stopped is told to go on. */
  readonly stoppedMs: number;
}

export const SUPERVISE_DEFAULTS: SuperviseOptions = {
  idleMs: 30_000,
  reserve: 256 * 1024 * 1024,
  silentMs: 15_000,
  diskMs: 10_000,
  quietMs: 120_000,
  stoppedMs: STOPPED_MS,
};

/** Coalesces tmux's notices: sessions come and go by the hundred, and each look is at all running steps. */
const LOOK_MS = 50;
const SWEEP_MS = 3_600_000;

/** Runs until it has nothing to do; returns at once when another supervisor lives. */
export async function supervise(root: Root, options: SuperviseOptions): Promise<void> {
  process.on('SIGHUP', () => {});
  process.umask(0o022);
  const lock = takeLock(root);
  if (!isLock(lock)) return;
  await new Supervisor(root, options, lock).run();
}

class Supervisor {
  readonly #root: Root;
  readonly #options: SuperviseOptions;
  readonly #lock: Lock;
  readonly #streams = new Set<Stream>();
  readonly #leave: Promise<void>;
  #goAway: () => void = () => {};
  #idle: NodeJS.Timeout | null = null;
  #looking: NodeJS.Timeout | null = null;

  constructor(root: Root, options: SuperviseOptions, lock: Lock) {
    this.#root = root;
    this.#options = options;
    this.#lock = lock;
    this.#leave = new Promise((resolve) => {
      this.#goAway = resolve;
    });
  }

  async run(): Promise<void> {
    const root = this.#root;
    const program = installProgram(root, thisProgram());
    // From here on launch.sh knows whom to wake; what it writes waits in the pipe until everything is adopted.
    const ended: Set<Parameters<Attempts['wake']>[0]> = new Set();
    let attempts: Attempts | null = null;
    const wake = openWake(root, (token) => (attempts === null ? ended.add(token) : attempts.wake(token)));
    replaceFile(
      `${root.run}/supervisor`,
      `${process.pid}\n${program.node}\n${program.wrapper}\n${program.hash}\n${program.protocol}\n${startTime(process.pid) ?? ''}\n`,
    );

    await removeInterrupted(root).catch(report);
    const journal = new Journal(root.journal);
    journal.append({ type: 'supervisor.started', program: program.hash, bootId: readBootId() });
    writeConfig(root);
    await applyConfig(root);
    const listener: TmuxListener = {
      onChange: () => this.#lookSoon(attempts),
      // Outside of tmux a logout could end it; the next supervisor is inside again, and adopts what runs.
      onLost: () => {
        const detail = `the server is gone; ${attempts?.running ?? 0} attempts ran`;
        journal.append({ type: 'tmux.lost', what: 'server', detail });
        replaceFile(serverLost(root), '');
        replaceSupervisor(root, program, this.#options);
      },
      tell: (fact) => journal.append(fact),
    };
    const tmux = new Tmux(root, listener, this.#options.stoppedMs);
    tmux.connect();
    const stuck = new StuckWatch({ file: `${root.run}/stuck`, tell: (fact) => journal.append(fact) });
    const stalls = new Stalls();
    const full = new FullDisk(root);
    const onEnded = (): void => this.#mayLeave(attempts);
    attempts = new Attempts({ root, program, journal, tmux, stuck, full, onEnded });
    const housekeeping = new Housekeeping(root, attempts, journal, { ...this.#options, full });
    adopt(root, journal, attempts);
    if (existsSync(serverLost(root))) {
      const detail = `a supervisor in a new server; ${attempts.running} attempts adopted`;
      journal.append({ type: 'tmux.mended', what: 'server', detail });
      rmSync(serverLost(root), { force: true });
    }
    for (const token of ended) attempts.wake(token);
    housekeeping.wake();

    const handle = requestHandler({
      root,
      program,
      journal,
      epoch: new Epoch(root),
      attempts,
      tmux,
      reserve: this.#options.reserve,
      stalls,
      onStarted: () => housekeeping.wake(),
      look: (entry) => housekeeping.look(entry),
      onRestart: () => replaceSupervisor(root, program, this.#options),
    });
    const server = await this.#listen((socket) => {
      const stream: Stream = new Stream(socket, {
        root,
        journal,
        handle,
        onHandover: (asked) => this.#handover(asked),
        onFollow: () => this.#takesOver(stream),
        onClose: () => {
          this.#streams.delete(stream);
          this.#mayLeave(attempts);
        },
      });
      this.#streams.add(stream);
      if (this.#idle !== null) clearTimeout(this.#idle);
    });
    const tidy = (): void => {
      sweepPrograms(root, program, programsNeeded(root));
      sweep(root).catch(report);
    };
    const sweeping = setInterval(tidy, SWEEP_MS).unref();
    tidy();
    this.#mayLeave(attempts);

    await this.#leave;
    clearInterval(sweeping);
    housekeeping.stop();
    stuck.stop();
    stalls.stop();
    server.close();
    rmSync(root.socket, { force: true });
    attempts.release();
    wake.destroy();
    await sweepViews(tmux).catch(() => {});
    tmux.close();
    await journal.close();
    this.#lock.release();
    // What still runs (a git process, a timer) belongs to work that the next supervisor does again.
    process.exit(0);
  }

  /** The lock is held, so a socket that is there is a dead one's. */
  async #listen(onStream: (socket: Socket) => void): Promise<Server> {
    rmSync(this.#root.socket, { force: true });
    const server = createServer({ allowHalfOpen: true }, onStream);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#root.socket, resolve);
    });
    return server;
  }

  /**
   * Two controllers of different versions would chase each other's supervisors away for ever. So while others are
   * connected, a program that speaks the same protocol is served by this one, and only one that does not gets the place.
   */
  #handover(asked: Handover): boolean {
    if (!asked.force && asked.protocol === PROTOCOL && this.#streams.size > 1) return false;
    this.#goAway();
    return true;
  }

  /**
   * A controller follows this node by one stream. When another one follows, those before it are what a cut left behind:
   * sshd hears of a cut that nobody tells only after a quarter of an hour, and each stream is a process meanwhile. One
   * that still says something is somebody's, as where a machine is listed twice.
   */
  #takesOver(newer: Stream): void {
    for (const older of this.#streams) {
      if (older === newer || !older.follows || older.epoch > newer.epoch) continue;
      const { heard } = older;
      setTimeout(() => {
        if (older.heard !== heard) return;
        older.end();
        endStoppedJoints(this.#root).catch(report);
      }, this.#options.quietMs).unref();
    }
  }

  #mayLeave(attempts: Attempts | null): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    const idle = (): boolean => this.#streams.size === 0 && attempts?.running === 0;
    if (!idle()) return;
    this.#idle = setTimeout(() => {
      if (idle()) this.#goAway();
    }, this.#options.idleMs);
  }

  #lookSoon(attempts: Attempts | null): void {
    if (this.#looking !== null) return;
    this.#looking = setTimeout(() => {
      this.#looking = null;
      attempts?.look();
    }, LOOK_MS);
  }
}

/** There while no supervisor lives in a tmux server again since one was lost. */
function serverLost(root: Root): string {
  return `${root.run}/tmux-lost`;
}

function report(error: unknown): void {
  process.stderr.write(`supervisor: ${error instanceof Error ? error.stack : String(error)}\n`);
}
