import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkContract } from '../../src/contract/check.ts';

const GOOD = `# Contract
### POST /posts
Request:
\`\`\`json
{ "title": "a", "userId": 1 }
\`\`\`
Response 201:
\`\`\`json
{ "id": 1, "title": "a" }
\`\`\`
## GET /posts
\`\`\`json
[{ "id": 1 }]
\`\`\`
`;

test('a contract with examples of both sides has no problem, and says what its interfaces carry', () => {
  expect(checkContract(GOOD, 'C.md')).toEqual({
    interfaces: [
      { name: 'POST /posts', line: 2, request: ['title', 'userId'], response: ['id', 'title'] },
      { name: 'GET /posts', line: 11, request: [], response: ['id'] },
    ],
    resources: [
      {
        name: 'posts',
        fields: [
          { name: 'id', type: 'number' },
          { name: 'title', type: 'string' },
          { name: 'userId', type: 'number' },
        ],
      },
    ],
    problems: [],
  });
});

test('the contract of the example project is good', () => {
  const file = 'specs/clawmarketing/sample/SHARED_CONTEXT.md';
  expect(checkContract(readFileSync(file, 'utf8'), file).problems).toEqual([]);
});

test.each([
  ['a deeper heading', '### POST /a\n#### Request\n```json\n{}\n```\n#### Response\n```json\n{}\n```\n'],
  ['a line in Chinese', '### POST /a\n请求：\n```json\n{}\n```\n响应：\n```json\n{}\n```\n'],
  ['words behind the fence', '### POST /a\n```json response\n{}\n```\n```json title="request"\n{}\n```\n'],
  ['the order', '### POST /a\n```json\n{}\n```\n```json\n{}\n```\n'],
  [
    'bold words and a list',
    '### POST /a\n**Request body**\n```json\n{}\n```\n- returns:\n  ```json\n  {}\n  ```\n',
  ],
  ['nothing to show', '### POST /a\nRequest: none\n\nResponse 204\n'],
  ['nothing to show, in Chinese', '### POST /a\n请求：无\n\n响应：无\n'],
  ['comments where the fence allows them', '### GET /a\n```jsonc\n{ "a": 1, // one\n}\n```\n'],
  ['a table and a heading', '| 方法 | 路径 |\n|---|---|\n| GET | /a |\n\n## GET /a\n```json\n{}\n```\n'],
  ['a named interface', '### 接口：createPost\n入参\n```json\n{}\n```\n出参\n```json\n{}\n```\n'],
  ['a number and code', '## 2.1 创建 `POST /a`\n请求示例\n~~~json\n{}\n~~~\n返回示例\n~~~json\n{}\n~~~\n'],
  ['a byte order mark and Windows line ends', '\u{feff}### GET /a\r\n```json\r\n{}\r\n```\r\n'],
])('the sides are known by %s', (_, text) => {
  expect(checkContract(text, 'C.md').problems).toEqual([]);
});

test.each([
  ['no interface', '# Notes\nNothing here.\n', ['E_CONTRACT_EMPTY 1:1']],
  ['no response', '### POST /a\nRequest\n```json\n{}\n```\n', ['E_CONTRACT_NO_EXAMPLE 1:1']],
  [
    'only a row of a table',
    '| POST | /a | makes one |\n',
    ['E_CONTRACT_NO_EXAMPLE 1:1', 'E_CONTRACT_NO_EXAMPLE 1:1'],
  ],
  ['a missing brace', '### GET /a\n```json\n{\n  "a": 1,\n  "b": [2\n}\n```\n', ['E_CONTRACT_JSON 6:1']],
  ['a comment in plain JSON', '### GET /a\n```json\n{ // one\n}\n```\n', ['E_CONTRACT_JSON 3:3']],
  ['an empty block', '### GET /a\n```json\n```\n', ['E_CONTRACT_JSON 3:1']],
  [
    'two spellings',
    '### GET /a\n```json\n{ "userId": 1 }\n```\n### GET /b\n```json\n{\n  "user_id": 1 }\n```\n',
    ['E_CONTRACT_FIELD 8:4'],
  ],
  [
    'one interface twice',
    '### GET /a/:id\n```json\n{}\n```\n### GET /a/{postId}/\n```json\n{}\n```\n',
    ['E_CONTRACT_DUPLICATE 5:1'],
  ],
  ['a fence that is never closed', '### GET /a\n```json\n{ "a": 1', ['E_CONTRACT_JSON 3:9']],
])('%s is a problem with its place', (_, text, expected) => {
  const { problems } = checkContract(text, 'C.md');
  expect(problems.map(({ code, line, col }) => `${code} ${line}:${col}`)).toEqual(expected);
});

test('a block in another language, or of another chapter, is no example', () => {
  const text = '### POST /a\n```sh\ncurl\n```\n```\nPOST -> 201\n```\n## Notes\n```json\n{ broken\n```\n';
  expect(checkContract(text, 'C.md').problems.map(({ code }) => code)).toEqual([
    'E_CONTRACT_NO_EXAMPLE',
    'E_CONTRACT_NO_EXAMPLE',
  ]);
});

test('an example that nests without end is a problem and no crash', () => {
  const text = `### GET /a\n\`\`\`json\n${'['.repeat(100_000)}\n\`\`\`\n`;
  expect(checkContract(text, 'C.md').problems).toMatchObject([{ code: 'E_CONTRACT_JSON', line: 3, col: 65 }]);
});
