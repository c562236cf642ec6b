import { describe, expect, test } from 'vitest';
import { builtinExecutors } from '../../src/executors/builtin.ts';
import { DEFAULT_CAGE } from '../../src/model/cage.ts';
import { DEFAULT_SANDBOX } from '../../src/model/sandbox.ts';
import { codes, configure, places } from './check.ts';

test('an empty file is a project without a repository, with every default', () => {
  const { config, problems } = configure('');
  expect(problems).toEqual([]);
  expect(config).toMatchObject({
    name: 'clawmarketing',
    repo: null,
    target: 'main',
    verify: null,
    context: [],
    contract: null,
    executor: 'claude',
    timeoutMs: 1_800_000,
    retries: 3,
    gateTimeoutMs: 1_800_000,
    sandbox: DEFAULT_SANDBOX,
    placeholderAllow: [],
    allowedExtras: [],
    sharedPaths: [],
    review: 'never',
    weight: 1,
    maxAttempts: 2,
  });
});

describe('the cage of agents', () => {
  test('is a word, or the whole with hosts, places and limits; unsaid limits keep their defaults', () => {
    expect(configure('').config?.cage).toBeUndefined();
    expect(configure('cage: strict').config?.cage).toEqual({ ...DEFAULT_CAGE, level: 'strict' });
    const { config, problems } = configure(`
cage:
  level: strict
  network: [registry.npmjs.org, "*.pypi.org", "10.0.0.7:8443"]
  read_only: [~/.cache/models]
  limits: { memory: 4GiB, processes: 300, disk: 2 GiB, cpus: 1.5 }
`);
    expect(problems).toEqual([]);
    expect(config?.cage).toEqual({
      level: 'strict',
      network: ['registry.npmjs.org', '*.pypi.org', '10.0.0.7:8443'],
      readOnly: ['~/.cache/models'],
      limits: {
        memory: 4 * 1024 ** 3,
        processes: 300,
        fileSize: DEFAULT_CAGE.limits.fileSize,
        disk: 2 * 1024 ** 3,
        cpus: 1.5,
      },
    });
    expect(configure('cage: { network: true }').config?.cage?.network).toBe(true);
  });

  test.each([
    ['cage: strickt'],
    ['cage: { level: strict, nett: true }'],
    ['cage: { network: [https://api.example.com/v1] }'],
    ['cage: { network: ["host:99999"] }'],
    ['cage: { network: false }'],
    ['cage: { read_only: [../up] }'],
    ['cage: { limits: { disk: lots } }'],
    ['cage: { limits: { cpus: 0 } }'],
  ])('%s is refused', (text) => {
    const { config, problems } = configure(text);
    expect(config).toBeNull();
    expect(problems).not.toEqual([]);
  });
});

test('every key has its place in the configuration', () => {
  const { config, problems, budgetTokens } = configure(`
repo: git@example.com:team/app.git
target: release/1.0
verify: make test
context: [docs/architecture.md]
contract: docs/contract.md
executor: replay
executors: { replay: { command: ["python3", "agent.py"] } }
timeout: 1h30m
retries: 1
gates:
  timeout: 10m
  network: true
  read_only: [~/.cache/models, /srv/data]
  limits: { memory: 2GiB, processes: 64, file_size: 100 MB }
  prepare: { command: npm ci, keyed_by: [package-lock.json], paths: [node_modules/] }
  extras: [CHANGELOG.md]
  placeholder: { allow: [{ path: "docs/**", text: TODO, reason: the list of open points }] }
trusted: true
shared_paths: [package.json, "db/migrations/**"]
protected_paths: [run.sh]
review: p0
weight: 0.5
max_attempts: 4
budget: { tokens: 1000 }
`);
  expect(problems).toEqual([]);
  expect(budgetTokens).toBe(1000);
  expect(config).toMatchObject({
    repo: 'git@example.com:team/app.git',
    target: 'release/1.0',
    verify: 'make test',
    context: ['docs/architecture.md'],
    contract: 'docs/contract.md',
    executor: 'replay',
    timeoutMs: 5_400_000,
    retries: 1,
    gateTimeoutMs: 600_000,
    sandbox: {
      trusted: true,
      network: true,
      readOnly: ['~/.cache/models', '/srv/data'],
      limits: { memory: 2 * 1024 ** 3, processes: 64, fileSize: 100 * 1024 ** 2 },
      prepare: { command: 'npm ci', keyedBy: ['package-lock.json'], paths: ['node_modules'] },
    },
    placeholderAllow: [{ path: 'docs/**', text: 'TODO', reason: 'the list of open points' }],
    allowedExtras: ['CHANGELOG.md'],
    sharedPaths: ['package.json', 'db/migrations/**'],
    review: 'p0',
    weight: 0.5,
    maxAttempts: 4,
  });
  expect(config?.executors.replay).toEqual({
    name: 'replay',
    kind: 'shell',
    command: ['python3', 'agent.py'],
    env: {},
    secrets: {},
    model: null,
  });
  expect(config?.protectedPaths).toEqual(
    expect.arrayContaining(['run.sh', '.github/workflows/', '**/CLAUDE.md']),
  );
});

test.each([
  ['gates: { limits: { memory: plenty } }', 'is not a size'],
  ['gates: { limits: { file_size: 0 } }', 'is not a size'],
  ['gates: { read_only: [../up] }', 'absolute path'],
  ['gates: { read_only: [~/../else] }', 'absolute path'],
  ['gates: { prepare: { command: x, keyed_by: [lock], paths: [../up] } }', ''],
  ['gates: { prepare: { command: x, keyed_by: [], paths: [a] } }', ''],
  ['gates: { prepare: { command: x, paths: [a] } }', 'keyed_by'],
  ['trusted: perhaps', ''],
])('a sandbox described as %s is refused', (text, why) => {
  const { config, problems } = configure(`${text}\n`);
  expect(config).toBeNull();
  expect(problems).toHaveLength(1);
  expect(problems[0]?.message).toContain(why);
});

describe('executors', () => {
  const builtin = builtinExecutors();

  test('the built-in ones are there', () => {
    expect(Object.keys(configure('').config?.executors ?? {})).toEqual(Object.keys(builtin));
  });

  test('one may extend another, whose settings count where it has none', () => {
    const { config } = configure(`
executors:
  fast: { extends: mine, model: glm-5.3-flash }
  mine: { extends: glm, env: { LEVEL: 3 }, secrets: { ANTHROPIC_AUTH_TOKEN: { file: ~/.config/glm.key } } }
`);
    expect(config?.executors.fast).toEqual({
      name: 'fast',
      kind: 'claude',
      command: builtin.glm?.command,
      env: { ...builtin.glm?.env, LEVEL: '3' },
      secrets: { ANTHROPIC_AUTH_TOKEN: { file: '~/.config/glm.key' } },
      model: 'glm-5.3-flash',
      // Whoever inherits its secrets shares the key with them.
      pool: [{ name: 'mine', maxInFlight: null, secrets: null }],
    });
  });

  test('an executor that names its secrets inherits none', () => {
    const { config } = configure(
      'executors:\n  claude: { env: { ANTHROPIC_BASE_URL: "http://gate" }, secrets: { ANTHROPIC_AUTH_TOKEN: { file: k } } }\n',
    );
    expect(config?.executors.claude?.secrets).toEqual({ ANTHROPIC_AUTH_TOKEN: { file: 'k' } });
  });

  test('one named like a built-in one adds to it, unless it is of another kind', () => {
    const { config } = configure(
      'executors: { claude: { model: opus }, glm: { kind: shell, command: [sh] } }',
    );
    expect(config?.executors.claude).toEqual({ ...builtin.claude, model: 'opus' });
    expect(config?.executors.glm).toEqual({
      name: 'glm',
      kind: 'shell',
      command: ['sh'],
      env: {},
      secrets: {},
      model: null,
    });
  });

  test('a variable has one origin, the nearest', () => {
    const { config } = configure('executors: { local: { extends: glm, env: { ANTHROPIC_AUTH_TOKEN: x } } }');
    expect(config?.executors.local?.secrets).toEqual({});
    expect(config?.executors.local?.env.ANTHROPIC_AUTH_TOKEN).toBe('x');
  });

  test('circles, strangers and empty ones are refused, all at once and beside other mistakes', () => {
    const { problems, config } = configure(`
target: ..
executor: relay
executors:
  replay: { command: ["x"] }
  a: { extends: b }
  b: { extends: a }
  child: { extends: a }
  c: {}
  d: { extends: glmm }
  e: { command: [] }
  f: { command: x, secrets: { K: {} }, env: { "A-B": 1 } }
`);
    expect(config).toBeNull();
    expect(codes(problems)).toEqual(expect.arrayContaining(['E_SPEC_VALUE', 'E_SPEC_TYPE']));
    const rest = configure(`
executor: relay
executors:
  replay: { command: ["x"] }
  a: { extends: b }
  b: { extends: a }
  child: { extends: a }
  c: {}
  d: { extends: glmm }
`);
    expect(places(rest.problems)).toEqual([
      'E_PROJECT_EXECUTOR 5:8',
      'E_PROJECT_EXECUTOR 8:3',
      'E_SPEC_UNKNOWN_EXECUTOR 9:17',
      'E_SPEC_UNKNOWN_EXECUTOR 2:11',
    ]);
    expect(rest.problems[0]?.message).toContain('a -> b -> a');
    expect(rest.problems[2]?.fix).toContain('glm');
    expect(rest.problems[3]?.fix).toContain('replay');
  });

  test('a secret in plain text is a warning', () => {
    const { problems, config } = configure('executors: { glm: { env: { GLM_API_KEY: 0123456789abcdef } } }');
    expect(problems).toMatchObject([{ code: 'E_PROJECT_PLAIN_SECRET', severity: 'warning', line: 1 }]);
    expect(config).not.toBeNull();
    expect(JSON.stringify(problems)).not.toContain('0123456789abcdef');
  });
});

test.each([
  ['repos: x', 'repo'],
  ['shared_path: [a]', 'shared_paths'],
  ['gates: { extra: [] }', 'extras'],
  ['gates: { placeholder: { allowed: [] } }', 'allow'],
  ['review: alway', 'always'],
])('%s: the nearest known one is named', (yaml, near) => {
  expect(configure(yaml).problems[0]?.fix).toBe(`did you mean "${near}"?`);
});

test.each([
  'repo: -uorigin',
  'repo: "ext::sh -c id"',
  'target: "-f"',
  'target: a..b',
  'target: refs/heads/x.lock',
  'target: "a b"',
  'weight: 0',
  'max_attempts: 0',
  'gates: { timeout: 0 }',
])('%s is refused', (yaml) => {
  expect(codes(configure(yaml).problems)).toEqual(['E_SPEC_VALUE']);
});

test('paths to files of the repository stay inside it, and may contain what a glob would read otherwise', () => {
  expect(codes(configure('context: [/etc/passwd]\ncontract: ../x').problems)).toEqual([
    'E_SPEC_MODIFIES',
    'E_SPEC_MODIFIES',
  ]);
  expect(configure('context: ["app/[id]/{a}.md"]').config?.context).toEqual(['app/[id]/{a}.md']);
});
