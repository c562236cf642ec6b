import { Command } from 'commander';
import { TOPICS } from '../topics.ts';
import { VERSION } from '../version.ts';
import { type Act, exampleLines } from './act.ts';
import { declareAlerts } from './alerts.ts';
import { declareContract } from './contract.ts';
import { declareDevelop } from './develop.ts';
import { declareFleet } from './fleet.ts';
import { declareHelp } from './help.ts';
import { declareLook } from './look.ts';
import { declareMoney } from './money.ts';
import { declarePrepare } from './prepare.ts';
import { declareQueue } from './queue.ts';
import { declareRecover } from './recover.ts';
import { declareWork } from './work.ts';

/** The whole grammar of the command line; nothing of what the verbs do is loaded. */
export function buildProgram(act: Act): Command {
  const program = new Command('dispatch')
    .description('Run dozens of coding agents on machines you already have, and trust what comes back.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show examples and options')
    .helpCommand(false)
    .exitOverride()
    // Errors are rendered by one function for all verbs; commander only reports them.
    .configureOutput({ writeErr: () => {} })
    .configureHelp({ showGlobalOptions: true, subcommandTerm: (command) => command.name() })
    .addHelpText('before', () => `${exampleLines(FIRST_STEPS)}\n`)
    .addHelpText('after', () => `\nTopics: dispatch help ${Object.keys(TOPICS).join(' | ')}`);
  declareGlobals(program);
  declarePrepare(program, act);
  declareContract(program, act);
  declareWork(program, act);
  declareQueue(program, act);
  declareLook(program, act);
  declareAlerts(program, act);
  declareMoney(program, act);
  declareFleet(program, act);
  declareRecover(program, act);
  declareDevelop(program, act);
  declareHelp(program, act);
  return program;
}

const FIRST_STEPS = [
  ['dispatch init web --repo ~/code/web --target main', 'make a home and a first project'],
  ['dispatch start web', 'run its specs on your machines; Ctrl-C only detaches'],
  ['dispatch collect web', 'land what passed on the target branch'],
] as const;

function declareGlobals(program: Command): void {
  program
    .option('--home <dir>', 'the home (default: search upwards for nodes.json and specs/)')
    .option('-o, --output <format>', 'table, json, ndjson, name or wide')
    .option('--json', 'the same as -o json')
    .option('--color <when>', 'auto, always or never')
    .option('--progress <kind>', 'auto, plain or quiet')
    .option('--quiet', 'no progress and no hints, only data and errors');
}
