/** The seed that a person asked for, or this one. */
export function testSeed(usual: number): number {
  return Number(process.env.DISPATCH_TEST_SEED ?? usual);
}
