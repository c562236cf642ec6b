/** Text for what reads markup: Slack's messages, the bodies of desktop notifications. */

const ESCAPED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

export function escapeMarkup(text: string): string {
  return text.replace(/[&<>]/gu, (sign) => ESCAPED[sign] ?? sign);
}
