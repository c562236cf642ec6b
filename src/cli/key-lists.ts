import type * as z from 'zod';
import { projectSchema, specSchema } from '../spec/schema.ts';

/** The keys of a spec's front matter and of project.yaml with what each means, from the validator's own source. */
export function keyLists(): { readonly spec: string; readonly project: string } {
  return { spec: list(specSchema), project: list(projectSchema) };
}

function list(schema: z.ZodObject): string {
  const keys = Object.entries(schema.shape).map(([key, value]) => [
    key,
    (value as z.ZodType).description ?? '',
  ]);
  return keys.map(([key = '', text]) => `  ${key.padEnd(16)}${text}`.trimEnd()).join('\n');
}
