import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeHome, PROJECT, sshNode } from './home.ts';
import { type Sshd, type SshdOptions, startSshd } from './sshd.ts';

async function server(options: SshdOptions = {}): Promise<Sshd> {
  const sshd = await startSshd(options);
  onTestFinished(() => sshd.stop());
  return sshd;
}

/** One that was there once and is off now. */
async function gone(alias: string): Promise<Sshd> {
  const sshd = await server({ alias });
  await sshd.halt();
  return sshd;
}

describe('a node that cannot be reached', () => {
  test('among others that can: it is said once, and the run goes on with the others', async () => {
    const off = await gone('off');
    const home = makeHome({
      nodes: [{ name: 'here', local: true }, sshNode('box', off)],
      tasks: { A: {}, B: { depends_on: ['A'], agent: 'mark B; await go; put src/B.txt b' } },
    });
    const started = home.start();
    // The second task waits until the node was tried for a second and a third time.
    await home.marked('B');
    await started.until('a note', () => started.notes.length > 0);
    home.mark('go');
    expect((await started.ended).code).toBe(0);
    expect(started.notes).toHaveLength(1);
    expect(started.notes[0]).toMatchObject({ about: 'node', name: 'box', code: 'E_NODE_UNREACHABLE' });
    expect(home.attempts()).toEqual(['A 1', 'B 1']);
    expect((await home.status()).A?.node).toBe('here');
  });

  test('as the only one, or as all of them: start ends with 7 and names each with its reason', async () => {
    const [off, gone2] = [await gone('off'), await gone('gone')];
    const home = makeHome({
      nodes: [
        sshNode('box', off),
        sshNode('mac', gone2),
        { name: 'pod', command: ['no-such-kubectl', 'exec'] },
      ],
      tasks: { A: {} },
    });
    const { code, stderr } = await home.dispatch(['start', PROJECT]);
    expect(code).toBe(7);
    expect(stderr).toContain('error[E_NO_NODE_REACHED] none of the 3 nodes can be reached');
    expect(stderr).toMatch(/off cannot be reached: .*ECONNREFUSED/u);
    expect(stderr).toContain('mac: gone cannot be reached');
    expect(stderr).toContain('pod: no-such-kubectl cannot be started (ENOENT)');
    expect(stderr).toContain('check that this works: ssh off true');
    expect(stderr).toContain('install no-such-kubectl, or correct "command" in nodes.json');
    expect(stderr).toContain(`then again: dispatch start ${PROJECT}`);
    expect(home.attempts()).toEqual([]);
    expect(await home.words()).toEqual({ A: 'ready' });

    home.writeNodes([{ name: 'here', local: true }]);
    expect((await home.dispatch(['start', PROJECT])).code).toBe(0);
  });

  test('while an attempt runs on it: start waits for it, and takes the result when it is back', async () => {
    const sshd = await server();
    const home = makeHome({
      nodes: [sshNode('box', sshd)],
      tasks: { A: { agent: 'mark began; await go; put src/A.txt a' } },
    });
    const first = home.start();
    await home.marked('began');
    await first.kill();
    await sshd.halt();

    const second = home.start();
    await second.until('a note that it waits', () =>
      second.notes.some(({ message }) => message.includes('attempts run there')),
    );
    home.mark('go');
    await sshd.start();
    expect((await second.ended).code).toBe(0);
    expect(home.attempts()).toEqual(['A 1']);
  });

  test('collect needs a gate and nobody can run it: it ends with 7, and lands when a node is back', async () => {
    const sshd = await server();
    const home = makeHome({ nodes: [sshNode('box', sshd)], tasks: { A: {} } });
    expect((await home.start().ended).code).toBe(0);
    // The target moves, so that what would land is a merge that no gate has seen.
    home.commit({ 'src/other.txt': 'other\n' }, 'other');
    await sshd.halt();
    const refused = await home.dispatch(['collect', PROJECT]);
    expect(refused.code).toBe(7);
    expect(refused.stderr).toContain('error[E_NO_NODE_REACHED] the only node cannot be reached');
    expect(refused.stderr).toContain(`then again: dispatch collect ${PROJECT}`);
    expect(home.subjects()).toEqual(['other', 'first']);
    await sshd.start();
    expect((await home.dispatch(['collect', PROJECT])).code).toBe(0);
    expect(home.file('src/A.txt')).toBe('A\n');
  });
});

describe('a host key', () => {
  test('that has changed: nothing is sent, the fix is one command, and after it the run finishes', async () => {
    const sshd = await server();
    const home = makeHome({ nodes: [sshNode('box', sshd)], tasks: { A: {} } });
    await sshd.replaceHostKey();
    const { code, stderr } = await home.dispatch(['start', PROJECT]);
    expect(code).toBe(7);
    expect(stderr).toContain('is not the recorded one, so nothing was sent to it');
    expect(stderr).toContain(`ssh-keygen -R '${sshd.hostKeyName}' -f '${sshd.knownHosts}'`);
    // Not even a login was tried.
    expect(sshd.log).not.toMatch(/Accepted|Failed|publickey/u);
    expect(home.attempts()).toEqual([]);
    const screen = await home.dispatch(['nodes']);
    expect(screen.stdout).toContain('wrong host key');
    for (const shown of [screen, await home.dispatch(['status'])])
      expect(shown.stderr).toContain('alert P0: box: E_HOST_KEY_CHANGED: wrong host key');
    const doctor = await home.dispatch(['doctor']);
    expect(doctor.code).not.toBe(0);
    expect(doctor.stdout).toContain('ssh-keygen -R');

    writeFileSync(sshd.knownHosts, '');
    await sshd.trust();
    expect((await home.dispatch(['start', PROJECT])).code).toBe(0);
    const report = (await home.dispatch(['report', PROJECT])).stdout;
    expect(report).toMatch(/healed .*wrong host key/u);
    expect(report).not.toContain('## Alerts');
  });

  test('that has changed on one of two nodes: a note with the fix, and the other does the work', async () => {
    const sshd = await server();
    const home = makeHome({
      nodes: [{ name: 'here', local: true }, sshNode('box', sshd)],
      tasks: { A: { agent: 'await go; put src/A.txt a' } },
    });
    await sshd.replaceHostKey();
    const started = home.spawn(['start', PROJECT]);
    await started.until('the note', () => started.output.includes('ssh-keygen -R'));
    home.mark('go');
    const { code, stderr } = await started.ended;
    expect(code).toBe(0);
    expect(stderr.match(/E_HOST_KEY_CHANGED/gu)).toHaveLength(1);
  });

  test('that nobody has seen yet: nothing is sent, and `nodes add` is named; it changes nothing unasked', async () => {
    const sshd = await server({ trusted: false });
    const home = makeHome({ nodes: [sshNode('box', sshd)], tasks: { A: {} } });
    const { code, stderr } = await home.dispatch(['start', PROJECT]);
    expect(code).toBe(7);
    expect(stderr).toContain(`no host key of ${sshd.hostKeyName} is known, so nothing was sent to it`);
    expect(stderr).toContain('dispatch nodes add box');
    expect(sshd.log).not.toMatch(/Accepted|Failed|publickey/u);
    expect(readFileSync(sshd.knownHosts, 'utf8')).toBe('');
  });
});

test('a node that refuses our key is named with what was tried, and is not hammered', async () => {
  const sshd = await server();
  writeFileSync(join(sshd.dir, 'authorized_keys'), '');
  const home = makeHome({ nodes: [sshNode('box', sshd)], tasks: { A: {} } });
  const { code, stderr } = await home.dispatch(['start', PROJECT]);
  expect(code).toBe(7);
  expect(stderr).toMatch(/box does not let \S+ in with any of our keys/u);
  expect(stderr).toContain('ssh-copy-id box');
  appendFileSync(join(sshd.dir, 'authorized_keys'), readFileSync(`${sshd.userKey}.pub`));
  expect((await home.dispatch(['start', PROJECT])).code).toBe(0);
});
