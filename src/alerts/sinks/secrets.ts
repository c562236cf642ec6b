/** Secrets of sinks, read at the moment they are used. */
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { DispatchError } from '../../model/error.ts';
import type { Secret } from '../../spec/alert-settings.ts';

export interface SecretPlaces {
  /** Files are named from here. */
  readonly home: string;
  /** A variable of the environment. */
  readonly variable: (name: string) => string | undefined;
}

/** Others of its group or of this machine may read or change it. */
const FOR_OTHERS = 0o077;

/**
 * The value without the blanks around it.
 * @throws DispatchError E_SINK when there is none, or when others may read the file. The value is in no message.
 */
export async function readSecret(secret: Secret, { home, variable }: SecretPlaces): Promise<string> {
  switch (secret.is) {
    case 'said':
      return secret.value;
    case 'env': {
      const value = variable(secret.name)?.trim() ?? '';
      if (value === '') throw missing(`the variable ${secret.name} is not set`, `export ${secret.name}=…`);
      return value;
    }
    case 'file': {
      const path = secret.path.startsWith('~/')
        ? join(homedir(), secret.path.slice(2))
        : resolve(home, secret.path);
      const mode = await stat(path).catch(() => null);
      if (mode === null)
        throw missing(`${secret.path} cannot be read`, `write it, and: chmod 600 ${secret.path}`);
      if ((mode.mode & FOR_OTHERS) !== 0)
        throw missing(`${secret.path} may be read by others`, `chmod 600 ${secret.path}`);
      const value = (await readFile(path, 'utf8')).trim();
      if (value === '') throw missing(`${secret.path} is empty`, `write the secret into ${secret.path}`);
      return value;
    }
  }
}

function missing(message: string, fix: string): DispatchError {
  return new DispatchError('E_SINK', message, { fix });
}
