/** A repository's tree for a prompt: every path while there is room, whole folders with their counts where there is not. */

/** Lines of at most `limit` characters together. The deepest level that fits is shown; what lies below it is counted. */
export function treeText(paths: readonly string[], limit: number): string {
  const deepest = paths.reduce((most, path) => Math.max(most, path.split('/').length), 1);
  for (let depth = deepest; depth > 1; depth--) {
    const text = linesTo(paths, depth).join('\n');
    if (text.length <= limit) return text;
  }
  return cut(linesTo(paths, 1), limit);
}

function linesTo(paths: readonly string[], depth: number): string[] {
  const folders = new Map<string, number>();
  const files: string[] = [];
  for (const path of paths) {
    const parts = path.split('/');
    if (parts.length <= depth) {
      files.push(oneLine(path));
      continue;
    }
    const folder = oneLine(parts.slice(0, depth).join('/'));
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
  }
  const counted = Array.from(folders, ([folder, n]) => `${folder}/ (${n} file${n === 1 ? '' : 's'})`);
  return [...files, ...counted].sort();
}

function cut(lines: readonly string[], limit: number): string {
  let used = 0;
  const fitting = lines.findIndex((line) => (used += line.length + 1) > limit);
  if (fitting < 0) return lines.join('\n');
  return [...lines.slice(0, fitting), `and ${lines.length - fitting} more`].join('\n');
}

/** A name may hold anything but a slash. */
function oneLine(path: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly these are replaced
  return path.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '�');
}
