/**
 * What a path becomes on a file system that ignores case, normalisation and invisible characters (macOS, Windows): two
 * paths that fold to the same text are one file there. Folds too much rather than too little; use it to refuse, never
 * to accept.
 */
export function foldPath(path: string): string {
  return path
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .normalize('NFD')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFC');
}
