import { expect, test } from 'vitest';
import { mkdirSync, writeFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Fact } from '../../src/model/event.ts';
import { added, claim, config, key, NODE, SET_UP } from '../model/builder.ts';
import { dispatch, makeHome, record } from './dispatch.ts';
import { workerRoot } from './fleet.ts';

const PLAIN = { command: ['run'], env: {}, secrets: {}, model: null };
const POOL = ['glm', 'glm-b'].map((name) => ({
  name,
  maxInFlight: name === 'glm' ? 2 : null,
  secrets: null,
}));
const EXECUTORS = { glm: { ...PLAIN, name: 'glm', kind: 'claude' as const, pool: POOL } };

/** A key that carries one of two, another that nobody may use now, and a task that waits for them. */
async function homeWithKeys(): Promise<string> {
  const limited: Fact = {
    type: 'credential.limited',
    credential: 'glm-b',
    why: 'login',
    message: 'API Error: 401 \u001b[31minvalid key',
    limit: null,
    seen: null,
    notBefore: Date.now() + 3_600_000,
    strikes: 1,
  };
  const busy: Fact = {
    ...limited,
    credential: 'glm',
    why: 'rate',
    limit: 1,
    seen: 2,
    notBefore: 0,
    message: '429',
  };
  const home = makeHome({ 'nodes.json': JSON.stringify([{ name: NODE, local: true, slots: 8 }]) });
  await record(
    home,
    ...SET_UP,
    { type: 'project.configured', config: { ...config(), executors: EXECUTORS } },
    added('S01', { executor: 'glm' }),
    added('S02', { executor: 'glm', modifies: ['src/b.ts'] }),
    busy,
    { ...(claim('S01', 1) as Extract<Fact, { type: 'attempt.claimed' }>), credential: 'glm' },
    limited,
  );
  return home;
}

test('credentials says who is busy, who is refused and until when', async () => {
  const home = await homeWithKeys();
  const { code, stdout, stderr } = await dispatch(['credentials'], { cwd: home });
  expect(code).toBe(0);
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t').slice(0, 4));
  expect(rows).toEqual([
    ['CREDENTIAL', 'IN FLIGHT', 'MAX', 'STATE'],
    ['glm', '1/1', '2', 'trying'],
    ['glm-b', '0/0', '-', 'needs you'],
  ]);
  expect(stdout).not.toContain('\u001b');
  expect(stderr).toContain('glm-b: mend the key');
  const json = await dispatch(['credentials', '-o', 'json'], { cwd: home });
  expect(JSON.parse(json.stdout)).toMatchObject({
    kind: 'CredentialList',
    data: [
      {
        name: 'glm',
        inFlight: 1,
        allowed: 1,
        maxInFlight: 2,
        limit: 1,
        refusedAt: 2,
        nextRetry: null,
        attempts: 1,
      },
      { name: 'glm-b', state: 'needs you', refusals: 1, nextRetry: expect.any(Number) },
    ],
  });
});

test('why names the keys that a task waits for', async () => {
  const { stdout } = await dispatch(['why', key('S02')], { cwd: await homeWithKeys() });
  expect(stdout).toContain('no key of its executor can be used now:');
  expect(stdout).toMatch(/glm-b \(glm\): refused \(login\): API Error: 401 .*tried again in/u);
});

test('nodes probe and doctor name what an agent’s program lacks', async () => {
  const home = makeHome({
    'specs/app/project.yaml': 'executor: old\ntrusted: true\nverify: "true"\n',
    'specs/app/S01.md':
      '---\ntask_id: S01\nproject: app\nmodifies: []\nverify: "true"\n---\n## Goal\nx\n## Acceptance\ny\n',
  });
  const bin = join(home, 'bin');
  mkdirSync(bin);
  const program = join(bin, 'codex');
  writeFileSync(
    program,
    '#!/bin/sh\ncase "$*" in --version) echo codex-cli 0.20.1 ;; *) echo --json ;; esac\n',
  );
  chmodSync(program, 0o755);
  writeFileSync(
    join(home, 'executors.yaml'),
    `executors: { old: { extends: codex, command: ["${program}"] } }\n`,
  );
  writeFileSync(
    join(home, 'nodes.json'),
    JSON.stringify([{ name: 'here', local: true, slots: 1, root: workerRoot() }]),
  );
  const probed = await dispatch(['nodes', 'probe'], { cwd: home });
  expect(probed.stdout).toContain(
    `old (${program}) 0.20.1: cannot be used: codex exec 0.20.1 has no --sandbox`,
  );
  const doctor = await dispatch(['doctor', '--node', 'here', '-o', 'json'], { cwd: home });
  expect(JSON.parse(doctor.stdout).data).toContainEqual(
    expect.objectContaining({
      state: 'fail',
      what: expect.stringContaining('codex exec 0.20.1 has no --sandbox, --skip-git-repo-check'),
    }),
  );
});
