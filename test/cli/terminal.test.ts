import { spawn, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/model/event.ts';
import { added, BASE, commit, SET_UP, token, wayToMerge } from '../model/builder.ts';
import { dispatch, makeHome, program, record } from './dispatch.ts';
import { choresHome } from './fleet.ts';

/** util-linux's script(1) gives a real terminal; that of BSD and macOS has other options. */
const hasTerminal = process.platform === 'linux' && spawnSync('/usr/bin/script', ['--version']).status === 0;

interface OnTerminal {
  readonly code: number | null;
  readonly screen: string;
}

/** Runs `dispatch …` on a terminal of 30 rows and 100 columns. `type` is asked after each output what to type next. */
function onTerminal(cwd: string, args: string, type: (screen: string) => string | null): Promise<OnTerminal> {
  const command = `stty rows 30 cols 100; exec '${process.execPath}' '${program()}' ${args}`;
  const child = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], {
    cwd,
    env: { ...process.env, HOME: '/nonexistent', TERM: 'xterm-256color', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), 180_000);
  // What is typed after the end goes nowhere.
  child.stdin.on('error', () => {});
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    const keys = type(screen);
    if (keys !== null) child.stdin.write(keys);
  });
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, screen });
    });
  });
}

/** Types the keys once the screen shows the text. */
function when(text: string, keys: string): (screen: string) => string | null {
  let typed = false;
  return (screen) => {
    if (typed || !screen.includes(text)) return null;
    typed = true;
    return keys;
  };
}

/** Types each once its text has come after what was typed before. */
function oneByOne(
  keys: readonly (readonly [text: string, keys: string])[],
): (screen: string) => string | null {
  let next = 0;
  let from = 0;
  return (screen) => {
    const [text = '', typed = ''] = keys[next] ?? [];
    const at = text === '' ? -1 : screen.indexOf(text, from);
    if (at < 0) return null;
    from = screen.length;
    next += 1;
    return typed;
  };
}

const CTRL_C = '\u0003';
const CURSOR_SHOWN = '\u001b[?25h';

describe.runIf(hasTerminal)('on a real terminal', () => {
  test('status --watch redraws, and Ctrl-C ends it in peace', async () => {
    const home = makeHome();
    await record(home, ...SET_UP, added('S01'));
    const { code, screen } = await onTerminal(home, 'status --watch', when('0/1 merged', CTRL_C));
    expect(code).toBe(0);
    expect(screen).toContain('○ ready');
    expect(screen).toContain(CURSOR_SHOWN);
  });

  test('start shows what runs, and Ctrl-C detaches instead of ending in the middle', async () => {
    const home = choresHome({ slow: 'sleep 600' }, { A1: 'slow' });
    const { code, screen } = await onTerminal(home, 'start chores', when('1 running', CTRL_C));
    expect(code).toBe(130);
    expect(screen).toContain('▶ running');
    expect(screen).toContain('detached; the agents that run go on');
    expect(screen).toContain(CURSOR_SHOWN);
  });

  test('attach shows the window of a running attempt, read-only', async () => {
    const home = choresHome({ slow: 'while :; do echo hello; sleep 0.2; done' }, { A1: 'slow' });
    await onTerminal(home, 'start chores', when('1 running', CTRL_C));
    // tmux drops what is typed while it asks the terminal what it can do, so the keys are typed until it lets go.
    const { code, screen } = await onTerminal(home, 'attach A1', (text) =>
      text.includes('hello') ? '\u0002d' : null,
    );
    expect(code).toBe(0);
    expect(screen).toContain('leave with Ctrl-b d');
    expect(screen).toContain('detached');
  });

  test('review-queue shows a page for each task and decides with a key', async () => {
    const home = makeHome();
    const finding = {
      gate: 'scope',
      path: 'src/a.ts',
      line: null,
      message: 'src/a.ts is protected',
      fix: null,
    } as const;
    const accepted = (number: number): Fact => ({
      type: 'candidate.accepted',
      token: token(number),
      head: commit(number + 0x1000),
      changed: 1,
      approvals: [{ ...finding, approval: true }],
    });
    const ways = ['S01', 'S02', 'S03'].map((id, index) => wayToMerge(id, index + 1, BASE).slice(0, 3));
    const specs = [
      added('S01'),
      added('S02', { modifies: ['src/b.ts'] }),
      added('S03', { modifies: ['src/c.ts'], priority: 0 }),
    ];
    await record(home, ...SET_UP, ...specs, ...ways.flatMap((way, index) => [...way, accepted(index + 1)]));
    const keys = [
      ['1 of 3', 'j'],
      ['2 of 3', 'j'],
      ['3 of 3', 'k'],
      ['2 of 3', 'r'],
      ['Why is S01 rejected', 'the schema\u007f\u007fma must stay\r'],
      ['app/S01 rejected', 'x'],
      ['j next', 'k'],
      ['1 of 2', 'a'],
      ['app/S03 approved', 'q'],
    ] as const;
    const { code, screen } = await onTerminal(home, 'review-queue', oneByOne(keys));
    expect(code).toBe(0);
    for (const text of ['P0 app/S03', 'src/a.ts is protected', 'tokens unknown'])
      expect(screen).toContain(text);
    const { stdout } = await dispatch(['review-queue', '-o', 'name'], { cwd: home });
    expect(stdout).toBe('app/S02\n');
    const why = await dispatch(['report', 'app'], { cwd: home });
    expect(why.stdout).toContain('the schema must stay');
  });

  test('init asks for what no flag says, and a stop at the question changes nothing', async () => {
    const home = makeHome();
    const { code, screen } = await onTerminal(home, 'init web', when('Repository', CTRL_C));
    expect(code).toBe(1);
    expect(screen).toContain('E_DECLINED');
  });
});
