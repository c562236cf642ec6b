/**
 * What our own rules find in a diff before any model sees it: text that speaks to whoever reviews, and characters that
 * hide text. Neither can be talked away, because no model is asked. Code about reviews or prompts may meet the words by
 * accident; then a person sees it once and says so.
 */
import type { LookFinding } from '../model/second-look.ts';
import type { FileDiff } from './diff.ts';
import { hiddenIn } from './hidden.ts';

/** Said to a model, in the languages in which models are steered most. Letters are compared without accents and look-alikes. */
const STEERS: readonly RegExp[] = [
  /\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|any|system|your)\b.{0,30}\b(?:instructions?|prompts?|rules?|messages?)\b/,
  /\b(?:dear|note to|attention|hey|message to|instructions? (?:to|for)|to) (?:the |all |any |an )?(?:ai|llm|language model|model|code ?reviewers?|reviewers?|reviewing model|assistant)\b/,
  /\byou are (?:now )?(?:a |an |the )?(?:code ?reviewer|reviewer|ai|assistant|language model)\b/,
  /\b(?:approve|accept|lgtm)\b.{0,40}\b(?:this|the) (?:diff|change|patch|merge|pull request|pr|commit)\b/,
  /\b(?:report|return|output|answer|respond|reply)\b.{0,30}\b(?:no|zero|only|without|an? empty)\b.{0,20}\b(?:findings?|issues?|problems?|list)\b/,
  /"?(?:verdict|findings)"?\s*[:=]\s*(?:\[\s*\]|"?(?:clean|approved?|pass|ok)\b)/,
  /\bend of (?:the )?(?:diff|data|untrusted|material|input)\b/,
  /<\/?(?:system|assistant|user|instructions?|diff|data|untrusted)>|\[\/?inst\]|<\|im_(?:start|end)\|>/,
  /(?:忽略|无视|忘记).{0,12}(?:指令|指示|提示|规则|要求)|(?:审查|评审|审核)(?:者|员|模型|人).{0,20}(?:批准|通过|同意)|(?:直接|请)(?:批准|通过)/,
];

/** Small Cyrillic and Greek letters that look like Latin ones, each before the one that it looks like. */
const PAIRS = 'аaвbеeкkмmнhоoрpсcтtуyхxіiјjѕsһhԁdԛqѡwαaβbεeηnιiκkμmνvοoρpτtυuχxγy';
const ALIKE = new Map([...PAIRS.matchAll(/(.)(.)/gu)].map(([, from = '', to = '']) => [from, to] as const));

const LONGEST_READ = 4000;
/** One file full of them says no more than its first lines. */
const MOST_PER_FILE = 5;

/** Of added lines only: what is removed steers nobody any more. Two lines are read together, so a break hides nothing. */
export function steeringIn(files: readonly FileDiff[]): LookFinding[] {
  return files.flatMap(({ path, lines }) => {
    const added = lines.filter(({ kind }) => kind === '+');
    const found = added.flatMap(({ line, text }, index): LookFinding[] => {
      const at = { path, line, side: 'new', severity: 'major', confidence: 1, by: 'rule' } as const;
      const hidden = hiddenIn(text);
      const next = added[index + 1];
      const both = next?.line === line + 1 ? `${text} ${next.text}` : text;
      return [
        ...(steers(both) && !steers(next?.text ?? '')
          ? [{ ...at, message: 'it speaks to whoever reviews it, as if to steer the verdict' }]
          : []),
        ...(hidden.length > 0
          ? [{ ...at, message: `it holds characters that nobody sees: ${hidden.slice(0, 6).join(' ')}` }]
          : []),
      ];
    });
    return found.slice(0, MOST_PER_FILE);
  });
}

export function steers(text: string): boolean {
  const plain = folded(text.slice(0, LONGEST_READ));
  return STEERS.some((pattern) => pattern.test(plain));
}

/** Small letters without accents, hidden characters, look-alikes and comment signs. */
function folded(text: string): string {
  const small = text
    .normalize('NFKD')
    .replaceAll(/\p{M}|\p{Cf}/gu, '')
    .toLowerCase();
  const latin = small.replaceAll(/\P{ASCII}/gu, (char) => ALIKE.get(char) ?? char);
  return latin.replaceAll(/(?:\/{2,}|[\s*#])+/gu, ' ');
}
