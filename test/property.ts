/**
 * fast-check with the same examples in every run: a change is judged by what it changes, not by chance.
 * DISPATCH_TEST_SEED=<number> gives other examples, here, in the simulator's test and to the killed controllers.
 */
import fc from 'fast-check';
import { testSeed } from './seed.ts';

fc.configureGlobal({ seed: testSeed(1) });

export default fc;
