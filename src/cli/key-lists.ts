import type * as z from 'zod';
import { executor } from '../spec/executor-schema.ts';
import { projectSchema, specSchema } from '../spec/schema.ts';

/** The keys of a spec's front matter, of project.yaml and of an executor with what each means, from the validator's own source. */
export function keyLists(): { readonly spec: string; readonly project: string; readonly executor: string } {
  return { spec: list(specSchema), project: list(projectSchema), executor: list(executor) };
}

function list(schema: z.ZodObject): string {
  const keys = Object.entries(schema.shape).map(([key, value]) => [
    key,
    (value as z.ZodType).description ?? '',
  ]);
  return keys.map(([key = '', text]) => `  ${key.padEnd(16)}${text}`.trimEnd()).join('\n');
}
