import * as z from 'zod';
import { alertsSchema } from './alerts-schema.ts';
import { homeSchema } from './home-schema.ts';
import { executorsFileSchema, nodesSchema, projectSchema, specSchema } from './schema.ts';

/** JSON Schemas (draft 7, which every editor knows) by file name, as text: what the validator accepts in form. */
export function editorSchemas(): Readonly<Record<string, string>> {
  return {
    'spec.schema.json': render(specSchema),
    'project.schema.json': render(projectSchema),
    'executors.schema.json': render(executorsFileSchema),
    'nodes.schema.json': render(nodesSchema),
    'dispatch.schema.json': render(homeSchema),
    'alerts.schema.json': render(alertsSchema),
  };
}

function render(schema: z.ZodType): string {
  return `${JSON.stringify(z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }), null, 2)}\n`;
}
