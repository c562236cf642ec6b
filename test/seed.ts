/** The seed that a person asked for, or this one. */
export function testSeed(usual: number): number {
  return Number(process.env.DISPATCH_TEST_SEED ?? usual);
}

/** The seed that a person asked for, or another one each time: who uses it prints it. */
export function freshSeed(): number {
  return testSeed(1 + Math.floor(Math.random() * 1_000_000_000));
}
