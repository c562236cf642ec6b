import { CODES, codeEntry } from '../../model/codes/index.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Context } from '../context.ts';
import { nearest } from '../../spec/nearest.ts';
import { wrap } from '../render/wrap.ts';

/** Says what one code means, at length; without a code, lists all. */
export async function explain({ output }: Context, wanted: string | undefined): Promise<ExitCode> {
  if (wanted === undefined) {
    output.list({
      kind: 'ErrorCodeList',
      rows: Object.entries(CODES).map(([code, entry]) => ({ code, ...entry })),
      name: ({ code }) => code,
      columns: [
        { title: 'code', value: ({ code }) => code },
        { title: 'exit', value: ({ exit }) => String(exit) },
        { title: 'means', value: ({ title }) => title },
      ],
    });
    return EXIT.ok;
  }
  const code = canonical(wanted);
  const entry = codeEntry(code);
  if (entry === undefined) throw unknownCode(wanted, code);
  if (output.machine) {
    output.envelope('ErrorCode', { code, ...entry });
    return EXIT.ok;
  }
  output.line(`${output.paint.bold(code)}: ${entry.title} (exit ${entry.exit})\n`);
  output.line(wrap(entry.explain, Math.min(output.terminal.columns, 100)));
  return EXIT.ok;
}

/** `error[e-no-home]` pasted from a screen is `E_NO_HOME`. */
function canonical(typed: string): string {
  const bare = typed.replace(/^error\[(.*)\]?$/iu, '$1').replace(/\]$/u, '');
  const code = bare.toUpperCase().replaceAll('-', '_');
  return code.startsWith('E_') ? code : `E_${code}`;
}

function unknownCode(typed: string, code: string): DispatchError {
  const near = nearest(code, Object.keys(CODES));
  return new DispatchError('E_CODE_UNKNOWN', `no error code ${JSON.stringify(typed)}`, {
    fix:
      near === null ? 'dispatch explain   (lists all)' : `did you mean ${near}?   dispatch explain ${near}`,
  });
}
