/**
 * The one place that ends the process. Everything else returns an exit code. What was written is flushed first, and a
 * reader that went away (`dispatch logs S01 | head`) is no error.
 */
export function leave(code: number): void {
  process.exitCode = code;
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

/** For a person who asked twice: what is unsaid stays unsaid. */
export function leaveAtOnce(code: number): void {
  process.exit(code);
}

/** A closed pipe on stdout ends the process quietly, as it ends `cat`. */
export function leaveOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

/**
 * An error that nobody caught means that this process no longer knows what it does. What is recorded is durable and agents
 * go on, so it says what happened, lets what was written reach whoever reads, and leaves; whatever supervises it starts it
 * again. @param tell says what happened and returns the exit code.
 */
export function leaveOnDefect(tell: (defect: unknown) => number): void {
  let leaving = false;
  const end = (defect: unknown): void => {
    if (leaving) return;
    leaving = true;
    leave(tell(defect));
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
