import { rename, stat, writeFile } from 'node:fs/promises';
import { nodesPath } from '../nodes-file.ts';

/** Puts the new text in the place of nodes.json at once: a controller that reads meanwhile sees the old or the new one. */
export async function writeNodes(home: string, text: string): Promise<void> {
  const file = nodesPath(home);
  const draft = `${file}.${process.pid}.new`;
  const mode = (await stat(file)).mode & 0o777;
  await writeFile(draft, text, { mode });
  await rename(draft, file);
}
