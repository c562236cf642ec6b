/**
 * A written plan belongs to a person and to the program: between two marks stands what is written anew each time, and
 * everything else is kept as it is.
 */

export type PartName = 'summary' | 'milestones' | 'tree' | 'contract' | 'risks';

export interface Part {
  readonly name: PartName;
  readonly text: string;
}

/** The document with these parts: each in its place where it has one, else behind all others. @param before null: there is none. */
export function withParts(before: string | null, title: string, parts: readonly Part[]): string {
  let text = before ?? `# ${title}\n`;
  for (const part of parts) {
    const [begin, end] = marks(part.name);
    const fresh = `${begin}\n\n${part.text.trim()}\n\n${end}`;
    const from = text.indexOf(begin);
    const to = from < 0 ? -1 : text.indexOf(end, from);
    // A mark that has lost its partner is left alone: what stands behind it may be a person's.
    text =
      to < 0
        ? `${text.trimEnd()}\n\n${fresh}\n`
        : `${text.slice(0, from)}${fresh}${text.slice(to + end.length)}`;
  }
  return text;
}

function marks(name: PartName): readonly [begin: string, end: string] {
  return [`<!-- dispatch:begin ${name} -->`, `<!-- dispatch:end ${name} -->`];
}
