/**
 * `make demo`: a day on a throw-away home, in less than a minute. A direction becomes eight specs by a stand-in for a model,
 * they are queued, scripted agents work on two nodes (this machine, and a real OpenSSH server of its own on a loopback port),
 * what is good is merged, read by a stand-in for a second model, and landed, and the day is reported. Everything lies in
 * `.demo/`; what is run is the built command line, as a user would type it. `--clean` removes it all.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeHome, makeRepository } from './demo/home.ts';
import { ALIAS, DEMO, HOME, nodeRoot, PROJECT, REPOSITORY, ROOT } from './demo/place.ts';
import { DIRECTION, recordedAnswers } from './demo/recorded-answers.ts';
import { endAll, SSH_CONFIG, startModel, startSshd } from './demo/servers.ts';
import { heading, note, type, typeHead } from './demo/terminal.ts';

const REPORT = join(DEMO, 'daily-report.html');

await main();

async function main(): Promise<void> {
  endAll();
  rmSync(DEMO, { recursive: true, force: true });
  if (process.argv.includes('--clean')) return console.log('demo: removed');
  const began = performance.now();
  mkdirSync(HOME, { recursive: true });
  await machines();
  morning();
  work();
  evening();
  summary(began);
}

async function machines(): Promise<void> {
  heading('A repository, and two machines: this one, and an sshd that stands for another');
  makeRepository();
  makeHome({ model: await startModel(recordedAnswers()) });
  await startSshd();
  const about = ['--ssh-config', SSH_CONFIG, '--slots', '3', '--root', nodeRoot(ALIAS)];
  type(['nodes', 'add', ALIAS, ...about, '--yes']);
}

function morning(): void {
  heading('Morning: one sentence becomes small specs');
  note(
    'No model is asked: a stand-in on this machine answers with recorded specs, in which there are mistakes.',
  );
  type(['split', PROJECT, DIRECTION]);
  heading('A person has looked at them: to the queue');
  type(['feed', PROJECT]);
  type(['plan', PROJECT, '-o', join(HOME, 'plan.md')]);
}

function work(): void {
  heading('Agents at work: one leaves a TODO, one breaks a test, one edits what is not its own');
  type(['start', PROJECT], [0, 3]);
}

function evening(): void {
  heading('A second model reads what merged, each diff against its spec; what it finds waits for a person');
  note('It is the stand-in again, which finds what an agent itself has marked as a bug.');
  type(['verify', PROJECT, '--review', '--all'], [0, 3]);
  type(['review-queue', PROJECT], [0, 3]);
  type(['review', `${PROJECT}/S08-schedule-integration`, '--approve']);
  heading('Evening: what merged has passed every gate, and lands on main');
  type(['collect', PROJECT, '--progress', 'quiet'], [0, 3]);
  heading('The day on one page');
  typeHead(['daily-report'], 22);
  type(['daily-report', '--html', REPORT]);
}

function summary(began: number): void {
  heading(`Done in ${((performance.now() - began) / 1000).toFixed(0)} s. What landed on ${PROJECT}'s main:`);
  const history = ['log', '--first-parent', '--format=  %h %s', 'main'];
  console.log(execFileSync('git', ['-C', REPOSITORY, ...history], { encoding: 'utf8' }).trimEnd());
  heading('Look around (the second machine and the stand-in end by themselves after an hour)');
  for (const line of [
    `${REPORT}      open it in a browser`,
    `export DISPATCH_HOME=${HOME}; alias dispatch=${join(ROOT, 'dist', 'dispatch.js')}`,
    `dispatch status ${PROJECT}`,
    'dispatch why S07-auth-tests',
    'dispatch logs S02-schedule-service',
    `dispatch report ${PROJECT}`,
    `dispatch split ${PROJECT} "Let readers comment on posts" --dry-run`,
    'make demo-clean',
  ]) {
    console.log(`  ${line}`);
  }
}
