/** Several verify commands as one gate runs them. */

/** What they are called together, in records and on the screen. */
export function commandsText(commands: readonly string[]): string {
  return commands.join(' && ');
}

/**
 * One shell command that runs them one after the other up to the first that fails, whose exit code it has. Each is in a
 * subshell on lines of its own, so that none can end, move or comment out the next.
 */
export function inSequence(commands: readonly string[]): string {
  const [only] = commands;
  if (only !== undefined && commands.length === 1) return only;
  return commands.map((command) => `(\n${command}\n)`).join(' && ');
}
