/**
 * `make demo`: the main job on a throw-away home. Two nodes (this machine, and a real OpenSSH server of its own on a
 * loopback port), a small repository with a real test suite, eight specs, scripted agents. Everything lies in `.demo/`;
 * what is run is the built command line, as a user would type it. `--clean` removes it all.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../test/cluster/sshd.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const DEMO = process.env.DISPATCH_DEMO_DIR ?? join(ROOT, '.demo');
const HOME = join(DEMO, 'home');
const PROJECT = 'clawmarketing';
const ALIAS = 'demo-node';
/** The demo's server ends by itself after this long, so that nothing is left behind by accident. Seconds. */
const SERVER_LIFE = 3600;

const colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const dim = (text: string): string => (colour ? `\u001b[2m${text}\u001b[0m` : text);
const bold = (text: string): string => (colour ? `\u001b[1m${text}\u001b[0m` : text);

await main();

async function main(): Promise<void> {
  clean();
  if (process.argv.includes('--clean')) return console.log('demo: removed');
  const began = performance.now();
  mkdirSync(HOME, { recursive: true });
  say('A repository with a test suite, a home with two nodes, eight specs.');
  makeRepository();
  await startServer();
  makeHome();
  step([
    'nodes',
    'add',
    ALIAS,
    '--ssh-config',
    join(DEMO, 'ssh', 'config'),
    '--slots',
    '3',
    '--root',
    nodeRoot(ALIAS),
    '--yes',
  ]);
  step(['validate', PROJECT]);
  step(['plan', PROJECT, '-o', join(HOME, 'plan.md')]);
  tellLocks();
  say(
    'Agents at work: one leaves a TODO, one breaks a test, one edits what is not its own, two want the same files.',
  );
  step(['start', PROJECT], [0, 3]);
  say('What merged has passed every gate; it lands on the target branch.');
  step(['collect', PROJECT], [0, 3]);
  say('The day on one page: open it in a browser.');
  step(['daily-report', '--html', join(DEMO, 'daily-report.html')]);
  summary(began);
}

function say(text: string): void {
  console.log(`\n${bold(text)}`);
}

/** Runs the command line as a user would. Ends the demo when it fails in a way that the demo does not expect. */
function step(args: readonly string[], expected: readonly number[] = [0]): void {
  console.log(dim(`$ dispatch ${args.map(shown).join(' ')}`));
  const { status } = spawnSync(process.execPath, [join(ROOT, 'dist', 'dispatch.js'), ...args], {
    stdio: 'inherit',
    env: environment(),
  });
  if (!expected.includes(status ?? -1)) {
    console.error(`demo: dispatch ${args[0]} ended with ${status}`);
    process.exit(status ?? 1);
  }
}

/** Which tasks the plan keeps from running at the same time. */
function tellLocks(): void {
  const { stdout } = spawnSync(
    process.execPath,
    [join(ROOT, 'dist', 'dispatch.js'), 'plan', PROJECT, '-o', 'json'],
    {
      encoding: 'utf8',
      env: environment(),
    },
  );
  const { data } = JSON.parse(stdout) as {
    data: { conflicts: { pairs: { a: string; b: string; path: string }[] } };
  };
  for (const { a, b, path } of data.conflicts.pairs) {
    console.log(`one after the other: ${a} and ${b}, because both may touch ${path}`);
  }
}

/** A path as short as it can be typed here. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return path.startsWith('/') && !near.startsWith('..') ? near : path;
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, DISPATCH_HOME: HOME };
}

function makeRepository(): void {
  const work = join(DEMO, 'first-commit');
  cpSync(join(ROOT, 'specs', PROJECT, 'sample'), work, { recursive: true });
  const git = (...args: string[]): void => {
    execFileSync('git', ['-c', 'user.name=demo', '-c', 'user.email=demo@localhost', '-C', work, ...args], {
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    });
  };
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'A small marketing backend');
  git('clone', '-q', '--bare', work, join(DEMO, `${PROJECT}.git`));
  rmSync(work, { recursive: true });
}

function makeHome(): void {
  const specs = join(HOME, 'specs', PROJECT);
  mkdirSync(specs, { recursive: true });
  cpSync(join(ROOT, 'specs', PROJECT), specs, {
    recursive: true,
    filter: (path) => !path.endsWith('/sample'),
  });
  const config = readFileSync(join(specs, 'project.yaml'), 'utf8');
  writeFileSync(
    join(specs, 'project.yaml'),
    config.replace(/^repo: .*$/m, `repo: ${join(DEMO, `${PROJECT}.git`)}`) + trust(),
  );
  writeFileSync(
    join(HOME, 'nodes.json'),
    `[\n  // This machine.\n  { "name": "laptop", "local": true, "slots": 2, "mode": "hybrid", "root": ${JSON.stringify(nodeRoot('laptop'))} }\n]\n`,
  );
  writeFileSync(join(HOME, '.gitignore'), '.dispatch/\n');
}

/** Where bubblewrap cannot run (a container without user namespaces) the demo goes on without it, and says so. */
function trust(): string {
  if (process.platform !== 'linux') return '';
  const args = [
    '--ro-bind',
    '/',
    '/',
    '--unshare-user',
    '--unshare-pid',
    '--unshare-net',
    '--proc',
    '/proc',
    'true',
  ];
  const { status, stderr, error } = spawnSync('bwrap', args, { encoding: 'utf8' });
  if (status === 0) return '';
  const why = error === undefined ? stderr.trim() : 'bubblewrap is not installed';
  say('No sandbox here, so the demo trusts its own agents (`trusted: true` in its project.yaml).');
  console.log(dim(why));
  return '\n# Verify commands run without a sandbox, because this machine cannot build one.\ntrusted: true\n';
}

function nodeRoot(node: string): string {
  return join(DEMO, 'nodes', node);
}

/** An OpenSSH server with its own host key, user key and configuration; nothing in ~/.ssh is read or written. */
async function startServer(): Promise<void> {
  const dir = join(DEMO, 'ssh');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'].find((file) =>
    existsSync(file),
  );
  if (sshd === undefined) throw new Error('sshd is missing: run `make setup`');
  const port = await freePort();
  for (const key of ['host_key', 'user_key']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, key)]);
  }
  writeFileSync(join(dir, 'authorized_keys'), readFileSync(join(dir, 'user_key.pub')), { mode: 0o600 });
  writeFileSync(join(dir, 'sshd_config'), serverConfig(dir, port));
  writeFileSync(join(dir, 'config'), clientConfig(dir, port));
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const log = openSync(join(dir, 'sshd.log'), 'a');
  const child = spawn(sshd, ['-D', '-e', '-f', join(dir, 'sshd_config')], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  writeFileSync(join(dir, 'pids'), `${child.pid}\n`);
  await listening(child, join(dir, 'sshd.log'));
  // Ends the server when the demo is long forgotten.
  const end = spawn('/bin/sh', ['-c', `sleep ${SERVER_LIFE}; kill ${child.pid} 2>/dev/null`], {
    detached: true,
    stdio: 'ignore',
  });
  writeFileSync(join(dir, 'pids'), `${child.pid}\n${end.pid}\n`);
  child.unref();
  end.unref();
}

function serverConfig(dir: string, port: number): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(dir, 'host_key')}`,
    `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'StrictModes no',
    'UsePAM no',
    `PidFile ${join(dir, 'sshd.pid')}`,
    '',
  ].join('\n');
}

function clientConfig(dir: string, port: number): string {
  return [
    `Host ${ALIAS}`,
    '  HostName 127.0.0.1',
    `  Port ${port}`,
    `  IdentityFile ${join(dir, 'user_key')}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${join(dir, 'known_hosts')}`,
    '  GlobalKnownHostsFile /dev/null',
    '',
  ].join('\n');
}

/** Waits until sshd says that it listens. */
async function listening(child: ChildProcess, log: string): Promise<void> {
  for (const end = performance.now() + 5000; performance.now() < end; ) {
    if (readFileSync(log, 'utf8').includes('Server listening')) return;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`sshd did not start: ${readFileSync(log, 'utf8')}`);
}

/** Ends what an earlier demo left: its server, its nodes' tmux servers, its files. */
function clean(): void {
  const pids = join(DEMO, 'ssh', 'pids');
  if (existsSync(pids))
    for (const pid of readFileSync(pids, 'utf8').split('\n').filter(Boolean))
      end(Number(pid), ['sshd', 'sleep', 'sh']);
  for (const node of ['laptop', ALIAS]) {
    const socket = join(nodeRoot(node), 'run', 'tmux.sock');
    if (existsSync(socket)) spawnSync('tmux', ['-S', socket, 'kill-server'], { stdio: 'ignore' });
  }
  rmSync(DEMO, { recursive: true, force: true });
}

/** Ends a process by id, if that id still belongs to one of these programs. */
function end(pid: number, programs: readonly string[]): void {
  const name = spawnSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  if (!programs.some((program) => name.endsWith(program))) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    process.kill(pid, 'SIGTERM');
  }
}

function summary(began: number): void {
  say(`Done in ${((performance.now() - began) / 1000).toFixed(0)} s. What landed on ${PROJECT}'s main:`);
  const log = execFileSync(
    'git',
    ['-C', join(DEMO, `${PROJECT}.git`), 'log', '--first-parent', '--format=  %h %s', 'main'],
    {
      encoding: 'utf8',
    },
  );
  console.log(log.trimEnd());
  say('Look around:');
  for (const line of [
    `export DISPATCH_HOME=${HOME}; alias dispatch=${join(ROOT, 'dist', 'dispatch.js')}`,
    `dispatch status ${PROJECT}`,
    'dispatch why S07-auth-tests',
    'dispatch logs S02-schedule-service',
    `dispatch report ${PROJECT}`,
    'dispatch daily-report',
    'make demo-clean',
  ]) {
    console.log(`  ${line}`);
  }
}
