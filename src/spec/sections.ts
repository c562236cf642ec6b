/** The four sections of a spec's body, recognised by their headings in Chinese and in English. */

export interface Sections {
  /** null: no such heading. The text is trimmed; it may be empty. */
  readonly goal: string | null;
  readonly constraints: string | null;
  readonly acceptance: string | null;
  readonly dont: string | null;
  /** The first heading that is none of the four sections. */
  readonly heading: string | null;
}

type SectionName = Exclude<keyof Sections, 'heading'>;

/** The sections of a spec file's text, or of its body alone; fenced code is never a heading. A section may occur twice: its texts are joined. */
export function sectionsOf(text: string): Sections {
  const parts: Record<SectionName, string[] | null> = {
    goal: null,
    constraints: null,
    acceptance: null,
    dont: null,
  };
  let heading: string | null = null;
  let open: { lines: string[]; level: number } | null = null;
  for (const { line, title, level } of markdownLines(bodyOf(text))) {
    if (title === null) {
      open?.lines.push(line);
      continue;
    }
    const name = sectionName(title);
    if (name !== null) {
      const lines: string[] = parts[name] ?? [];
      parts[name] = lines;
      open = { lines, level };
    } else {
      heading ??= title;
      // A deeper heading is part of the section, one of the same level ends it.
      if (open !== null && level > open.level) open.lines.push(line);
      else open = null;
    }
  }
  const join = (lines: string[] | null): string | null => lines?.join('\n').trim() ?? null;
  return {
    goal: join(parts.goal),
    constraints: join(parts.constraints),
    acceptance: join(parts.acceptance),
    dont: join(parts.dont),
    heading,
  };
}

/** The Markdown after the front matter; all of it when there is none. */
export function bodyOf(text: string): string {
  const unix = (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text).replaceAll('\r\n', '\n');
  if (!unix.startsWith('---')) return unix;
  const end = unix.indexOf('\n---', 3);
  if (end < 0) return unix;
  const lineEnd = unix.indexOf('\n', end + 1);
  return lineEnd < 0 ? '' : unix.slice(lineEnd + 1);
}

/** What a person would call the task: its first own heading, else the first line of its goal; null when there is neither. */
export function titleOf(sections: Sections): string | null {
  const line = sections.heading ?? sections.goal?.split('\n').find((text) => text.trim() !== '') ?? null;
  if (line === null) return null;
  const plain = line
    .replace(/^\s*(?:[-*+>]|\d+[.)])\s+/, '')
    .replace(/(`+)(.+?)\1/g, '$2')
    .replace(/(\*{1,3})(\S(?:.*?\S)?)\1/g, '$2')
    // An underscore inside a word is part of a name, as in `post_id`.
    .replace(/(?<![\p{L}\p{N}_])(_{1,3})(\S(?:.*?\S)?)\1(?![\p{L}\p{N}_])/gu, '$2')
    // oxlint-disable-next-line no-control-regex -- a title is shown on terminals
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
    .trim();
  const chars = Array.from(plain);
  return plain === '' ? null : chars.length <= 120 ? plain : `${chars.slice(0, 119).join('')}…`;
}

interface MarkdownLine {
  readonly line: string;
  /** The heading's text, or null for any other line. */
  readonly title: string | null;
  readonly level: number;
}

function* markdownLines(body: string): Generator<MarkdownLine> {
  let fence: string | null = null;
  for (const line of body.split('\n')) {
    const ticks = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (ticks !== undefined && (fence === null || (ticks.startsWith(fence) && line.trim() === ticks))) {
      fence = fence === null ? ticks : null;
    }
    const marks = fence === null ? /^ {0,3}(#{1,6})[ \t]+(\S.*)$/.exec(line) : null;
    const title = marks?.[2]?.replace(/[ \t]+#+[ \t]*$/, '').trim() ?? null;
    yield { line, title, level: marks?.[1]?.length ?? 0 };
  }
}

const NAMES: Readonly<Record<string, SectionName>> = {
  目标: 'goal',
  目的: 'goal',
  任务目标: 'goal',
  goal: 'goal',
  goals: 'goal',
  约束: 'constraints',
  约束条件: 'constraints',
  限制: 'constraints',
  constraint: 'constraints',
  constraints: 'constraints',
  验收标准: 'acceptance',
  验收条件: 'acceptance',
  验收: 'acceptance',
  acceptance: 'acceptance',
  'acceptance criteria': 'acceptance',
  'acceptance criterion': 'acceptance',
  不要做: 'dont',
  不做: 'dont',
  不要: 'dont',
  禁止: 'dont',
  "don't": 'dont',
  "don't do": 'dont',
  "don'ts": 'dont',
  dont: 'dont',
  'do not': 'dont',
};

/** Both languages may stand in one heading: `目标 / Goal`, `验收标准（Acceptance）`. Numbering, emphasis and a final colon are left aside. */
function sectionName(title: string): SectionName | null {
  const plain = title
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[’‘`]/g, "'")
    .replace(/[*_]/g, '')
    .replace(/^(?:\d+(?:\.\d+)*[.)、:]?|[一二三四五六七八九十]+[、.])\s*/, '');
  for (const part of plain.split(/[/|()]/)) {
    const word = part.replace(/[\s:。.!]+$/, '').trim();
    const name = Object.hasOwn(NAMES, word) ? NAMES[word] : undefined;
    if (name !== undefined) return name;
  }
  return null;
}
