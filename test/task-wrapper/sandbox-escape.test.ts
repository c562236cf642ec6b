/**
 * Branches whose tests try to get out of the sandbox. Each attack has something that it would hurt, and each is run once
 * more without the sandbox, where it must succeed: an attack that fails for another reason proves nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_SANDBOX } from '../../src/model/sandbox.ts';
import { type Client, isAlive, newToken, TestNode, until } from './client.ts';
import { Project, treeOrder } from './project.ts';
import { gateOrder, noSandbox, runGate } from './sandbox-here.ts';
import { SECRET, userHome } from './user-home.ts';

let home: string;
let node: TestNode;
let client: Client;
let project: Project;
beforeEach(async () => {
  home = userHome();
  node = new TestNode({ HOME: home });
  project = new Project({ 'src/a.txt': 'a\n', 'test.sh': 'true\n' });
  client = await node.join();
  await project.put(client);
});
afterEach(async () => {
  project.clean();
  await node.clean();
});

/** @returns what the attack printed inside, after it has been shown to do harm outside. */
async function attack(script: string, hurt: (said: string) => boolean): Promise<string> {
  const caged = await runGate(node, client, gateOrder(project, script));
  expect(hurt(caged.said), `inside the sandbox: ${caged.said}`).toBe(false);
  const free = await runGate(node, client, gateOrder(project, script, { trusted: true }));
  // A process that was hit dies when it is its turn to run.
  await until(() => hurt(free.said)).catch(() => expect.fail(`without it: ${free.said}`));
  return caged.said;
}

describe.skipIf(noSandbox !== null)(
  `a verify command in the sandbox${noSandbox === null ? '' : ` (${noSandbox})`}`,
  () => {
    test('reads no key of the user, nothing of the worker, and no other attempt', async () => {
      const other = treeOrder(project, 'echo other > src/o', {}, { verify: null });
      await client.call({ op: 'start', order: other });
      await client.ended(other.token);
      await attack(`cat ${home}/.ssh/id_ed25519 ~/../../${home}/.ssh/id_ed25519`, (said) =>
        said.includes(SECRET),
      );
      await attack(`cat ${node.root}/run/supervisor && echo read it`, (said) => said.includes('read it'));
      await attack(`cat ${node.root}/attempts/${other.token}/tree/src/o && echo read it`, (said) =>
        said.includes('read it'),
      );
    });

    test("writes nowhere but in its checkout, its home and its /tmp: not the mirror, not the worker's journal, not the system", async () => {
      const places = [
        home,
        project.dir,
        node.root,
        `${node.root}/repos/demo.git`,
        `${node.root}/journal`,
        `${node.root}/bin`,
      ];
      const harm = (): boolean => {
        const harmed = places.filter((place) => existsSync(`${place}/canary`));
        for (const place of harmed) rmSync(`${place}/canary`);
        return harmed.length > 0;
      };
      await attack(places.map((place) => `echo x > ${place}/canary`).join('\n'), harm);
      const system = ['/', '/usr', '/etc', '/dev', '/proc', '/sys', '/var', '/run', '/home'];
      const tries = system.map(
        (dir) => `touch ${dir}/canary-$$ && { rm ${dir}/canary-$$; echo wrote ${dir}; }`,
      );
      const { said } = await runGate(node, client, gateOrder(project, tries.join('\n')));
      expect(said).not.toContain('wrote');
      const own = 'touch here "$HOME/there" "$TMPDIR/x" /tmp/y /dev/shm/z';
      expect((await runGate(node, client, gateOrder(project, own))).outcome.kind).toBe('done');
    });

    test('neither ends nor looks into a process outside', async () => {
      const start = (): ChildProcess =>
        spawn('sleep', ['300'], { env: { PATH: process.env.PATH, MARK: SECRET }, stdio: 'ignore' });
      let victim = start();
      try {
        await attack(`tr '\\0' '\\n' < /proc/${victim.pid}/environ`, (said) => said.includes(SECRET));
        await attack(`kill -9 ${victim.pid}`, () => {
          const dead = !isAlive(victim.pid ?? 0);
          if (dead) victim = start();
          return dead;
        });
      } finally {
        victim.kill('SIGKILL');
      }
    });

    test('reaches no server of the machine, by address or by socket, unless the project allows the network', async () => {
      let calls = 0;
      const listen = async (where: number | string): Promise<Server> => {
        const server = createServer((socket) => {
          calls += 1;
          socket.destroy();
        });
        await new Promise<void>((resolve) =>
          server.listen(
            typeof where === 'number' ? { port: where, host: '127.0.0.1' } : { path: where },
            resolve,
          ),
        );
        return server;
      };
      const tcp = await listen(0);
      const unix = await listen(join(project.dir, 's'));
      try {
        const { port } = tcp.address() as { port: number };
        const call = (where: string): string =>
          `node -e 'require("net").connect(${where}).on("error", () => process.exit(1)).on("close", () => process.exit(0))'`;
        const hurt = (): boolean => {
          const called = calls > 0;
          calls = 0;
          return called;
        };
        await attack(call(`${port}, "127.0.0.1"`), hurt);
        await attack(call(`"${project.dir}/s"`), hurt);
        await runGate(node, client, gateOrder(project, call(`${port}, "127.0.0.1"`), { network: true }));
        expect(hurt()).toBe(true);
      } finally {
        tcp.close();
        unix.close();
      }
    });

    test('leaves no process behind, not even one that hides whose it is', async () => {
      const mark = `31${Math.floor(Math.random() * 1e7)}`;
      const left = (): number[] =>
        readdirSync('/proc')
          .filter((name) => /^\d+$/.test(name))
          .map(Number)
          .filter((pid) => isAlive(pid) && commandOf(pid).includes(mark));
      try {
        await attack(
          `env -i setsid nohup sh -c ': >hidden; exec sleep ${mark}' >/dev/null 2>&1 & until [ -e hidden ]; do sleep 0.05; done`,
          () => left().length > 0,
        );
      } finally {
        for (const pid of left()) process.kill(pid, 'SIGKILL');
      }
    });

    test.skipIf(!boundsProcesses())('starts no more processes than the project allows', async () => {
      const bomb = 'n=0; while [ $n -lt 150 ]; do sleep 30 & n=$((n+1)); done; echo all of them';
      const limits = { ...DEFAULT_SANDBOX.limits, processes: 40 };
      const { said, outcome } = await runGate(node, client, gateOrder(project, bomb, { limits }));
      expect(said).toContain('fork');
      expect(said).not.toContain('all of them');
      expect(outcome.kind).toBe('refused');
      expect((await runGate(node, client, gateOrder(project, bomb))).said).toContain('all of them');
    });

    test('writes no file larger than the project allows', async () => {
      const order = gateOrder(project, 'head -c 5000000 /dev/zero > big', {
        limits: { ...DEFAULT_SANDBOX.limits, fileSize: 1_000_000 },
      });
      const { outcome } = await runGate(node, client, order);
      expect(outcome.kind).not.toBe('done');
      expect(statSync(`${node.root}/attempts/${order.token}/check/big`).size).toBeLessThanOrEqual(1_000_448);
    });

    test('gains no right: no program with the bit of its owner, no mount, no namespace, no switch of the kernel', async () => {
      const tries = [
        'mount -t tmpfs none /tree',
        'mount --bind /usr /tree',
        'mount -o remount,rw /usr',
        'umount /tree',
        'unshare -U true',
        'unshare -m true',
        'chown 12345 test.sh',
        'mknod device b 8 0',
        'chroot / true',
        ': >> /proc/sys/kernel/core_pattern',
        ': >> /proc/sysrq-trigger',
        // What everybody may write by its mode is no switch: /proc/pressure.
        'for file in $(find /proc -maxdepth 5 -type f ! -perm -002 ! -path "/proc/[0-9]*" ! -path "/proc/*self/*"); do true >> $file && exit 0; done; exit 1',
        'nsenter -t 1 -m true',
      ];
      const script = tries.map((one) => `if ( ${one} ) 2>/dev/null; then echo 'did: ${one}'; fi`).join('\n');
      const { said } = await runGate(
        node,
        client,
        gateOrder(project, `${script}\ngrep -E 'NoNewPrivs|CapEff|CapBnd' /proc/self/status`),
      );
      expect(said.replaceAll(/\t/g, ' ').trim().split('\n')).toEqual([
        'CapEff: 0000000000000000',
        'CapBnd: 0000000000000000',
        'NoNewPrivs: 1',
      ]);
    });

    test('finds nothing of an earlier one in its home, its /tmp or its environment', async () => {
      const order = treeOrder(
        project,
        'echo $DISPATCH_ROUND > src/a.txt; touch /tmp/from-the-agent "$HOME/from-the-agent"',
        {},
        {
          retries: 1,
          verify:
            'ls -A "$HOME" /tmp; env | cut -d= -f1 | sort | tr "\\n" " "; touch "$HOME/mine" /tmp/mine; [ "$DISPATCH_ROUND" = 2 ]',
        },
        { token: newToken() },
      );
      try {
        await client.call({ op: 'start', order });
        expect(await client.ended(order.token)).toMatchObject({ kind: 'done', rounds: 2 });
        const said = node.file(order.token, '2v.log');
        expect(said).not.toContain('mine');
        expect(said).not.toContain('from-the-agent');
        expect(said.trim().split('\n').at(-1)?.trim()).toBe(
          'DISPATCH_PROJECT DISPATCH_ROUND DISPATCH_TASK DISPATCH_TASK_ID DISPATCH_TOKEN HOME LANG LOGNAME PATH PWD SHELL TERM TMPDIR USER',
        );
      } finally {
        rmSync('/tmp/from-the-agent', { force: true });
      }
    });

    test('is ended, with everything that it started, when its time is up', async () => {
      const order = {
        ...gateOrder(project, 'env -i setsid sleep 300 & touch begun; sleep 300'),
        timeoutMs: 1500,
      };
      const { outcome } = await runGate(node, client, order);
      expect(outcome).toMatchObject({ kind: 'failed', cause: 'gate' });
      const inside = (): string[] =>
        readdirSync('/proc').filter(
          (pid) => /^\d+$/.test(pid) && commandOf(Number(pid)).includes(order.token),
        );
      // The shell that recorded the end is about to leave.
      await until(() => inside().length === 0);
    });
  },
);

/** Root is not bound by a shell's limit on processes: there it takes a control group. */
function boundsProcesses(): boolean {
  if (process.getuid?.() !== 0) return true;
  const can =
    existsSync('/sys/fs/cgroup/cgroup.controllers') || existsSync('/sys/fs/cgroup/pids/cgroup.procs');
  if (!can)
    process.stderr.write('\nSKIPPED: no control group can be made here, and root has no limit without\n\n');
  return can;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
