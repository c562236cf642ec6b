/**
 * What the user chose, from the nearest source that says it: flag, DISPATCH_* variable, ./dispatch.yaml,
 * $XDG_CONFIG_HOME/dispatch/config.yaml, default. Each setting remembers where it came from, so that a message can say it.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DispatchError } from '../model/error.ts';
import type { Environment } from './environment.ts';
import { nearest } from '../spec/nearest.ts';

export const FORMATS = ['table', 'json', 'ndjson', 'name', 'wide'] as const;
export type Format = (typeof FORMATS)[number];
export const COLORS = ['auto', 'always', 'never'] as const;
export type Color = (typeof COLORS)[number];
export const PROGRESS = ['auto', 'plain', 'quiet'] as const;
export type Progress = (typeof PROGRESS)[number];

export interface Settings {
  /** Absolute path, or null: search upwards. */
  readonly home: { readonly path: string; readonly from: string } | null;
  readonly output: Format;
  readonly color: Color;
  readonly progress: Progress;
  /** A `.md` file given to `-o`: the verb writes Markdown there. */
  readonly file: string | null;
}

/** Global options as commander parsed them. */
export interface GlobalOptions {
  readonly home?: string;
  readonly output?: string;
  readonly json?: boolean;
  readonly color?: string;
  readonly progress?: string;
  readonly quiet?: boolean;
}

const KEYS = ['home', 'output', 'color', 'progress'] as const;
/** What else dispatch.yaml of a home says; read and checked where it is used. */
const SECTIONS: readonly string[] = ['models', 'feed', 'report', 'serve', 'budget', 'prices'];
type Key = (typeof KEYS)[number];
interface Said {
  readonly value: string;
  /** Shown to a person: `--output`, `DISPATCH_OUTPUT`, a file. */
  readonly from: string;
  /** What a relative path in it is relative to. */
  readonly base: string;
}
type Layer = Partial<Record<Key, Said>>;

/** @throws DispatchError E_CONFIG or E_USAGE naming the source of a value that is not understood. */
export async function readSettings(environment: Environment, options: GlobalOptions): Promise<Settings> {
  const layers = [
    fromOptions(environment, options),
    fromVariables(environment),
    await fromFile(join(environment.cwd, 'dispatch.yaml')),
    await fromFile(userConfigFile(environment)),
  ];
  const said = (key: Key): Said | undefined =>
    layers.map((layer) => layer[key]).find((it) => it !== undefined);
  const home = said('home');
  const output = said('output');
  const file = output?.from === '--output' && output.value.endsWith('.md') ? output.value : null;
  return {
    home: home === undefined ? null : { path: resolve(home.base, home.value), from: home.from },
    output: file === null ? oneOf(output, 'output', FORMATS, 'table') : 'table',
    color: oneOf(said('color'), 'color', COLORS, 'auto'),
    progress: oneOf(said('progress'), 'progress', PROGRESS, 'auto'),
    file: file === null ? null : resolve(environment.cwd, file),
  };
}

export function userConfigFile(environment: Environment): string {
  const base = environment.variables.XDG_CONFIG_HOME ?? join(environment.userHome, '.config');
  return join(base, 'dispatch', 'config.yaml');
}

function fromOptions({ cwd }: Environment, options: GlobalOptions): Layer {
  const layer: Layer = {};
  const put = (key: Key, value: string | undefined, from: string): void => {
    if (value !== undefined) layer[key] = { value, from, base: cwd };
  };
  put('home', options.home, '--home');
  put('output', options.json === true ? 'json' : options.output, '--output');
  put('color', options.color, '--color');
  put('progress', options.quiet === true ? 'quiet' : options.progress, '--progress');
  return layer;
}

function fromVariables({ cwd, variables }: Environment): Layer {
  const layer: Layer = {};
  for (const key of KEYS) {
    const from = `DISPATCH_${key.toUpperCase()}` as `DISPATCH_${'HOME' | 'OUTPUT' | 'COLOR' | 'PROGRESS'}`;
    const value = variables[from];
    if (value !== undefined) layer[key] = { value, from, base: cwd };
  }
  return layer;
}

async function fromFile(file: string): Promise<Layer> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    // Most people have no such file, and one that cannot be read must not stop `dispatch status`.
    return {};
  }
  const { readYaml } = await import('./read-yaml.ts');
  const read = readYaml(text);
  if ('problem' in read) {
    throw new DispatchError('E_CONFIG', 'the configuration file is not YAML', {
      where: file,
      why: read.problem,
      fix: `mend or delete ${file}`,
    });
  }
  const content = read.content ?? {};
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new DispatchError('E_CONFIG', 'the configuration file is not a list of `key: value` lines', {
      where: file,
    });
  }
  return layerOf(content as Record<string, unknown>, file);
}

function layerOf(content: Record<string, unknown>, file: string): Layer {
  const layer: Layer = {};
  for (const [key, value] of Object.entries(content)) {
    if (SECTIONS.includes(key)) continue;
    if (!(KEYS as readonly string[]).includes(key)) {
      const near = nearest(key, KEYS);
      throw new DispatchError('E_CONFIG', `unknown key ${JSON.stringify(key)}`, {
        where: file,
        fix: near === null ? `the keys are ${KEYS.join(', ')}` : `did you mean ${JSON.stringify(near)}?`,
      });
    }
    if (typeof value !== 'string') {
      throw new DispatchError('E_CONFIG', `${key} is not a text`, {
        where: file,
        why: `it is ${JSON.stringify(value)}`,
      });
    }
    layer[key as Key] = { value, from: file, base: dirname(file) };
  }
  return layer;
}

function oneOf<T extends string>(said: Said | undefined, key: string, allowed: readonly T[], fallback: T): T {
  if (said === undefined) return fallback;
  if ((allowed as readonly string[]).includes(said.value)) return said.value as T;
  const near = nearest(said.value, allowed);
  throw new DispatchError(
    said.from.startsWith('--') ? 'E_USAGE' : 'E_CONFIG',
    `${JSON.stringify(said.value)} is not a value of ${key}`,
    { where: said.from, fix: near === null ? `one of ${allowed.join(', ')}` : `did you mean ${near}?` },
  );
}
