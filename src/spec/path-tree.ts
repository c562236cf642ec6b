import { nearest } from './nearest.ts';

interface Folder {
  /** null: a file. */
  readonly below: Map<string, Folder | null>;
}

/** The files of a commit as folders, to say whether a folder exists and which path a misspelt one most probably means. */
export class PathTree {
  readonly #root: Folder = { below: new Map() };
  /** One path per file name, for paths whose folders were left out. */
  readonly #byName = new Map<string, string>();

  constructor(paths: Iterable<string>) {
    for (const path of paths) this.#add(path);
  }

  /** True for a folder that has something in it; the top is ''. */
  hasFolder(path: string): boolean {
    let folder: Folder | null | undefined = this.#root;
    for (const name of path === '' ? [] : path.split('/')) folder = folder?.below.get(name);
    return folder !== undefined && folder !== null;
  }

  /** The nearest existing path: the same with each misspelt part mended, or a file of the same name elsewhere. */
  nearest(path: string): string | null {
    const found: string[] = [];
    let folder: Folder | null | undefined = this.#root;
    let mended = false;
    const names = path.split('/');
    for (const name of names) {
      if (folder === null || folder === undefined) break;
      const match: string | null = folder.below.has(name) ? name : nearest(name, folder.below.keys());
      if (match === null) break;
      mended ||= match !== name;
      found.push(match);
      folder = folder.below.get(match);
    }
    // With nothing mended the way simply ends where a new folder would begin.
    return mended ? found.join('/') : (this.#byName.get(names.at(-1) ?? '') ?? null);
  }

  #add(path: string): void {
    let folder = this.#root;
    const names = path.split('/');
    const file = names.pop() ?? '';
    for (const name of names) {
      let next = folder.below.get(name);
      if (next === undefined || next === null) folder.below.set(name, (next = { below: new Map() }));
      folder = next;
    }
    if (!folder.below.has(file)) folder.below.set(file, null);
    if (!this.#byName.has(file)) this.#byName.set(file, path);
  }
}
