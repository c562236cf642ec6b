/**
 * Whether a program can be called as its executor calls it. Flags of agents change often, and one that is gone shows only
 * as an agent that fails in a strange way; so its version and its help are looked at first.
 */
import type { ExecutorDef, ProbeRule, ProgramReport } from '../model/executor.ts';
import { callOf } from './kinds.ts';

/** What a node is asked about one executor. */
export interface ProbeAsk {
  /** Name or absolute path, as the command begins. */
  readonly program: string;
  readonly rule: ProbeRule;
}

/** Null where nothing is asked: a shell command, a wrapper of another name, a program that comes with the tree. */
export function probeOf(def: Pick<ExecutorDef, 'kind' | 'call' | 'command'>): ProbeAsk | null {
  const rule = callOf(def).probe;
  const program = def.command[0];
  if (rule === null || program === undefined) return null;
  const isPath = program.includes('/');
  if (isPath && !program.startsWith('/')) return null;
  const name = program.slice(program.lastIndexOf('/') + 1);
  return rule.program === null || rule.program === name ? { program, rule } : null;
}

/** What a node's answer is kept under; null where nothing is asked. */
export function programKey(def: Pick<ExecutorDef, 'name' | 'kind' | 'call' | 'command'>): string | null {
  const known = keys.get(def);
  if (known !== undefined) return known;
  const ask = probeOf(def);
  const key = ask === null ? null : ask.program === def.name ? def.name : `${def.name} (${ask.program})`;
  keys.set(def, key);
  return key;
}

/** Definitions never change, and the scheduler asks for the same few again and again. */
const keys = new WeakMap<object, string | null>();

/**
 * What the program's own words say about it.
 * @param said output of `rule.version`, then of each `rule.help`; null: no answer in time, or it failed.
 */
export function judgeProgram(
  { program, rule }: ProbeAsk,
  said: { readonly version: string | null; readonly help: readonly (string | null)[] },
): Pick<ProgramReport, 'version' | 'problems'> {
  const name = program.slice(program.lastIndexOf('/') + 1);
  const problems: string[] = [];
  const version = said.version === null ? null : (/\d+(?:\.[0-9A-Za-z-]+)+/.exec(said.version)?.[0] ?? null);
  if (said.version === null) problems.push(`${name} ${rule.version.join(' ')} fails`);
  else if (rule.least !== null && (version === null || isOlder(version, rule.least)))
    problems.push(`${name} ${version ?? 'of no known version'} is older than ${rule.least}`);
  for (const [i, { args, flags }] of rule.help.entries()) {
    const text = said.help[i] ?? null;
    const call = [name, ...args.filter((arg) => !arg.startsWith('-'))].join(' ');
    if (text === null) problems.push(`${name} ${args.join(' ')} fails`);
    else {
      const missing = flags.filter((flag) => !mentions(text, flag));
      if (missing.length > 0)
        problems.push(`${call} ${version ?? ''} has no ${missing.join(', ')}`.replace('  ', ' '));
    }
  }
  return { version, problems };
}

/** The word itself, not the beginning of a longer one. */
function mentions(text: string, flag: string): boolean {
  const literal = flag.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w-])${literal}(?![\\w-])`).test(text);
}

function isOlder(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) =>
    text.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0),
  );
  for (let i = 0; i < Math.max(a?.length ?? 0, b?.length ?? 0); i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
