/**
 * Whether anybody answers for names at all. The system's own look-up cannot be ended: while no name server answers it keeps
 * a thread for ten seconds and more, and this process cannot end before. So a name is asked for first in a way that can.
 */
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { DispatchError } from '../../model/error.ts';

const HOSTS = '/etc/hosts';

/**
 * Returns when some name server has answered, whatever it said: the name may be known by other means.
 * @throws DispatchError E_SINK when none does before the signal.
 */
export async function needNameService(host: string, signal: AbortSignal): Promise<void> {
  // `[::1]` in an address.
  const name = host.replace(/^\[|\]$/gu, '').toLowerCase();
  if (isIP(name) !== 0 || name === 'localhost' || name.endsWith('.local') || (await isInHosts(name))) return;
  const resolver = new Resolver();
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    if (!signal.aborted) await resolver.resolve4(name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ETIMEOUT' || code === 'ECANCELLED' || code === 'ECONNREFUSED')
      throw new DispatchError('E_SINK', 'no name server answers', { cause: error });
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

async function isInHosts(name: string): Promise<boolean> {
  const text = await readFile(HOSTS, 'utf8').catch(() => '');
  return text.split('\n').some((line) => {
    const [names = ''] = line.toLowerCase().split('#');
    return names.trim().split(/\s+/u).slice(1).includes(name);
  });
}
