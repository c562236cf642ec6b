/** What commands of an attempt find around them, and where their secrets come from. */
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { SecretSource } from '../src/executors/invoke.ts';
import type { Root } from './root.ts';

const username = userInfo().username;

/** Environment that every command starts from; nothing else of the node's is inherited. */
export function baseEnvironment(home: string): Record<string, string> {
  const { PATH, LANG, TZ } = process.env;
  const env: Record<string, string> = {
    PATH: PATH ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    USER: username,
    LOGNAME: username,
    SHELL: '/bin/sh',
    LANG: LANG ?? 'C.UTF-8',
    TERM: 'dumb',
  };
  if (TZ !== undefined) env.TZ = TZ;
  return env;
}

export class MissingSecret extends Error {
  override readonly name = 'MissingSecret';
}

/**
 * Values of secrets on this node: the environment first, then the file, which must belong to this user alone.
 * @throws MissingSecret naming the variable, never a value.
 */
export function resolveSecrets(
  root: Root,
  secrets: Readonly<Record<string, SecretSource>>,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [variable, source] of Object.entries(secrets)) {
    const value =
      (source.env === undefined ? undefined : process.env[source.env]) ?? secretFile(root, variable, source);
    if (value !== null && value !== '') values[variable] = value;
    else if (!source.optional)
      throw new MissingSecret(`${variable} is not on this node: ${describe(source)}`);
  }
  return values;
}

function secretFile(root: Root, variable: string, { file }: SecretSource): string | null {
  if (file === undefined) return null;
  const path = file.startsWith('~/')
    ? join(process.env.HOME ?? homedir(), file.slice(2))
    : file.startsWith('/')
      ? file
      : join(root.path, file);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (!stat.isFile() || (stat.mode & 0o077) !== 0)
    throw new MissingSecret(`${variable}: ${path} must be a file that only its owner can read (chmod 600)`);
  return readFileSync(path, 'utf8').trim();
}

function describe({ env, file }: SecretSource): string {
  const places = [
    env === undefined ? null : `no variable ${env}`,
    file === undefined ? null : `no file ${file}`,
  ];
  return places.filter((place) => place !== null).join(', ') || 'no source is named';
}

/** True when the path is a directory itself, and no link. */
export function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
