import { readFileSync } from 'node:fs';

/** True while the process runs or sleeps; a zombie whose parent has not looked yet is not alive. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
