/** Limits that a shell can set on the command that it becomes. Pure but for the kernel's version. */
import { release } from 'node:os';
import type { SandboxLimits } from '../src/model/sandbox.ts';

/**
 * The command's argv with its limits.
 * @param alone no control group holds memory and processes, so the shell's limits must, as far as they go.
 */
export function limited(command: string, limits: ShellLimits, alone: boolean): string[] {
  const lines = shellLimits(limits, { group: !alone, mine: true });
  return ['/bin/sh', '-c', `${lines.join('; ')}; exec /bin/sh -c "$1"`, 'sh', command];
}

/** What a shell can bound. */
type ShellLimits = Pick<SandboxLimits, 'memory' | 'processes' | 'fileSize'>;

/**
 * Lines that bound the shell that reads them, and what it becomes. Processes are counted per user namespace since Linux
 * 5.14 and per user of the whole machine before (where a limit would hit strangers), and never for root. Memory is bounded
 * by address space, which node, Go and the JVM reserve by the dozen of gigabytes: only when the project asks for it.
 * @param held `group`: a control group holds memory and processes. `mine`: it runs in a user namespace of its own.
 */
export function shellLimits(
  limits: ShellLimits,
  { group, mine }: { readonly group: boolean; readonly mine: boolean },
): string[] {
  const lines = ['ulimit -c 0', `ulimit -f ${Math.ceil(limits.fileSize / 512)}`];
  // bash says -u, dash says -p.
  if (!group && mine && countsPerNamespace(release()))
    lines.push(`{ ulimit -u ${limits.processes} || ulimit -p ${limits.processes}; } 2>/dev/null`);
  if (!group && limits.memory !== null) lines.push(`ulimit -v ${Math.ceil(limits.memory / 1024)}`);
  return lines;
}

/** @param kernel as `uname -r` says it, of Linux; other systems count per user. */
function countsPerNamespace(kernel: string): boolean {
  if (process.platform !== 'linux') return false;
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  return major > 5 || (major === 5 && minor >= 14);
}
