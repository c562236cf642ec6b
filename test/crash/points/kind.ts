/** Which kind of file a path of a home or a node is: the path without what differs from run to run. */
const ID = /[0-9a-f]{12,}/gu;
const NUMBER = /\d+/gu;
const SCRATCH = /(?<=\/(?:sandbox|remote|checkout|\.part)[-.])[A-Za-z0-9]{6}(?=[/.]|$)/u;
/** Trees and repositories of an attempt, and of a slot: what is in them is made again or is git's own. */
const INSIDE = /^((?:attempts\/\*|pool\/[^/]+\/#)\/(?:tree|check|git))\/.*$/u;

/** @param path absolute. @returns null for what lies outside of the run. */
export function kindOf(base: string, path: string): string | null {
  if (!path.startsWith(`${base}/`)) return null;
  const inside = path.slice(base.length + 1).replace(/^nodes\/[^/]+\//u, '');
  return inside.replace(SCRATCH, '?').replaceAll(ID, '*').replaceAll(NUMBER, '#').replace(INSIDE, '$1/**');
}
