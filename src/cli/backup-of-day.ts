/** Makes the backup of the day in a process of its own: this program again, with the verb that a person would type. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** @returns the file. @throws Error with what the verb said. */
export async function backupOfDay(home: string): Promise<string> {
  const verb = ['backup', '--daily', '--home', home, '-o', 'json'];
  try {
    const { stdout } = await run(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...verb]);
    const { data } = JSON.parse(stdout) as { data: { file: string } };
    return data.file;
  } catch (error) {
    throw new Error(reasonIn((error as { stderr?: string }).stderr ?? '') ?? String(error), { cause: error });
  }
}

/** What the error that a verb printed for a program says; null when it is none. */
function reasonIn(stderr: string): string | null {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  try {
    const { data } = JSON.parse(line) as { data: { what: string; why?: string } };
    return data.why === undefined ? data.what : `${data.what}: ${data.why}`;
  } catch {
    return line === '' ? null : line;
  }
}
