import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { emptyState } from '../../src/model/state.ts';
import { lockPath } from '../../src/store/sqlite/lock-file.ts';
import { processStart, startFromPs } from '../../src/store/sqlite/process-start.ts';
import { openReader } from '../../src/store/sqlite/reader.ts';
import { SET_UP, Story } from '../model/builder.ts';
import { child, openStore, scratch, storeFile } from './scratch.ts';

describe('the lease', () => {
  it('has an epoch that grows with every controller, and shows its holder', async () => {
    const file = storeFile();
    const store = await openStore(file);
    expect(await store.holder()).toBeNull();
    const first = await store.acquire('laptop', 7, 1000);
    expect(first).toEqual({ epoch: 1, host: 'laptop', pid: 7, since: 1000 });
    expect(await store.holder()).toEqual(first);
    await store.release(first);
    expect(await store.holder()).toBeNull();
    expect(await store.acquire('laptop', 8, 2000)).toMatchObject({ epoch: 2, pid: 8 });
  });

  it('refuses a second controller and says who holds it, since when, and what to do', async () => {
    const file = storeFile();
    const store = await openStore(file);
    await store.acquire('laptop', 4711, Date.UTC(2026, 10, 20, 9, 30));
    const second = await openStore(file);
    await expect(second.acquire('laptop', 4712, 5)).rejects.toMatchObject({
      code: 'E_CONTROLLER_RUNNING',
      message: 'a controller runs this home already: pid 4711 on laptop, since 2026-11-20T09:30:00.000Z',
      fix: expect.stringContaining('kill 4711'),
    });
    expect(await second.holder()).toMatchObject({ epoch: 1, pid: 4711 });
  });

  it('is given back when the store is closed', async () => {
    const file = storeFile();
    const store = await openStore(file);
    await store.acquire('laptop', 7, 1000);
    await store.close();
    expect(existsSync(lockPath(file))).toBe(false);
    const next = await openStore(file);
    expect(await next.holder()).toBeNull();
    expect(await next.acquire('laptop', 8, 2000)).toMatchObject({ epoch: 2 });
  });

  it('fences a controller whose lease another has taken, and releasing a lost lease is harmless', async () => {
    const store = await openStore(':memory:');
    const story = new Story();
    const old = await store.acquire('laptop', 7, 1000);
    const events = story.tell(...SET_UP);
    const now = await store.acquire('laptop', 8, 2000);
    await expect(store.commit(old, events, story.state)).rejects.toMatchObject({ code: 'E_FENCED' });
    expect(await store.events(0, 10)).toEqual([]);
    await store.release(old);
    expect(await store.holder()).toEqual(now);
    expect(await store.commit(now, events, story.state)).toBe(3);
  });

  it('lets nobody write after it was given back', async () => {
    const store = await openStore(storeFile());
    const lease = await store.acquire('laptop', 7, 1000);
    await store.release(lease);
    await expect(store.commit(lease, [], emptyState())).rejects.toMatchObject({ code: 'E_FENCED' });
  });

  it('is not held by a process that only has the number of the one that took it', async () => {
    const file = storeFile();
    const store = await openStore(file);
    await store.acquire('laptop', process.pid, 1000);
    const lock = JSON.parse(readFileSync(lockPath(file), 'utf8')) as { started: string };
    expect(lock.started).toBe(processStart(process.pid));
    writeFileSync(lockPath(file), JSON.stringify({ ...lock, started: 'another boot 12345' }));
    const next = await openStore(file);
    expect(await next.holder()).toBeNull();
    expect(await next.acquire('laptop', 8, 2000)).toMatchObject({ epoch: 2 });
  });

  it('is free when the lock file is not whole', async () => {
    const file = storeFile();
    const store = await openStore(file);
    for (const text of ['', '{"epoch":', 'null', '{"epoch":1,"pid":-1,"started":"x"}']) {
      writeFileSync(lockPath(file), text);
      const lease = await store.acquire('laptop', 7, 1000);
      await store.release(lease);
    }
  });
});

describe('the lease among processes', () => {
  it('is won by exactly one of those that start at the same moment', async () => {
    const file = storeFile();
    for (let round = 0; round < 3; round += 1) {
      const children = [child('hold', file), child('hold', file), child('hold', file)];
      await Promise.all(children.map(({ line }) => line()));
      for (const { process } of children) process.stdin?.write('go\n');
      const said = await Promise.all(children.map(({ line }) => line()));
      expect(
        said.filter((line) => line.startsWith('holds ')),
        said.join('\n'),
      ).toEqual([`holds ${round + 1}`]);
      expect(said.filter((line) => line.startsWith('E_CONTROLLER_RUNNING '))).toHaveLength(2);
      for (const { process } of children) process.stdin?.end();
      await Promise.all(children.map(({ ended }) => ended));
    }
  });

  it('is won by exactly one of those that find the lock of a killed controller', async () => {
    const file = storeFile();
    const killed = child('hold', file);
    await killed.line();
    killed.process.stdin?.write('go\n');
    expect(await killed.line()).toBe('holds 1');
    const contenders = [child('hold', file), child('hold', file), child('hold', file)];
    await Promise.all(contenders.map(({ line }) => line()));
    const reader = await openReader(file);
    expect(await reader.holder()).toMatchObject({ epoch: 1, host: 'elsewhere', pid: killed.process.pid });

    killed.process.kill('SIGKILL');
    await killed.ended;
    expect(existsSync(lockPath(file))).toBe(true);
    expect(await reader.holder()).toBeNull();
    await reader.close();
    for (const { process } of contenders) process.stdin?.write('go\n');
    const said = await Promise.all(contenders.map(({ line }) => line()));
    expect(
      said.filter((line) => line === 'holds 2'),
      said.join('\n'),
    ).toHaveLength(1);
    expect(said.filter((line) => line.startsWith('E_CONTROLLER_RUNNING '))).toHaveLength(2);
  });
});

describe('processStart', () => {
  it('is the same each time for one process, and differs between processes', async () => {
    const other = spawn('sleep', ['60'], { stdio: 'ignore' });
    onTestFinished(() => void other.kill('SIGKILL'));
    const pid = other.pid ?? 0;
    const start = processStart(pid);
    expect(start).toEqual(expect.any(String));
    expect(processStart(pid)).toBe(start);
    expect(processStart(process.pid)).not.toBe(start);
    other.kill('SIGKILL');
    await new Promise((resolve) => other.once('exit', resolve));
    expect(processStart(pid)).toBeNull();
  });

  it('reads a program whose name looks like the fields after it', () => {
    const program = join(scratch(), 'a) S 1 2');
    copyFileSync('/bin/sleep', program);
    const named = spawn(program, ['60'], { stdio: 'ignore' });
    onTestFinished(() => void named.kill('SIGKILL'));
    expect(processStart(named.pid ?? 0)).toMatch(/^\S+ \d+$/);
    expect(processStart(named.pid ?? 0)).not.toBe(processStart(process.pid));
  });

  it.skipIf(process.platform !== 'linux')('counts a zombie as dead, by /proc and by ps', async () => {
    // The shell's child ends when its pipe does, and by then the shell has become `sleep`, which waits for no child.
    const script = 'cat <&3 >/dev/null & echo $!; exec 3<&-; exec sleep 60';
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const said = await new Promise<Buffer>((resolve) => parent.stdout?.once('data', resolve));
    const pid = Number(said.toString());
    await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'sleep\n');
    expect(processStart(pid)).not.toBeNull();
    parent.stdio[3]?.destroy();
    await until(() => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '));
    expect(() => process.kill(pid, 0)).not.toThrow();
    expect(processStart(pid)).toBeNull();
    expect(startFromPs(pid)).toBeNull();
  });

  it('has a second form for systems without /proc', () => {
    expect(startFromPs(process.pid)).toMatch(/^\w{3} \w{3} \d+ \d\d:\d\d:\d\d \d{4}$/);
    expect(startFromPs(2 ** 22 + 1)).toBeNull();
  });
});

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it does not come about');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
