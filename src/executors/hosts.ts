/** Where an executor's model is, for a cage that lets it reach nothing else. */
import type { ExecutorDef } from '../model/executor.ts';
import { callOf } from './kinds.ts';

/** `host:port` of every service that its variables name, else those of its kind. Pure. */
export function hostsOf(def: Pick<ExecutorDef, 'kind' | 'call' | 'env'>): string[] {
  const named = Object.values(def.env).flatMap(hostOf);
  const own = def.call?.hosts;
  return own === undefined && named.length > 0 ? named : [...named, ...callOf(def).hosts];
}

function hostOf(value: string): string[] {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) return [];
  const { hostname, port, protocol } = new URL(value);
  return [`${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`];
}
