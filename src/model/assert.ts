/** The last arm of every switch over a union: a new member that nobody handles is a type error, and a crash if types lied. */
export function assertNever(value: never): never {
  throw new TypeError(`unhandled case: ${JSON.stringify(value)}`);
}
