/** The section `serve` of dispatch.yaml: where `dispatch serve` answers /health. */
import * as z from 'zod';
import { refine } from './fields.ts';

export interface ServeSettings {
  /** Null: nowhere. */
  readonly listen: { readonly host: string; readonly port: number } | null;
}

export const DEFAULT_SERVE: ServeSettings = { listen: { host: '127.0.0.1', port: 7070 } };

const listen = z.string().check(
  refine((text) =>
    text === 'off' || addressOf(text) !== null
      ? null
      : {
          code: 'E_SPEC_VALUE',
          message: 'is not an address of this machine alone, such as 127.0.0.1:7070, [::1]:7070, or off',
        },
  ),
);

export const serveSection = z
  .strictObject({
    listen: listen
      .optional()
      .describe('Where /health is answered: 127.0.0.1:7070 by default, port 0 for any free one, or off.'),
  })
  .describe('`dispatch serve`: `{ listen: "127.0.0.1:7070" }`.');

export function serveOf(input: { readonly listen?: string | undefined } | undefined): ServeSettings {
  if (input?.listen === undefined) return DEFAULT_SERVE;
  return { listen: addressOf(input.listen) };
}

/** Only loopback: what is answered there is for this machine. */
function addressOf(text: string): { host: string; port: number } | null {
  const found = /^(?:(localhost|127(?:\.\d{1,3}){3})|\[(::1)\]):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  if (found === null || port > 65_535) return null;
  return { host: found[2] ?? (found[1] === 'localhost' ? '127.0.0.1' : (found[1] ?? '127.0.0.1')), port };
}
