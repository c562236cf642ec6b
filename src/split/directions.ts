/** A file of directions, as a person writes it in the morning: one per `##` section, else one per top-level item, else one. */

export interface Direction {
  /** From 1, in the order of the file. */
  readonly number: number;
  /** First line, for whoever watches. */
  readonly title: string;
  readonly text: string;
}

/** The directions of a text; none when there is nothing in it. Front matter and HTML comments are for people. */
export function directionsOf(text: string): Direction[] {
  const body = text
    .replaceAll('\r\n', '\n')
    .replace(/^\uFEFF/, '')
    .replace(/^---\n[\s\S]*?\n---(?:\n|$)/, '')
    .replaceAll(/<!--[\s\S]*?-->/g, '');
  const sections = parts(body, /^##[ \t]+\S/);
  const found = sections.length > 0 ? sections : parts(body, /^(?:[-*+]|\d{1,3}[.)])[ \t]+\S/);
  const texts = (found.length > 0 ? found : [body]).map((part) => part.trim()).filter((part) => part !== '');
  return texts.map((part, index) => ({ number: index + 1, title: titleOf(part), text: part }));
}

/** Parts that begin with a line of this form; what stands before the first is an introduction. Fenced code begins nothing. */
function parts(body: string, begins: RegExp): string[] {
  const found: string[][] = [];
  let fence: string | null = null;
  for (const line of body.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined) fence = fence === null ? mark : mark.startsWith(fence) ? null : fence;
    if (fence === null && mark === undefined && begins.test(line)) found.push([line]);
    else found.at(-1)?.push(line);
  }
  return found.map((lines) => lines.join('\n'));
}

function titleOf(text: string): string {
  const first = text.split('\n').find((line) => line.trim() !== '') ?? '';
  return first.replace(/^\s*(?:#{1,6}|[-*+]|\d{1,3}[.)])[ \t]+/, '').trim();
}
