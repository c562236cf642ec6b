import type { TestCounts } from '../../model/attempt.ts';

/**
 * `go test`: with `-v` a line for each test, subtests included; with `-json` an event for each. Without either it says
 * no number of tests, so the packages that ran some are counted: the same command says the same thing each time.
 */
export function countGo(text: string): TestCounts | null {
  return (
    counted(text, /^\s*--- (?:PASS|FAIL): /gm, /^\s*--- SKIP: /gm) ??
    counted(
      text,
      /^\{[^\n]*"Action":"(?:pass|fail)"[^\n]*"Test":/gm,
      /^\{[^\n]*"Action":"skip"[^\n]*"Test":/gm,
    ) ??
    packages(text)
  );
}

function counted(text: string, ran: RegExp, skipped: RegExp): TestCounts | null {
  const counts = { ran: (text.match(ran) ?? []).length, skipped: (text.match(skipped) ?? []).length };
  return counts.ran + counts.skipped === 0 ? null : counts;
}

function packages(text: string): TestCounts | null {
  const lines = text.match(/^(?:(?:ok|FAIL) {0,2}\t\S+\t[^\n]*|\? {3}\t\S+\t\[no test files\])$/gm);
  if (lines === null) return null;
  const ran = lines.filter((line) => !/\[no tests to run\]|\[no test files\]/.test(line));
  return { ran: ran.length, skipped: 0 };
}
