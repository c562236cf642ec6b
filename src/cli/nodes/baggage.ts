/**
 * What travels with bootstrap.sh: its arguments, and the files they name. A file of this machine becomes a file beside the
 * script over there, so a key is never in an argument list on either side.
 */
import { readFile } from 'node:fs/promises';
import { DispatchError } from '../../model/error.ts';
import type { Context } from '../context.ts';
import type { TrustOptions } from './trust.ts';

export interface BootstrapOptions extends TrustOptions {
  readonly name?: string;
  readonly slots?: string;
  readonly mode?: string;
  readonly user?: string;
  readonly root?: string;
  readonly authorize?: string;
  readonly address?: string;
  /** `NAME=FILE`, or `NAME` to be asked here. */
  readonly key?: readonly string[];
  readonly registry?: string;
  readonly tuneSshd?: boolean;
  readonly keepNode?: boolean;
  readonly check?: boolean;
  readonly dryRun?: boolean;
  readonly uninstall?: boolean;
  readonly purge?: boolean;
  readonly sshConfig?: string;
  readonly transport?: string;
  /** False: nodes.json stays as it is. */
  readonly add?: boolean;
  /** Only print the script. */
  readonly script?: boolean;
}

export interface Baggage {
  readonly args: readonly string[];
  readonly files: Readonly<Record<string, Buffer>>;
}

const VALUES = ['slots', 'mode', 'user', 'root', 'address', 'registry'] as const;
const SWITCHES = {
  tuneSshd: '--tune-sshd',
  keepNode: '--keep-node',
  check: '--check',
  dryRun: '--dry-run',
  uninstall: '--uninstall',
  purge: '--purge',
} as const;

/** @param fallback name for a machine that has none. @throws DispatchError E_USAGE, or E_NEEDS_TERMINAL when a key would have to be asked for. */
export async function baggage(
  context: Context,
  fallback: string,
  options: BootstrapOptions,
): Promise<Baggage> {
  // A machine that has a name keeps it.
  const args = ['--pushed', fallback, ...(options.name === undefined ? [] : ['--name', options.name])];
  const files: Record<string, Buffer> = {};
  for (const flag of VALUES) if (options[flag] !== undefined) args.push(`--${flag}`, options[flag]);
  for (const [option, flag] of Object.entries(SWITCHES))
    if (options[option as keyof typeof SWITCHES] === true) args.push(flag);
  if (options.authorize !== undefined) {
    files.authorize = await readLocal('--authorize', options.authorize);
    args.push('--authorize', 'authorize');
  }
  for (const given of options.key ?? []) {
    const { name: key, content } = await keyOf(context, given);
    files[`key-${key}`] = content;
    args.push('--key', `${key}=key-${key}`);
  }
  // One per line on the way there.
  const broken = args.find((arg) => /[\0\r\n]/u.test(arg));
  if (broken === undefined) return { args, files };
  throw new DispatchError('E_USAGE', `${JSON.stringify(broken)} has a line break in it`);
}

export function changesNothing({ check, dryRun }: BootstrapOptions): boolean {
  return check === true || dryRun === true;
}

async function keyOf(context: Context, given: string): Promise<{ name: string; content: Buffer }> {
  const at = given.indexOf('=');
  const name = at < 0 ? given : given.slice(0, at);
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/u.test(name))
    throw new DispatchError('E_USAGE', '--key takes NAME=FILE, or NAME to be asked', {
      why: 'NAME is the file below secrets/ that the executor reads: anthropic, claude-oauth, glm, minimax, …',
    });
  if (at >= 0) return { name, content: await readLocal(`--key ${name}`, given.slice(at + 1)) };
  return { name, content: Buffer.from(`${await asked(context, name)}\n`) };
}

async function asked({ environment }: Context, name: string): Promise<string> {
  if (!environment.interactive)
    throw new DispatchError('E_NEEDS_TERMINAL', `there is nobody to ask for the key ${name}`, {
      fix: `put it into a file that only you can read, and give --key ${name}=FILE`,
    });
  const { password, isCancel } = await import('@clack/prompts');
  const value = await password({ message: `Key ${name}`, output: process.stderr });
  if (!isCancel(value) && value !== undefined && value !== '') return value;
  throw new DispatchError('E_DECLINED', 'no key was given; nothing was changed');
}

/** The name of the file is not repeated in the message: somebody may have written the key itself there. */
async function readLocal(flag: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new DispatchError('E_USAGE', `${flag}: that is not a file that can be read`, {
      why: (cause as NodeJS.ErrnoException).code ?? 'it cannot be read',
      fix: 'keys and the like come from files, never from the command line',
    });
  }
}
