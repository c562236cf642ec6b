/** The small real peer of test/fixtures as a program that can be shipped, and a look at what it keeps on its node. */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JournalEntry } from '../../src/protocol/messages.ts';
import type { NodeProgram } from '../../src/node/program.ts';

export async function peerProgram(addition = ''): Promise<NodeProgram> {
  const source = await readFile(fileURLToPath(new URL('../fixtures/peer-node.mjs', import.meta.url)), 'utf8');
  const wrapper = Buffer.from(`${source}${addition}`);
  const launch = Buffer.from('#!/bin/sh\nexit 0\n');
  const hash = createHash('sha256').update(wrapper).update('\0').update(launch).digest('hex');
  return { hash, wrapper, launch };
}

/** What the peer keeps under the worker's root. */
export class PeerFiles {
  readonly dir: string;
  #seq = 0;

  constructor(root: string) {
    this.dir = join(root, 'peer');
  }

  async prepare(): Promise<void> {
    await mkdir(this.dir, { recursive: true });
  }

  /** Appends entries to the node's journal, connected or not. */
  append(count: number): void {
    let lines = '';
    for (let i = 0; i < count; i += 1) {
      this.#seq += 1;
      const entry: JournalEntry = {
        seq: this.#seq,
        at: 0,
        type: 'attempt.running',
        token: this.#seq.toString(16).padStart(32, '0') as never,
      };
      lines += `${JSON.stringify(entry)}\n`;
    }
    appendFileSync(join(this.dir, 'journal.jsonl'), lines);
  }

  get written(): number {
    return this.#seq;
  }

  /** Process ids of every peer that ever ran here, oldest first. */
  pids(): number[] {
    const file = join(this.dir, 'pids');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8').trim().split('\n').map(Number);
  }

  /** Those that run now. The number of one that is dead may be another process's by now: its command line tells. */
  living(): number[] {
    return this.pids().filter((pid) => commandOf(pid).includes(dirname(this.dir)));
  }

  /** SIGKILL to all that run. */
  kill(): void {
    for (const pid of this.living()) process.kill(pid, 'SIGKILL');
  }
}

/** Empty for a process that has ended. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
