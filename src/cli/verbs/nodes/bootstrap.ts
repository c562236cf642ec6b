import { DispatchError } from '../../../model/error.ts';
import { EXIT, type ExitCode } from '../../../model/exit.ts';
import { loadBootstrap } from '../../../node/program.ts';
import { runScript, type ScriptEnd } from '../../../node/run-script.ts';
import type { NodeEntry } from '../../../spec/nodes.ts';
import { chooseTransport } from '../../../transport/choose.ts';
import { readSshSettings } from '../../../transport/ssh-settings.ts';
import type { Context } from '../../context.ts';
import { baggage, type BootstrapOptions, changesNothing } from '../../nodes/baggage.ts';
import { entryFor, withEntry } from '../../nodes/entry.ts';
import { entryOf, type NodeInfo, parseNodeInfo } from '../../nodes/node-info.ts';
import { trustNode } from '../../nodes/trust.ts';
import { nodesOf, readNodes } from '../../nodes-file.ts';
import { safeLine } from '../../render/safe-text.ts';
import { addEntry } from './add.ts';

/** Runs bootstrap.sh on a machine over a connection with a verified host key, then adds the machine as a node. */
export async function bootstrap(
  context: Context,
  target: string | undefined,
  options: BootstrapOptions,
): Promise<ExitCode> {
  const script = await loadBootstrap();
  if (options.script === true) return print(context, script);
  if (target === undefined)
    throw new DispatchError('E_USAGE', 'which machine?', {
      fix: 'dispatch nodes bootstrap user@host --slots 8',
    });
  const name = options.name ?? nameIn(target);
  const adds = options.add !== false && !changesNothing(options) && options.uninstall !== true;
  // Whatever is wrong here is found out before anything is asked or changed.
  const { args, files } = await baggage(context, name, options);
  if (adds) await readNodes(context.home());
  const { config } = withEntry('', reachedBy(name, target, options));
  await trustNode(context, config, options);
  const { transport } = await chooseTransport(config);
  context.output.note(`bootstrap.sh on ${name}, by ${transport.describe()}`);
  const onLine = (line: string): void => context.output.note(`  ${safeLine(line)}`);
  const end = await runScript(transport, { name, script, args, files, onLine });
  if (end.code !== 0) return failed(name, end);
  if (end.stdout === '') return done(context, name, options);
  const info = parseNodeInfo(end.stdout, name);
  if (!adds || (await isAdded(context, info))) return described(context, info, end.stdout);
  const entry = {
    ...reachedBy(info.name, await workerTarget(target, info, options), options),
    ...entryOf(info),
  };
  return addEntry(context, entry, null);
}

/** The script as it would be run, for machines that only a person can reach. */
async function print({ output }: Context, script: Buffer): Promise<ExitCode> {
  const { createHash } = await import('node:crypto');
  output.write(script.toString('utf8'));
  output.note(
    `sha256 ${createHash('sha256').update(script).digest('hex')}   (compare there: sha256sum bootstrap.sh)`,
  );
  return EXIT.ok;
}

/** `ssh://root@vm-3:2222` -> `vm-3` */
function nameIn(target: string): string {
  return target
    .replace(/^ssh:\/\//u, '')
    .replace(/^[^@]*@/u, '')
    .replace(/[:/].*$/u, '');
}

/** --check found drift: said line by line already. */
function failed(name: string, { code }: ScriptEnd): ExitCode {
  if (code === EXIT.unfinished) return EXIT.unfinished;
  if (code === EXIT.usage)
    throw new DispatchError('E_USAGE', `bootstrap.sh on ${name} does not take these options`, {
      where: name,
      why: 'it says above which one',
      fix: 'dispatch nodes bootstrap --help',
    });
  throw new DispatchError('E_BOOTSTRAP', `bootstrap.sh on ${name} ended with ${code}`, {
    where: name,
    why: 'it says above in which step, and why',
    fix: 'mend that and run the same command again: what is done is not done twice',
  });
}

function done({ output }: Context, name: string, options: BootstrapOptions): ExitCode {
  const did = changesNothing(options) ? 'looked at' : 'took back';
  if (output.machine) output.envelope('Bootstrap', { name, did });
  else if (output.format === 'name') output.line(name);
  return EXIT.ok;
}

function described({ output }: Context, info: NodeInfo, text: string): ExitCode {
  if (output.machine) output.envelope('Bootstrap', { did: 'changed', ...info });
  else output.line(output.format === 'name' ? info.name : text);
  return EXIT.ok;
}

/** A node that is in nodes.json already keeps its entry: a person may have written it. */
async function isAdded(context: Context, { name }: NodeInfo): Promise<boolean> {
  const nodes = await nodesOf(context.home());
  const found = nodes.some((node) => node.name.toLowerCase() === name.toLowerCase());
  if (found) context.output.note(`${name} is in nodes.json already and stays as it is`);
  return found;
}

/** Only how it is reached: what the node is, the machine says. */
function reachedBy(name: string, target: string, { transport, sshConfig }: BootstrapOptions): NodeEntry {
  return entryFor(name, {
    target,
    ...(transport === undefined ? {} : { transport }),
    ...(sshConfig === undefined ? {} : { sshConfig }),
  });
}

/** The same machine, as the worker's account. */
async function workerTarget(target: string, { user }: NodeInfo, options: BootstrapOptions): Promise<string> {
  const settings = await readSshSettings({ target, configFile: options.sshConfig ?? null });
  if (settings.user === user) return target;
  const [, scheme = '', host = target] = /^(ssh:\/\/)?(?:[^@]*@)?(.*)$/u.exec(target) ?? [];
  return `${scheme}${user}@${host}`;
}
