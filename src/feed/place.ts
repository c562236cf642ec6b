/** Puts files where others look for them: whole or not at all, and never over one that is there. */
import { randomBytes } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** @returns false when a file of this name is there already; then nothing has changed. */
export async function placeNew(folder: string, name: string, text: string): Promise<boolean> {
  return withDraft(folder, name, text, async (draft) => {
    try {
      await link(draft, join(folder, name));
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
      throw error;
    }
  });
}

/** Puts the text in the place of whatever is there. */
export async function placeOver(folder: string, name: string, text: string): Promise<void> {
  await withDraft(folder, name, text, (draft) => rename(draft, join(folder, name)));
}

/** The draft is hidden, so that nobody takes it for a file, and gone in the end whatever happens. */
async function withDraft<T>(
  folder: string,
  name: string,
  text: string,
  use: (draft: string) => Promise<T>,
): Promise<T> {
  const draft = join(folder, `.${name}.${randomBytes(6).toString('hex')}.new`);
  try {
    const file = await open(draft, 'wx', 0o644);
    try {
      await file.writeFile(text);
      // Otherwise a crash may leave the name without the content.
      await file.sync();
    } finally {
      await file.close();
    }
    return await use(draft);
  } finally {
    await rm(draft, { force: true });
  }
}
