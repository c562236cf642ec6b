/** What the command line says about a machine that cannot build a sandbox. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { dispatch, scratch } from './dispatch.ts';
import { codeHome, subjects } from './fleet.ts';

const REFUSAL = 'bwrap: setting up uid map: Permission denied';

let env: Record<string, string>;
beforeEach(() => {
  // What a person has in ~/.local/bin comes before the system's.
  const home = scratch();
  mkdirSync(join(home, '.local/bin'), { recursive: true });
  writeFileSync(join(home, '.local/bin/bwrap'), `#!/bin/sh\necho '${REFUSAL}' >&2\nexit 1\n`, {
    mode: 0o755,
  });
  env = { HOME: home };
});

describe.skipIf(process.platform !== 'linux')('a machine whose bubblewrap does not work', () => {
  test('start says so when the node connects, and the task fails by a broken gate', async () => {
    const { home } = codeHome({ A1: 'echo x > src/A1.txt' });
    const { code, stdout, stderr } = await dispatch(['start', 'code'], { cwd: home, env });
    expect(code).toBe(3);
    expect(stderr).toContain(`no verify command can run there: bubblewrap does not work: ${REFUSAL}`);
    expect(stdout).toContain('code/A1 failed');
    expect(stdout).toContain('trusted: true');
  });

  test('no agent in cage: strict is placed there, and why names the reason and the fix', async () => {
    const { home } = codeHome({ A1: 'echo x > src/A1.txt' });
    appendFileSync(join(home, 'specs/code/project.yaml'), 'trusted: true\ncage: strict\n');
    const { code, stderr } = await dispatch(['start', 'code'], { cwd: home, env });
    expect(code).toBe(3);
    expect(stderr).toContain('no agent in `cage: strict` can run there');
    expect(stderr).toContain(REFUSAL);
    const why = await dispatch(['why', 'A1'], { cwd: home, env });
    expect(why.stdout).toContain(`no sandbox for \`cage: strict\`: bubblewrap does not work: ${REFUSAL}; `);
    const { stdout } = await dispatch(['status', 'code', '-o', 'json'], { cwd: home });
    expect(JSON.parse(stdout)).toMatchObject({ data: [{ attempt: 0 }] });
  });

  test('doctor and nodes probe say so, with the fix', async () => {
    const { home } = codeHome({ A1: 'true' });
    const doctor = await dispatch(['doctor', '-o', 'json'], { cwd: home, env });
    expect(doctor.code).toBe(3);
    const { data } = JSON.parse(doctor.stdout) as { data: { id: string; fix: string | null }[] };
    expect(data.find(({ id }) => id === 'node.here.sandbox')).toMatchObject({
      state: 'fail',
      what: expect.stringContaining(REFUSAL),
      fix: expect.any(String),
    });
    expect((await dispatch(['nodes', 'probe'], { cwd: home, env })).stdout).toContain('no sandbox');
  });

  test('a project that is trusted runs there, and doctor warns of it', async () => {
    const { home, repo } = codeHome({ A1: 'echo x > src/A1.txt' });
    appendFileSync(join(home, 'specs/code/project.yaml'), 'trusted: true\n');
    const { code, stderr } = await dispatch(['start', 'code'], { cwd: home, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await dispatch(['collect', 'code'], { cwd: home, env })).code).toBe(0);
    expect(subjects(repo)).toHaveLength(2);
    const { stdout } = await dispatch(['doctor', '-o', 'json'], { cwd: home, env });
    const states = (JSON.parse(stdout) as { data: { id: string; state: string }[] }).data;
    expect(states).toContainEqual(expect.objectContaining({ id: 'project.code.trusted', state: 'warn' }));
    expect(states).toContainEqual(expect.objectContaining({ id: 'node.here.sandbox', state: 'warn' }));
  });
});
