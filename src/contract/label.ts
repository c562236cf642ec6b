/** Words that say which side of an interface the example below them shows. */

export type Side = 'request' | 'response';

export interface Label {
  readonly side: Side;
  /** There is nothing to show: `Request: none`, `响应：无`, `Response 204`. */
  readonly empty: boolean;
}

const WORDS: readonly (readonly [Side, RegExp])[] = [
  ['request', /\b(?:request|req|input|params?|body|payload|请求)\b|请求|入参|参数/iu],
  ['response', /\b(?:response|resp|res|output|returns?|reply|result)\b|响应|返回|出参|应答/iu],
];

const NOTHING = /\b(?:none|empty|no (?:body|content))\b|无|空/iu;
const NO_CONTENT = /\b(?:204|304)\b/u;

/** The label in a line; null: it says nothing of a side. A long line is prose, and labels nothing. */
export function labelOf(line: string): Label | null {
  const plain = line.replaceAll(/[`*_#>-]/gu, ' ').trim();
  if (plain.length > 80) return null;
  const hits = WORDS.flatMap(([side, pattern]) => {
    const at = pattern.exec(plain)?.index;
    return at === undefined ? [] : [{ side, at }];
  });
  const [first] = hits.toSorted((a, b) => a.at - b.at);
  if (first === undefined) return null;
  const empty = NOTHING.test(plain) || (first.side === 'response' && NO_CONTENT.test(plain));
  return { side: first.side, empty };
}
