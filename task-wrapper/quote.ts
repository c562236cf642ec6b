/** The only place that quotes for a shell: the result is one word to every POSIX shell, whatever it holds. NUL cannot be in a word and is dropped. */
export function quote(text: string): string {
  return `'${text.replaceAll('\0', '').replaceAll("'", `'\\''`)}'`;
}

/** True for what a shell accepts as a variable's name. */
export function isVariable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}
