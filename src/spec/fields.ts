/** Fields that several schemas are made of. */
import * as z from 'zod';
import { isName } from '../model/ids.ts';
import { parseSize } from '../model/size.ts';
import { parseDuration } from '../model/time.ts';

export const LONGEST_SPAN_MS = 7 * 86_400_000;
const NAME = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';
// oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused
export const CONTROL = /[\u0000-\u001f\u007f]/;

/** Marks a refinement's problem with its own code; the message is a phrase that follows the value. */
type Refusal = { readonly code: string; readonly message: string };

export function refine(check: (text: string) => Refusal | null) {
  return (context: z.core.ParsePayload<string>): void => {
    const refusal = check(context.value);
    if (refusal === null) return;
    context.issues.push({
      code: 'custom',
      input: context.value,
      message: refusal.message,
      params: { code: refusal.code },
      continue: false,
    });
  };
}

export const name = (what: string) =>
  z
    .string()
    .check(
      refine((text) =>
        isName(text)
          ? null
          : {
              code: 'E_SPEC_NAME',
              message: `is not a valid ${what}: a letter or digit, then up to 63 of A-Z a-z 0-9 . _ -`,
            },
      ),
    )
    .meta({ pattern: NAME });

export const line = z.string().check(
  refine((text) => {
    if (text.trim() === '') return { code: 'E_SPEC_VALUE', message: 'is empty' };
    return CONTROL.test(text) ? { code: 'E_SPEC_VALUE', message: 'contains a control character' } : null;
  }),
);

export const argv = z
  .array(
    z
      .string()
      .check(
        refine((text) =>
          text.includes('\0') ? { code: 'E_SPEC_VALUE', message: 'contains a NUL character' } : null,
        ),
      ),
  )
  .min(1);

export const duration = z
  .union([z.string(), z.number()])
  .superRefine((value, context) => {
    const ms = parseDuration(value);
    if (ms !== null && ms <= LONGEST_SPAN_MS) return;
    const message = ms === null ? 'is not a span of time such as 90s, 30m or 1h30m' : 'is longer than 7 days';
    context.addIssue({ code: 'custom', message, params: { code: 'E_SPEC_VALUE' }, input: value });
  })
  .describe('A span of time: 90s, 30m, 1h30m, or a number of seconds.');

export const count = (least: number, most: number) => z.number().int().min(least).max(most);

export const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'is not a variable’s name: letters, digits and _');

export const secret = z
  .strictObject({
    env: variable.optional().describe('Name of a variable in the environment of the node.'),
    file: line.optional().describe('Path of a 0600 file on the node that holds the value.'),
  })
  .refine((value) => value.env !== undefined || value.file !== undefined, {
    message: 'needs `env` or `file`',
    params: { code: 'E_SPEC_VALUE' },
  });

export const size = z
  .union([z.string(), z.number()])
  .superRefine((value, context) => {
    if (parseSize(value) !== null) return;
    const message = 'is not a size such as 512MiB or 4GiB';
    context.addIssue({ code: 'custom', message, params: { code: 'E_SPEC_VALUE' }, input: value });
  })
  .describe('Bytes: 512MiB, 4GiB, or a number.');

/** Bytes of a size that the form has let through; null when none is given. */
export function sizeOf(given: string | number | undefined): number | null {
  return given === undefined ? null : parseSize(given);
}

/** A place on a node, outside of the repository. */
export const place = line.check(
  refine((text) =>
    /^(?:~\/|\/)./.test(text) && !text.split('/').includes('..')
      ? null
      : { code: 'E_SPEC_VALUE', message: 'is neither an absolute path nor one that begins with ~/' },
  ),
);
