/**
 * What an agent says of its own work: a plan before it begins, and at the end the acceptance list with evidence and an
 * assessment. Kept for the person who reviews; no gate ever looks at it. The text is an agent's, so it is hostile until it
 * has been through here, on the node and once more where it is kept: no control characters, no keys, not too long.
 */
import { shorten, stripControls } from '../gates/shorten.ts';
import { redactSecrets } from '../gates/secrets.ts';
import type { Notes } from '../model/attempt.ts';

/** The variable that names the directory, and the files in it. */
export const NOTES_VARIABLE = 'DISPATCH_NOTES';
export const PLAN_FILE = 'plan.md';
export const EVIDENCE_FILE = 'evidence.md';

const PLAN_BYTES = 4 * 1024;
const EVIDENCE_BYTES = 8 * 1024;

/**
 * What may be kept; null when it says nothing.
 * @param secrets values that the agent was given; each is replaced wherever it stands.
 */
export function cleanNotes({ plan, evidence }: Notes, secrets: readonly string[] = []): Notes | null {
  const kept = {
    plan: cleanText(plan, PLAN_BYTES, secrets),
    evidence: cleanText(evidence, EVIDENCE_BYTES, secrets),
  };
  return kept.plan === null && kept.evidence === null ? null : kept;
}

function cleanText(text: string | null, maxBytes: number, secrets: readonly string[]): string | null {
  if (text === null) return null;
  let plain = stripControls(text);
  // A value of a few letters would be found everywhere.
  for (const value of secrets) if (value.length >= 6) plain = plain.replaceAll(value, '[redacted]');
  // A key that is cut in half is no key to whoever looks for keys: they go before anything is left out.
  const short = shorten(redactSecrets(plain), maxBytes).trim();
  return short === '' ? null : short;
}
