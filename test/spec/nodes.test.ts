import { describe, expect, test } from 'vitest';
import { DispatchError } from '../../src/model/error.ts';
import { addNode, parseNodes, removeNode } from '../../src/spec/nodes.ts';
import { codes, places } from './check.ts';

const FILE = `{
  "$schema": "./schemas/nodes.schema.json",
  // the old laptop last
  "nodes": [
    { "name": "codex-node-1", "ssh_target": "codex-node-1", "slots": 8, "gate_slots": 2, "lease": "1h", "mode": "hybrid", "labels": ["linux", "us-west1"], "weight": 1 },
    { "name": "mac2", "ssh_target": "me@mac2", "mode": ["claude"], "transport": "openssh", "socket": "/tmp/s", "ssh_config": "cfg", "root": "~/w", "lease": "never" }, // spare
    { "name": "here", "local": true, "slots": 2 },
    { "name": "pod", "command": ["kubectl", "exec", "-i", "agent-7", "--"], },
  ],
}
`;

test('nodes are read with comments, trailing commas and every way to reach them', () => {
  const { nodes, problems } = parseNodes(FILE);
  expect(problems).toEqual([]);
  expect(nodes).toEqual([
    {
      name: 'codex-node-1',
      slots: 8,
      gateSlots: 2,
      mode: 'hybrid',
      labels: ['linux', 'us-west1'],
      weight: 1,
      reach: { by: 'ssh', target: 'codex-node-1', transport: 'auto', socket: null, configFile: null },
      root: null,
      leaseMs: 3_600_000,
    },
    {
      name: 'mac2',
      slots: 1,
      gateSlots: null,
      mode: ['claude'],
      labels: [],
      weight: 1,
      reach: { by: 'ssh', target: 'me@mac2', transport: 'openssh', socket: '/tmp/s', configFile: 'cfg' },
      root: '~/w',
      leaseMs: null,
    },
    {
      name: 'here',
      slots: 2,
      gateSlots: null,
      mode: 'hybrid',
      labels: [],
      weight: 1,
      reach: { by: 'local' },
      root: null,
      leaseMs: 1_800_000,
    },
    {
      name: 'pod',
      slots: 1,
      gateSlots: null,
      mode: 'hybrid',
      labels: [],
      weight: 1,
      reach: { by: 'command', command: ['kubectl', 'exec', '-i', 'agent-7', '--'] },
      root: null,
      leaseMs: 1_800_000,
    },
  ]);
});

test.each([
  ['"soon"', 'neither `never` nor a span'],
  ['1', 'shorter than 5 seconds'],
  ['"8d"', 'longer than 7 days'],
])('a lease of %s is refused', (lease, message) => {
  const { problems } = parseNodes(`[{"name":"a","local":true,"lease":${lease}}]`);
  expect(problems).toMatchObject([{ code: 'E_SPEC_VALUE', message: expect.stringContaining(message) }]);
});

test('a bare list is fine too', () => {
  expect(parseNodes('[{"name":"a","local":true}]').nodes).toHaveLength(1);
});

test.each(['-oProxyCommand=id', 'a b', 'a\\nb', '', 'me@-oX', 'ssh://-x', 'a\\u0000'])(
  'the ssh target %j is refused',
  (target) => {
    expect(codes(parseNodes(`[{"name":"a","ssh_target":"${target}"}]`).problems)).toEqual(['E_NODES_TARGET']);
  },
);

test.each([
  ['[{"name":"a"}]', ['E_NODES_REACH 1:2']],
  ['[{"name":"a","local":true,"ssh_target":"x"}]', ['E_NODES_REACH 1:2']],
  ['[{"name":"a","local":true,"socket":"x"}]', ['E_NODES_REACH 1:27']],
  ['[{"name":"a","local":false}]', ['E_NODES_REACH 1:2']],
  ['[{"name":"a","local":true},\n{"name":"A","local":true}]', ['E_NODES_DUPLICATE 2:9']],
  ['[{"name":"a","local":true,"slot":3}]', ['E_SPEC_UNKNOWN_KEY 1:27']],
  ['[{"name":"a","local":true,"slots":0}]', ['E_SPEC_VALUE 1:35']],
  ['[{"name":"a","local":true,"slots":"3"}]', ['E_SPEC_TYPE 1:35']],
  ['[{"name":"a","local":true,"local":true}]', ['E_SPEC_DUPLICATE_KEY 1:27']],
  ['[{"name":"a","local":true,"root":"$(id)"}]', ['E_SPEC_VALUE 1:34']],
  ['[{"name":"a","local":true,"root":"~/../x"}]', ['E_SPEC_VALUE 1:34']],
  ['[{"name":"a","local":true,"mode":"claude"}]', ['E_SPEC_TYPE 1:34']],
  ['{"node":[]}', ['E_SPEC_MISSING_KEY 1:1', 'E_SPEC_UNKNOWN_KEY 1:2']],
  ['[1]', ['E_SPEC_TYPE 1:2']],
  ['5', ['E_SPEC_TYPE 1:1']],
  ['', ['E_SPEC_SYNTAX 1:1']],
  ['[{"name" "a"}]', ['E_SPEC_SYNTAX 1:10']],
  ['['.repeat(100_000), ['E_SPEC_TOO_DEEP 1:1']],
])('%s', (text, expected) => {
  expect(places(parseNodes(text).problems)).toEqual(expected);
});

describe('editing', () => {
  test('adding keeps comments and order', () => {
    const text = addNode(FILE, { name: 'vm9', ssh_target: 'vm9', slots: 4 });
    expect(text).toContain('// the old laptop last');
    expect(text).toContain('// spare');
    expect(parseNodes(text).nodes.map(({ name }) => name)).toEqual([
      'codex-node-1',
      'mac2',
      'here',
      'pod',
      'vm9',
    ]);
  });

  const VM = { name: 'vm', ssh_target: 'x', labels: ['a', 'b'] };
  const LINE = '{ "name": "vm", "ssh_target": "x", "labels": ["a", "b"] }';
  const A = '{ "name": "a", "local": true }';

  test.each([
    ['a comment behind the last stays with it', `[\n  ${A} // old\n]\n`, `[\n  ${A}, // old\n  ${LINE}\n]\n`],
    ['a trailing comma stays a habit', `[\n  ${A}, // old\n]\n`, `[\n  ${A}, // old\n  ${LINE},\n]\n`],
    [
      'what stands below stays below',
      `[\n\t${A}\n\t// more to come\n]`,
      `[\n\t${A},\n\t${LINE}\n\t// more to come\n]`,
    ],
    ['a list on one line stays on one', `[${A}]\n`, `[${A}, ${LINE}]\n`],
    ['line ends stay what they are', `[\r\n  ${A}\r\n]\r\n`, `[\r\n  ${A},\r\n  ${LINE}\r\n]\r\n`],
    ['a comma on a line of its own counts', `[\n  ${A}\n  ,\n]`, `[\n  ${A}\n  ,\n  ${LINE},\n]`],
    [
      'entries of several lines get such a neighbour',
      '{ "nodes": [\n  {\n    "name": "a", "local": true\n  } /* old */\n] }',
      '{ "nodes": [\n  {\n    "name": "a", "local": true\n  }, /* old */\n  {\n    "name": "vm",\n    "ssh_target": "x",\n    "labels": [\n      "a",\n      "b"\n    ]\n  }\n] }',
    ],
  ])('adding and removing: %s', (_what, before, expected) => {
    const added = addNode(before, VM);
    expect(added).toBe(expected);
    expect(removeNode(added, 'vm')).toBe(before);
  });

  test.each([
    [
      'its own line and comment go, those of the others stay',
      `[\n  // first\n  ${A}, // a\n  // second\n  ${LINE}, // vm\n  // third\n  { "name": "c", "local": true } // c\n]`,
      `[\n  // first\n  ${A}, // a\n  // second\n  // third\n  { "name": "c", "local": true } // c\n]`,
    ],
    ['on one line', `[${LINE}, /* a */ ${A}]`, `[/* a */ ${A}]`],
    ['the last on one line', `[${A}, ${LINE}]`, `[${A}]`],
    ['the only one', `[${LINE}]`, '[]'],
  ])('removing: %s', (_what, before, expected) => {
    expect(removeNode(before, 'vm')).toBe(expected);
  });

  test('adding to nothing makes a file', () => {
    expect(parseNodes(addNode('', { name: 'a', local: true })).nodes).toHaveLength(1);
    expect(parseNodes(addNode('[]', { name: 'a', local: true })).nodes).toHaveLength(1);
    expect(parseNodes(addNode('\ufeff[\r\n]\r\n', { name: 'a', local: true })).nodes).toHaveLength(1);
  });

  test('removing takes the one entry and leaves the rest as it was', () => {
    const text = removeNode(FILE, 'here');
    expect(parseNodes(text).nodes.map(({ name }) => name)).toEqual(['codex-node-1', 'mac2', 'pod']);
    expect(text).toContain('// the old laptop last');
    expect(removeNode(addNode(FILE, { name: 'x', local: true }), 'x')).toBe(FILE);
  });

  test('every entry can be removed, one after the other', () => {
    let text = FILE;
    for (const name of ['mac2', 'pod', 'codex-node-1', 'here']) text = removeNode(text, name);
    expect(parseNodes(text)).toEqual({ nodes: [], problems: [] });
  });

  test('a taken name, a bad entry, a bad file and a stranger are refused', () => {
    const code = (act: () => unknown): string | null => {
      try {
        act();
        return null;
      } catch (error) {
        return error instanceof DispatchError ? error.code : 'not ours';
      }
    };
    expect(code(() => addNode(FILE, { name: 'MAC2', local: true }))).toBe('E_NODES_DUPLICATE');
    expect(code(() => addNode(FILE, { name: 'x', ssh_target: '-x' }))).toBe('E_NODES_TARGET');
    expect(code(() => addNode('{', { name: 'x', local: true }))).toBe('E_SPEC_SYNTAX');
    expect(code(() => removeNode(FILE, 'mac1'))).toBe('E_NOT_FOUND');
  });
});
