/** A repository with one commit, and a home that knows it, this machine, and the stand-in for a model. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEMO, EXAMPLE, HOME, nodeRoot, PROJECT, REPOSITORY } from './place.ts';

export function makeRepository(): void {
  const work = join(DEMO, 'first-commit');
  cpSync(join(EXAMPLE, 'sample'), work, { recursive: true });
  const git = (...args: string[]): void => {
    execFileSync('git', ['-c', 'user.name=demo', '-c', 'user.email=demo@localhost', '-C', work, ...args], {
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    });
  };
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'A small marketing backend');
  git('clone', '-q', '--bare', work, REPOSITORY);
  rmSync(work, { recursive: true });
}

export function makeHome({ model }: { readonly model: string }): void {
  const specs = join(HOME, 'specs', PROJECT);
  mkdirSync(specs, { recursive: true });
  const config = readFileSync(join(EXAMPLE, 'project.yaml'), 'utf8')
    .replace(/^#.*\n/gmu, '')
    .replace(/^repo: .*$/mu, `repo: ${REPOSITORY}`);
  const sandbox = whyNoSandbox();
  writeFileSync(join(specs, 'project.yaml'), sandbox === null ? config : `${config}${TRUST}`);
  if (sandbox !== null)
    console.log(
      `No sandbox here, so the demo trusts its own agents (trusted: true in project.yaml): ${sandbox}`,
    );
  const laptop = { name: 'laptop', local: true, slots: 2, mode: 'hybrid', root: nodeRoot('laptop') };
  writeFileSync(join(HOME, 'nodes.json'), `[\n  // This machine.\n  ${JSON.stringify(laptop)}\n]\n`);
  writeFileSync(
    join(HOME, 'dispatch.yaml'),
    `# Which models are asked: here a stand-in on this machine, which answers with what was recorded, or by rule.
models:
  split: { provider: stand-in, api: openai, base_url: ${model}/v1, model: recorded-answers, key_env: null }
  review: { provider: stand-in, api: openai, base_url: ${model}/v1, model: reads-remarks, key_env: null }
`,
  );
  writeFileSync(join(HOME, '.gitignore'), '.dispatch/\n');
}

const TRUST =
  '# Verify commands run without a sandbox, because this machine cannot build one.\ntrusted: true\n';

/** Why bubblewrap cannot run, as in a container without user namespaces; null: it can, or this is a Mac. */
function whyNoSandbox(): string | null {
  if (process.platform !== 'linux') return null;
  const unshared = ['--unshare-user', '--unshare-pid', '--unshare-net'];
  const args = ['--ro-bind', '/', '/', ...unshared, '--proc', '/proc', 'true'];
  const { status, stderr, error } = spawnSync('bwrap', args, { encoding: 'utf8' });
  if (status === 0) return null;
  return error === undefined ? stderr.trim() : 'bubblewrap is not installed';
}
