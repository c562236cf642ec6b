#!/usr/bin/env node
// Entry of the bundled program. `--version` is answered before anything else is loaded: scripts and prompts call it often.
import { VERSION } from './version.ts';

const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`${VERSION}\n`);
} else {
  const { run } = await import('./run.ts');
  const { leave } = await import('./leave.ts');
  leave(await run(argv));
}
