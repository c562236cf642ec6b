/** An attempt that waits for a person, and one whose provider refuses it: seen, explained and mended while they run. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { makeHome, PROJECT } from './home.ts';
import { inTerminal } from './in-terminal.ts';
import { until } from './until.ts';

// Many programs are started; a busy machine needs its time for them.
vi.setConfig({ testTimeout: 300_000 });

const REFUSED = readFileSync(new URL('../fixtures/agent-events/claude-429.jsonl', import.meta.url), 'utf8');
const hasScript = spawnSync('script', ['--version']).status === 0;

const ASKS = `name=
while test -z "$name"; do
  printf 'Your name: ' >/dev/tty
  read -r name </dev/tty
done
echo "$name" >"$MARKS/name"
put "src/$DISPATCH_TASK.txt" "$name"`;
const IS_REFUSED = `sed -n 1,2p refused.jsonl
await go
put "src/$DISPATCH_TASK.txt" done`;

test.skipIf(!hasScript)(
  'a stall is shown with its cause, and a person answers in the live session (skipped without script(1))',
  async () => {
    const home = makeHome({
      tasks: { A: { agent: ASKS }, B: { agent: IS_REFUSED, executor: 'model' } },
      files: { 'refused.jsonl': REFUSED },
    });
    const command = ['sh', 'agent.sh'];
    const env = { MARKS: home.marks };
    home.writeProject({
      stall_after: '1s',
      executors: { agent: { command, env }, model: { kind: 'claude', command, env } },
    });
    const started = home.start();
    await Promise.all([started.news(`${PROJECT}/A`, 'stalled'), started.news('key model', 'refuses')]);

    const keys = await home.dispatch(['credentials', '-o', 'json']);
    const { data } = JSON.parse(keys.stdout) as { data: readonly unknown[] };
    expect(data).toMatchObject([
      { name: 'model', inFlight: 1, limit: 1, refusals: 1, lastRefusal: { why: 'rate' } },
    ]);

    await until('the cause', async () => (await home.status()).A?.reason === 'Stalled(keyboard)');
    const { stdout } = await home.dispatch(['status', '-o', 'json']);
    const { meta } = JSON.parse(stdout) as { meta: { alerts: readonly { code: string; message: string }[] } };
    expect(meta.alerts.filter(({ message }) => message.startsWith(`${PROJECT}/A `))).toMatchObject([
      { code: 'E_STALLED', fix: expect.stringContaining(`dispatch attach ${PROJECT}/A --write`) as string },
    ]);
    const why = (await home.dispatch(['why', 'A'])).stdout;
    expect(why).toContain('attempt 1 waits for somebody to type');
    expect(why).toMatch(/silent for .* bytes of log/);
    expect(why).toMatch(/process \d+ sleeping in terminal/);
    expect((await home.dispatch(['logs', 'A'])).stderr).toContain('waits for somebody to type');
    expect((await home.dispatch(['nodes'])).stderr).toContain(`${PROJECT}/A waits for somebody to type`);
    expect((await home.dispatch(['report', PROJECT])).stdout).toContain('**P1 E_STALLED**');

    const window = inTerminal(home, 'attach A --write');
    await window.sees('Your name: ');
    expect(window.shown()).toContain('WRITABLE');
    const size = home.tmux(
      'here',
      'list-windows',
      '-a',
      '-F',
      '#{session_name} #{window_width}x#{window_height}',
    );
    expect(size).toMatch(/^d_\w+_1a 200x50$/m);
    // A terminal multiplexer that has just begun may drop keys, so they are typed until the agent has its answer.
    const typed = ['a', '\r'];
    await until('the answer', () => {
      window.type(typed[0] ?? '');
      typed.push(typed.shift() ?? '');
      return window.isOver();
    });
    expect(home.read('name')).toMatch(/^a+\n$/);
    await started.news(`${PROJECT}/A`, 'attached');

    home.mark('go');
    expect((await started.ended).code).toBe(0);
    expect(await home.words()).toEqual({ A: 'merged', B: 'merged' });
    expect(home.attempts()).toEqual(['A 1', 'B 1']);
  },
);
