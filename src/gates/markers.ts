/**
 * Words that say a thing is not done. A word counts where it is a remark of the author, not where it is part of the
 * program or of its texts: a to-do application, a form's `placeholder`, a phone number's `XXX` are left alone.
 */
import type { Language } from './language.ts';
import type { SplitLine } from './split-line.ts';

/** What on the line says that it is unfinished, or null. `previous` is the line before it in the same run. */
export function markerIn(
  text: string,
  split: SplitLine,
  previous: SplitLine | null,
  language: Language,
): string | null {
  switch (language.kind) {
    case 'code':
      return inComment(split.comment) ?? inCode(split, previous, language.name) ?? bareRemark(split);
    case 'prose':
      return inProse(text);
    case 'data':
      return inData(text);
    case 'unknown':
      return found(ANYWHERE, text);
    default:
      return null;
  }
}

/** Cyrillic and Greek capitals that look like the Latin ones of the marker words. */
const LOOKALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  [...'АAВBЕEКKМMНHОOРPСCТTХXІIЅSԌGԀDΑAΒBΕEΙIΚKΜMΝNΟOΡPΤTΧXᎠDꓓD'.matchAll(/(.)([A-Z])/gu)].map((pair) => [
    pair[1] ?? '',
    pair[2] ?? '',
  ]),
);

/** The text as a reader sees it: full-width and look-alike letters are Latin ones, invisible characters are gone. */
export function unmask(text: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/^[\u0001-\u007f]*$/.test(text)) return text;
  return text
    .normalize('NFKC')
    .replace(/[\p{Default_Ignorable_Code_Point}\0]/gu, '')
    .replace(/[\u0370-\u052f\u13a0-\u13ff\ua4d0-\ua4ff]/g, (char) => LOOKALIKES[char] ?? char);
}

// ------------------------------------------------------------------------------------------------ remarks in comments

function inComment(comment: string): string | null {
  if (comment === '') return null;
  const text = trimMarks(comment);
  return (
    found(MARKER_STARTS, text) ??
    found(REMARK_STARTS, text) ??
    (mentionsOnly(text) ? null : found(MARKER_WITHIN, text)) ??
    found(NOT_DONE, text) ??
    found(STAND_IN, text) ??
    found(CHINESE, text)
  );
}

/** Without the marks of the comment itself at its ends. */
function trimMarks(comment: string): string {
  let start = 0;
  let end = comment.length;
  while (start < end && MARKS.includes(comment[start] ?? '')) start++;
  while (end > start && MARKS.includes(comment[end - 1] ?? '')) end--;
  return comment.slice(start, end);
}

const MARKS = ' \t*!/<>#;%-';

/** `todo: x`, `TODO(me)`, `FIXME x`, `@todo`, `todo add x` at the start of a comment; capitals need no colon. */
const MARKER_STARTS = /^(?:TODO|FIXME|XXX|HACK)(?![\w'.-])(?!\s*(?:=|\||list\b|items?\b|apps?\b))/;
const REMARK_STARTS =
  /^(?:@?(?:todo|fixme)\s*(?:[:(!]|$)|@todo\b|(?:todo|fixme)\s+(?:implement|add|fix|remove|handle|write|finish|support|check|refactor|replace|use|make|test|clean|move)\b)/i;
/** In the middle of a comment only in capitals. */
const MARKER_WITHIN = /(?<![\w$.'"`-])(?<!\w[/])(?:TODO|FIXME|XXX(?![-./>]))(?![\w'"`-])(?!\.\w)/;

/** The word is spoken of, not used: in quotes, or as the name of a kind of thing. */
function mentionsOnly(text: string): boolean {
  return /(?:["'`](?:TODO|FIXME|XXX)\b|\b(?:TODO|FIXME|XXX)['`"]|\b(?:TODO|FIXME)\s+(?:items?|lists?|apps?|entr(?:y|ies)|cards?|columns?|status|states?|tasks?|comments?|markers?|tags?)\b)/.test(
    text,
  );
}

/** A whole comment that says so; a sentence about something else that is not implemented elsewhere is longer. */
const NOT_DONE =
  /^(?:(?:this|it|method|function|feature|logic|body)\b[\w\s]{0,24})?(?:(?:is|was|are)\s+)?(?:not\s+(?:yet\s+)?(?:been\s+)?implemented|unimplemented|to\s+be\s+implemented|to\s+be\s+done|implement\s+(?:me|this|later))(?:\s+(?:yet|here|later|for now))?\W*$/i;
const STAND_IN =
  /^(?:(?:just |only |simple |temporary )*(?:this is )?(?:just )?(?:an? )?(?:placeholder|stub)(?:\s+(?:for now|until\b.*|implementation.*|body|logic|code|function|method)|\s*[:.!-].*)?)$|\b(?:placeholder|stub(?:bed)?|dummy) implementation\b|\b(?:your|real|actual) (?:code|implementation|logic) (?:goes |should go |would go )?here\b|\b(?:stub(?:bed)?|placeholder|hard-?coded|faked?|mock(?:ed)?)(?: out)? for now\b|\bimplement(?:ation)? (?:goes here|later)\b/i;
const CHINESE = /待实现|未实现|待完成|待补充|稍后实现|以后实现|占位(?:符)?(?:实现|代码|函数|逻辑)|^待办/;

// ------------------------------------------------------------------------------------------------------ what code says

function inCode(split: SplitLine, previous: SplitLine | null, language: string): string | null {
  const { code, strings } = split;
  const rule = CODE_RULES.find((one) => (one.only?.includes(language) ?? true) && one.says.test(code));
  const excused = rule?.says === RAISES_NOT_IMPLEMENTED && strings.some((text) => ABOUT_OTHERS.test(text));
  if (rule !== undefined && !excused) return rule.says.exec(code)?.[0].trim() ?? null;
  if (strings.length === 0) return null;
  const throwing =
    THROWS.test(code) || (/[([,]\s*$/.test(previous?.code ?? '') && THROWS.test(previous?.code ?? ''));
  const words = throwing ? strings.find((text) => UNDONE_TEXT.test(text)) : undefined;
  const returned = /^\s*(?:return|yield)\s*\(?\s*""\s*\)?\s*;?\s*\}?\s*$/.test(code)
    ? strings.find((text) => UNDONE_RESULT.test(text))
    : undefined;
  return words ?? returned ?? strings.find((text) => REMARK_TEXT.test(text)) ?? null;
}

const RAISES_NOT_IMPLEMENTED =
  /\b(?:raise|throw)\s+(?:new\s+)?(?:[\w.]+\.)?NotImplemented(?:Error|Exception)?\b/;
/** Said with the exception, it is about the platform, the input or the subclass, not about this code. */
const ABOUT_OTHERS =
  /\b(?:un)?support(?:ed|s)?\b|\bavailable\b|\bplatform\b|\bsubclass(?:es)?\b|\bsub-class|\babstract\b|\boverrid(?:e|den)\b/i;
const CODE_RULES: readonly { readonly says: RegExp; readonly only?: readonly string[] }[] = [
  { says: RAISES_NOT_IMPLEMENTED },
  { says: /\breturn\s+NotImplemented\b/, only: ['py', 'pyx'] },
  { says: /\bthrow\s+(?:new\s+)?(?:[\w.]+\.)?(?:UnsupportedOperationException|UnimplementedError)\b/ },
  { says: /(?<![\w:.])(?:todo|unimplemented)!\s*[([{]/, only: ['rs'] },
  { says: /(?<![\w.])TODO\s*\(/, only: ['kt', 'kts'] },
  { says: /=\s*\?\?\?\s*$/, only: ['scala', 'sc'] },
  {
    says: /(?<![\w.])(?:it|test|describe)(?:\.concurrent)?\.todo\s*\(/,
    only: ['js', 'jsx', 'mjs', 'cjs', 'ts', 'tsx', 'mts', 'cts'],
  },
];

/** Something is refused or fails here: what the string says is then about the code itself. */
const THROWS =
  /\b(?:throw|raise|panic|fatalError|die|croak|abort|bail|reject|fail|Errorf|errors\.New|NotImplementedError|assert\w*)\b|\bnew\s+\w*(?:Error|Exception)\b|\b\w*(?:Error|Exception)\s*\(|\berror\s*\(|\bErr\s*\(/;
const UNDONE_TEXT =
  /(?<!\b(?:when|if|where|that|which)\b[^.]{0,30})\bnot\s+(?:yet\s+)?implemented\b|\bunimplemented\b|^\s*(?:(?:todo|fixme)\b|(?:placeholder|stub)(?:\s*(?:[:.!]|$|implementation)))|\bimplement me\b|\bto be implemented\b|未实现|待实现/i;
const UNDONE_RESULT =
  /^\s*(?:TODO|FIXME|placeholder|stub|not (?:yet )?implemented|implement me|lorem ipsum.*)\W*$/i;
/** A text that is a remark wherever it stands. */
const REMARK_TEXT = /^\s*(?:TODO|FIXME|XXX)(?::|\s*\(\w+\)\s*:)\s+\S/;

/** The first words of a line that belongs to a comment whose beginning was there before: prose, not code. */
function bareRemark(split: SplitLine): string | null {
  return (
    /^\s*(?:[-*]\s+)?(?:TODO|FIXME|XXX|HACK)(?:\s*\([\w ]*\))?\s*:?(?:\s+[\w'-]+){3,}[.!]?\s*$/
      .exec(split.code)?.[0]
      .trim() ?? null
  );
}

// ------------------------------------------------------------------------------------------------- texts of other kinds

/** In texts for people a marker counts with a colon or in brackets, and not inside of code. */
function inProse(text: string): string | null {
  const remark = /<!--(.*?)(?:-->|$)/.exec(text)?.[1];
  const prose = text.replace(/(`+).*?\1/g, '');
  return found(PROSE, prose) ?? (remark === undefined ? null : inComment(remark));
}

const PROSE = /(?<![\w/.-])(?:TODO|FIXME|XXX|TBD)(?:\s*\([\w ,.-]*\))?:|[[(](?:TODO|FIXME|XXX|TBD)[\])]/;

/** `TODO` alone is a word of other languages and of many programs. */
function inData(text: string): string | null {
  return found(/(?<![\w/.-])(?:TODO|FIXME)(?:\s*\([\w ]*\))?:\s+\w|"FIXME"/, text);
}

/** Nothing is known of the file: only the words themselves, in capitals, standing alone. */
const ANYWHERE = /(?<![\w\-./#@$'"`%\\])(?:TODO|FIXME|XXX)(?![\w'"`\\]|[-./]\w)/;

function found(pattern: RegExp, text: string): string | null {
  return pattern.exec(text)?.[0].trim().slice(0, 60) ?? null;
}
