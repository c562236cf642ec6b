/**
 * Keys that open something. Only formats that their issuers made recognisable are looked for: a gate that guesses by
 * entropy cries wolf at every hash. The finding never carries the key itself, since findings are stored and shown.
 *
 * Formats as their issuers document them, and as GitHub's secret scanning and gitleaks list them.
 */
import type { Finding } from '../model/attempt.ts';
import type { PlaceholderAllow } from '../model/spec.ts';
import { compileMatcher } from '../plan/match.ts';
import type { AddedLine } from './facts.ts';
import { showPath } from './show-path.ts';

/** One finding for each line with a key, in the order of the lines. `allow` names texts that open nothing. */
export function secretFindings(added: readonly AddedLine[], allow: readonly PlaceholderAllow[]): Finding[] {
  const allowed = allow.map(({ path, text }) => ({ text, matches: compileMatcher([path]) }));
  return added.flatMap((line, at): Finding[] => {
    const found = secretIn(line.text) ?? privateKeyAt(added, at);
    if (found === null) return [];
    if (allowed.some((one) => line.text.includes(one.text) && one.matches(line.path))) return [];
    return [
      {
        gate: 'content',
        path: line.path,
        line: line.line,
        message: `${showPath(line.path)}:${line.line} contains ${found}`,
        fix: 'Remove it and read it from the environment. Whoever owns it has to revoke it: it has left the machine it was made for.',
      },
    ];
  });
}

interface Format {
  readonly is: string;
  readonly pattern: RegExp;
  /** The same, for all that a text holds. */
  readonly every: RegExp;
}

/** Each pattern stands alone: nothing that continues a word before or after it. */
const FORMATS: readonly Format[] = [
  format('an AWS access key', 'A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}'),
  format('a GitHub token', 'gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}'),
  format('a GitLab token', 'gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat)-[A-Za-z0-9_-]{20,}'),
  format(
    'a Slack token',
    'xox[abeoprs]-(?:[A-Za-z0-9]+-){1,5}[A-Za-z0-9]{8,}|xapp-\\d-[A-Z0-9]+-\\d+-[a-f0-9]{20,}',
  ),
  format(
    'a Slack webhook',
    'https://hooks\\.slack\\.com/(?:services|workflows)/[A-Z0-9]{8,}/[A-Z0-9]{8,}/[A-Za-z0-9]{20,}',
  ),
  format('a Stripe key', '(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{20,}|whsec_[A-Za-z0-9]{32,}'),
  format('an Anthropic key', 'sk-ant-(?:api|admin|oat|sid)\\d\\d-[A-Za-z0-9_-]{40,}'),
  format(
    'an OpenAI key',
    'sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}|sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}',
  ),
  format('a Google API key', 'AIza[A-Za-z0-9_-]{35}'),
  format('a Google OAuth secret', 'GOCSPX-[A-Za-z0-9_-]{28}'),
  format('an npm token', 'npm_[A-Za-z0-9]{36}'),
  format('a PyPI token', 'pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}'),
  format('a Hugging Face token', 'hf_[A-Za-z]{34}'),
  format('a SendGrid key', 'SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}'),
  format('a DigitalOcean token', 'do[opr]_v1_[a-f0-9]{64}'),
  format('a Docker Hub token', 'dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,}'),
  format('a Shopify token', 'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}'),
  format('a Telegram bot token', '\\d{8,10}:AA[A-Za-z0-9_-]{33}'),
  format('an age secret key', 'AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}'),
];

function format(is: string, pattern: string): Format {
  const alone = `(?<![A-Za-z0-9_-])(?:${pattern})(?![A-Za-z0-9_-])`;
  return { is, pattern: new RegExp(alone), every: new RegExp(alone, 'g') };
}

/** The text of a person or an agent with each key, and each private key with its body, replaced by what it was; examples stay. */
export function redactSecrets(text: string): string {
  return withoutKeys(text, isExample);
}

/**
 * A command line or a message of a program without keys, and without values that are named like one (`--token abc`,
 * `API_KEY=abc`, `Bearer abc`): in prose that would hide the word behind "password". What looks like an example goes too.
 */
export function withoutSecrets(text: string): string {
  return withoutKeys(
    text.replace(NAMED, (_, name: string) => `${name}[redacted]`),
    () => false,
  );
}

function withoutKeys(text: string, opensNothing: (key: string) => boolean): string {
  const plain = text.replaceAll(PRIVATE_KEY, '[redacted: a private key]');
  if (!HINT.test(plain)) return plain;
  return FORMATS.reduce(
    (left, { is, every }) => left.replaceAll(every, (key) => (opensNothing(key) ? key : `[redacted: ${is}]`)),
    plain,
  );
}

const NAMED =
  /((?:[A-Za-z0-9_-]*(?:api[_-]?key|token|secret|passw(?:or)?d|authorization))["']?(?:\s*[=:]\s*|\s+)(?:bearer\s+)?["']?|\bbearer\s+)[^\s"'&]{6,}/gi;

/** Nearly every line of a program lacks all of these, and one look tells. */
const HINT =
  /A(?:KIA|SIA|BIA|CCA)|gh[pousr]_|github_pat_|gl[a-z]+-|xox|xapp-|hooks\.slack|_live_|_test_|whsec_|sk-|AIza|GOCSPX-|npm_|pypi-|hf_|SG\.|do[opr]_v1_|dckr_|shp|:AA|AGE-SECRET/;

function secretIn(text: string): string | null {
  if (!HINT.test(text)) return null;
  for (const { is, pattern } of FORMATS) {
    const key = pattern.exec(text)?.[0];
    if (key !== undefined && !isExample(key)) return `${is} (${redacted(key)})`;
  }
  return null;
}

/** The ones of manuals, and the ones that somebody typed: they say so, or repeat themselves. */
function isExample(key: string): boolean {
  if (/EXAMPLE|XXXX|\.\.\.|(.)\1{7}|0123456789|1234567890|abcdefghij/i.test(key)) return true;
  // The last run of characters is what was drawn at random; a random one of twenty has more than eight different ones.
  const drawn = key.slice(-20);
  return new Set(drawn).size < 8;
}

function redacted(key: string): string {
  return `${key.slice(0, 4)}…, ${key.length} characters`;
}

const BEGIN = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----/;
/** With its body, as far as it goes. */
const PRIVATE_KEY = new RegExp(`${BEGIN.source}[\\s\\S]*?(?:-----END [A-Z ]*-----|$)`, 'gu');

/** A header alone is what parsers and tests contain; a key has a body, on the same line or the next ones. */
function privateKeyAt(added: readonly AddedLine[], at: number): string | null {
  const line = added[at];
  const begin = line === undefined ? null : BEGIN.exec(line.text);
  if (line === undefined || begin === null) return null;
  const rest = [line.text.slice(begin.index + begin[0].length)];
  for (const next of added.slice(at + 1, at + 6)) if (next.path === line.path) rest.push(next.text);
  return /[A-Za-z0-9+/=]{40,}/.test(rest.join('\n')) ? 'a private key' : null;
}
