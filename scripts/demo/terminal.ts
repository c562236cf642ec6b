/** What the demo says, and the command lines that it types. */
import { spawnSync } from 'node:child_process';
import { join, relative } from 'node:path';
import { HOME, ROOT } from './place.ts';

const colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const dim = (text: string): string => (colour ? `\u001b[2m${text}\u001b[0m` : text);
const bold = (text: string): string => (colour ? `\u001b[1m${text}\u001b[0m` : text);

const CLI = join(ROOT, 'dist', 'dispatch.js');
const environment = {
  ...process.env,
  DISPATCH_HOME: HOME,
  // Tables are aligned in a file too; what is redrawn as it changes is not for files.
  ...(process.stdout.isTTY
    ? {}
    : { DISPATCH_FORCE_TTY: '150', DISPATCH_PROGRESS: 'plain', DISPATCH_COLOR: 'never' }),
};

export function heading(text: string): void {
  console.log(`\n${bold(`── ${text}`)}`);
}

export function note(text: string): void {
  console.log(dim(text));
}

/** Runs the command line as a user would. Ends the demo when it fails in a way that the demo does not expect. */
export function type(args: readonly string[], expected: readonly number[] = [0]): void {
  console.log(dim(`$ dispatch ${args.map(shown).join(' ')}`));
  const { status } = spawnSync(process.execPath, [CLI, ...args], { stdio: 'inherit', env: environment });
  insist(args, status, expected);
}

/** The same, with only the first lines of what it prints. */
export function typeHead(args: readonly string[], lines: number): void {
  console.log(dim(`$ dispatch ${args.map(shown).join(' ')} | head -${lines}`));
  const { status, stdout } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  insist(args, status, [0]);
  console.log(stdout.split('\n').slice(0, lines).join('\n').trimEnd());
}

function insist(args: readonly string[], status: number | null, expected: readonly number[]): void {
  if (expected.includes(status ?? -1)) return;
  console.error(`demo: dispatch ${args[0]} ended with ${status}`);
  process.exit(status ?? 1);
}

/** As it could be typed here: paths as short as they can be, and quoted where there are blanks. */
function shown(text: string): string {
  if (text.includes(' ')) return `"${text}"`;
  const near = relative(process.cwd(), text);
  return text.startsWith('/') && !near.startsWith('..') ? near : text;
}
