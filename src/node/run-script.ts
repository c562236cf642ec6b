/**
 * Runs a bash script at the far end of a fresh stream, with its arguments and files. Nothing of it is in a command line:
 * a small shell function (called on its last line, so read whole before it runs) says that it is ready, takes exactly
 * as many bytes as were announced into a private directory, cuts them into files, and starts bash there with the
 * arguments that one of the files holds. The directory is gone when it ends, whatever happens.
 *
 * Answers are lines that begin with a random nonce: whatever a login shell prints before is skipped.
 *   `<nonce> ready`        send the bytes
 *   `<nonce> fail <why>`   and the shell ends
 *   `<nonce> begin`        each line from here on is what the script says (its stderr), as it says it
 *   `<nonce> result`       what follows is what it printed (its stdout), up to
 *   `<nonce> end <code>`
 */
import { randomBytes } from 'node:crypto';
import { DispatchError } from '../model/error.ts';
import { printable } from '../transport/tail.ts';
import type { ByteStream, Transport } from '../transport/transport.ts';

export interface ScriptRun {
  /** For messages. */
  readonly name: string;
  readonly script: Buffer;
  /** Each without line breaks. */
  readonly args: readonly string[];
  /** Further files in the script's working directory, mode 0600, by names of `[a-z0-9-]`. */
  readonly files?: Readonly<Record<string, Buffer>>;
  /** A line that the script wrote to stderr; made safe for a terminal. */
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface ScriptEnd {
  readonly code: number;
  readonly stdout: string;
}

/** A login that has not started a shell by then never will. */
const READY_MS = 90_000;
/** Of what the script prints, and of one line. */
const MAX_TEXT = 1 << 20;

/**
 * @throws DispatchError what the transport throws; E_NODE_SHELL when no shell answers, E_NODE_DISCONNECTED when the stream
 * ends before the script does: it goes on over there.
 */
export async function runScript(transport: Transport, run: ScriptRun): Promise<ScriptEnd> {
  const nonce = randomBytes(16).toString('hex');
  const files = [
    ['script', run.script],
    ['arguments', Buffer.from(run.args.map((arg) => `${arg}\n`).join(''))],
    ...Object.entries(run.files ?? {}),
  ] as const;
  const stream = await transport.open(run.signal);
  const giveUp = (): void => stream.close();
  run.signal?.addEventListener('abort', giveUp, { once: true });
  const late = setTimeout(giveUp, READY_MS);
  let place: Place = 'before';
  const printed: string[] = [];
  try {
    stream.writable.write(receiver(nonce, files));
    for await (const line of lines(stream)) {
      const [word = '', detail = ''] = answer(line, nonce);
      if (word === 'ready') {
        clearTimeout(late);
        for (const [, bytes] of files) stream.writable.write(bytes);
      } else if (word === 'fail') throw refused(run.name, printable(detail));
      else if (word === 'begin' || word === 'result') place = word;
      else if (word === 'end') return { code: Number(detail), stdout: printed.join('\n').trim() };
      else if (place === 'begin' && line !== '') run.onLine(printable(line));
      else if (place === 'result') printed.push(line);
    }
    throw await ended(stream, run.name, place);
  } finally {
    clearTimeout(late);
    run.signal?.removeEventListener('abort', giveUp);
    stream.close();
    await stream.closed;
  }
}

type Place = 'before' | 'begin' | 'result';

/** The script ignores a lost connection on purpose; so must the shell around it, which removes the files. */
function receiver(nonce: string, files: readonly (readonly [name: string, bytes: Buffer])[]): string {
  const total = files.reduce((sum, [, bytes]) => sum + bytes.length, 0);
  let from = 1;
  const cuts = files.map(([name, { length }]) => {
    const cut = `tail -c +${from} <all | head -c ${length} >${name}`;
    from += length;
    return cut;
  });
  return `dispatch_run() {
say() { printf '\\n%s %s\\n' ${nonce} "$*"; }
fail() { say fail "$*"; exit 1; }
for tool in bash head tail mktemp; do command -v $tool >/dev/null 2>&1 || fail "it has no $tool"; done
trap '' PIPE HUP
umask 077
dir=$(mktemp -d "\${TMPDIR:-/tmp}/dispatch-run.XXXXXX" 2>&1) || fail "$dir"
trap 'cd /; rm -rf "$dir"' EXIT
cd "$dir" || fail "$dir"
say ready
head -c ${total} >all || fail 'what was sent cannot be written'
[ $(wc -c <all) -eq ${total} ] || fail 'not all that was sent has arrived'
${cuts.join('\n')}
rm -f all
while IFS= read -r arg; do set -- "$@" "$arg"; done <arguments
say begin
bash script "$@" </dev/null 2>&1 >result
code=$?
say result
cat result
cd / && rm -rf "$dir"
say end $code
}
dispatch_run
`;
}

async function* lines({ readable }: ByteStream): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const bytes of readable as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, bytes]);
    for (let at = rest.indexOf(0x0a); at >= 0; at = rest.indexOf(0x0a)) {
      yield rest.subarray(0, at).toString('utf8');
      rest = rest.subarray(at + 1);
    }
    if (rest.length > MAX_TEXT) return;
  }
}

function answer(line: string, nonce: string): string[] {
  if (!line.startsWith(`${nonce} `)) return [];
  const text = line.slice(nonce.length + 1).trimEnd();
  const space = text.indexOf(' ');
  return space < 0 ? [text] : [text.slice(0, space), text.slice(space + 1)];
}

function refused(name: string, why: string): DispatchError {
  return new DispatchError('E_NODE_SHELL', `${name} cannot take the script`, {
    where: name,
    why,
    fix: 'a machine needs bash and the usual small programs, and room in /tmp',
  });
}

async function ended(stream: ByteStream, name: string, place: Place): Promise<DispatchError> {
  const end = await stream.closed;
  if (end.problem !== null) return end.problem;
  const why = [end.reason, stream.stderrTail()].filter((text) => text !== '').join('; ');
  if (place === 'before')
    return new DispatchError('E_NODE_SHELL', `no shell answered on ${name}`, {
      where: name,
      why,
      fix: 'the far end must run /bin/sh with its script on stdin: look for a forced command or a login shell that refuses commands',
    });
  return new DispatchError('E_NODE_DISCONNECTED', `the connection to ${name} ended before the script did`, {
    where: name,
    why: `${why}; the script goes on there by itself`,
    fix: 'run the same command again: it waits for what is under way, and changes only what is missing',
  });
}
