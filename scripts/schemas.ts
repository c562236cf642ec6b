// Writes schemas/*.json, which let an editor complete keys and mark mistakes in specs, project.yaml and nodes.json. They come
// from the schemas that `dispatch validate` uses; a test fails when they are not current. Run: npx tsx scripts/schemas.ts
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { editorSchemas } from '../src/spec/editor-schemas.ts';

for (const [name, schema] of Object.entries(editorSchemas())) {
  writeFileSync(fileURLToPath(new URL(`../schemas/${name}`, import.meta.url)), schema);
}
