/**
 * Whether this machine can build a sandbox: found out by building one, because a program that is installed may still be
 * forbidden to work (a container, AppArmor, a kernel setting). One real run, about 15 ms, once per supervisor; a
 * sandbox that does not work is tried again later, so that a person who mends it need not restart anything.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SandboxReport } from '../src/protocol/messages.ts';
import { findProgram } from './find-program.ts';
import type { Root } from './root.ts';
import { bubblewrapped, gatePlaces, INSIDE } from './sandbox-bubblewrap.ts';
import { systemView } from './sandbox-view.ts';

const run = promisify(execFile);

export type Sandbox =
  | {
      readonly by: 'bubblewrap';
      readonly detail: string;
      readonly program: string;
      readonly nestedOff: boolean;
    }
  | { readonly by: 'sandbox-exec'; readonly detail: string }
  | { readonly by: null; readonly detail: string; readonly fix: string };

export class NoSandbox extends Error {
  override readonly name = 'NoSandbox';
  constructor(
    { detail, fix }: Extract<Sandbox, { by: null }>,
    who = 'verify commands',
    without = 'trusted: true',
  ) {
    super(
      `this node has no sandbox for ${who}: ${detail}. ${fix}; or say \`${without}\` in project.yaml, and they run without one`,
    );
  }
}

const AGAIN_MS = 30_000;
const PATIENCE_MS = 20_000;

let known: { readonly at: number; readonly sandbox: Promise<Sandbox> } | null = null;

/** The sandbox of this node. Never throws: having none is an answer. */
export async function findSandbox(root: Root): Promise<Sandbox> {
  if (known !== null) {
    const sandbox = await known.sandbox;
    if (sandbox.by !== null || performance.now() - known.at < AGAIN_MS) return sandbox;
  }
  known = { at: performance.now(), sandbox: probeSandbox(root).catch(unknowable) };
  return await known.sandbox;
}

/** The same for people, tried anew. */
export async function reportSandbox(root: Root): Promise<SandboxReport> {
  known = null;
  const sandbox = await findSandbox(root);
  return { by: sandbox.by, detail: sandbox.detail, fix: sandbox.by === null ? sandbox.fix : null };
}

function unknowable(error: unknown): Sandbox {
  return {
    by: null,
    detail: `it could not be tried: ${firstLine(error)}`,
    fix: 'Look at the disk of the node',
  };
}

async function probeSandbox(root: Root): Promise<Sandbox> {
  return process.platform === 'darwin' ? await probeSandboxExec() : await probeBubblewrap(root);
}

async function probeSandboxExec(): Promise<Sandbox> {
  const profile = '(version 1)(allow default)(deny network*)';
  try {
    await run('/usr/bin/sandbox-exec', ['-p', profile, '/usr/bin/true'], { timeout: PATIENCE_MS });
    return { by: 'sandbox-exec', detail: 'sandbox-exec' };
  } catch (error) {
    const detail = `sandbox-exec does not work: ${firstLine(error)}`;
    return { by: null, detail, fix: 'It comes with macOS: look at Console for what forbids it' };
  }
}

async function probeBubblewrap(root: Root): Promise<Sandbox> {
  const program = findProgram('bwrap');
  if (program === null) {
    return { by: null, detail: 'bubblewrap is not installed', fix: 'Install it: apt install bubblewrap' };
  }
  const top = mkdtempSync(join(root.run, 'sandbox-'));
  try {
    const [tree, home, tmp] = ['tree', 'home', 'tmp'].map((name) => join(top, name)) as [
      string,
      string,
      string,
    ];
    for (const dir of [tree, home, tmp]) mkdirSync(dir);
    const view = systemView(root, []);
    let refusal: unknown = null;
    for (const nestedOff of [true, false]) {
      const argv = bubblewrapped(['/bin/sh', '-c', ':'], {
        program,
        nestedOff,
        view,
        env: { PATH: '/usr/bin:/bin', HOME: INSIDE.home },
        places: gatePlaces({ tree, home, tmp }),
        shown: [],
        network: false,
        reports: false,
      });
      try {
        await run(program, argv.slice(1), { timeout: PATIENCE_MS });
        const nested = nestedOff ? '' : ', too old to forbid user namespaces inside';
        return {
          by: 'bubblewrap',
          detail: `bubblewrap${await version(program)}${nested}`,
          program,
          nestedOff,
        };
      } catch (error) {
        refusal = error;
      }
    }
    return { by: null, detail: `bubblewrap does not work: ${firstLine(refusal)}`, fix: fixFor(settings()) };
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

async function version(program: string): Promise<string> {
  const { stdout } = await run(program, ['--version'], { timeout: PATIENCE_MS });
  return ` ${/\d[0-9.]*/.exec(stdout)?.[0] ?? ''}`.trimEnd();
}

interface KernelSettings {
  /** AppArmor keeps user namespaces to programs with a profile that allows them (Ubuntu 23.10 and newer). */
  readonly apparmor: boolean;
  /** Debian's switch. */
  readonly unprivileged: boolean;
  readonly most: number;
}

/** The command that mends what keeps bubblewrap from working, as far as the kernel's settings tell. Pure. */
export function fixFor({ apparmor, unprivileged, most }: KernelSettings): string {
  if (apparmor) {
    const profile = String.raw`abi <abi/4.0>,\ninclude <tunables/global>\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {\n  userns,\n}\n`;
    return `AppArmor forbids it; allow bwrap: printf '${profile}' | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap`;
  }
  if (!unprivileged) return 'User namespaces are off; as root: sysctl -w kernel.unprivileged_userns_clone=1';
  if (most === 0) return 'User namespaces are off; as root: sysctl -w user.max_user_namespaces=10000';
  return 'In a container it needs the right to make namespaces (docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined)';
}

function settings(): KernelSettings {
  return {
    apparmor:
      setting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns', 0) === 1 && process.getuid?.() !== 0,
    unprivileged: setting('/proc/sys/kernel/unprivileged_userns_clone', 1) === 1,
    most: setting('/proc/sys/user/max_user_namespaces', 1),
  };
}

function setting(file: string, otherwise: number): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return otherwise;
  }
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  return (stderr?.trim() || message || String(error)).split('\n')[0] ?? '';
}
