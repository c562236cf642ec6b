import { expect, test } from 'vitest';
import { bodyOf, sectionsOf, titleOf } from '../../src/spec/sections.ts';

test.each([
  ['## Acceptance', 'acceptance'],
  ['## Acceptance criteria:', 'acceptance'],
  ['# 验收标准', 'acceptance'],
  ['## 验收标准 / Acceptance', 'acceptance'],
  ['## 验收标准（Acceptance）', 'acceptance'],
  ['## **Acceptance**', 'acceptance'],
  ['## 3. Acceptance', 'acceptance'],
  ['## 三、验收标准', 'acceptance'],
  ['### ACCEPTANCE ###', 'acceptance'],
  ['## 目标 / Goal', 'goal'],
  ['## 约束：', 'constraints'],
  ['## Don’t', 'dont'],
  ["## Don't", 'dont'],
  ['## Do not', 'dont'],
  ['## 不要做', 'dont'],
] as const)('%s', (heading, section) => {
  expect(sectionsOf(`intro\n${heading}\ntext\n`)[section]).toBe('text');
});

test('headings that merely contain the word are none of the four', () => {
  expect(sectionsOf('## The goal of this document\nx').goal).toBeNull();
  expect(sectionsOf('## constructor\nx').heading).toBe('constructor');
  expect(sectionsOf('##Goal\nx').goal).toBeNull();
});

test('deeper headings belong to their section, one of the same level ends it', () => {
  const { goal, acceptance } = sectionsOf('## Goal\na\n### Detail\nb\n## Notes\nc\n## Acceptance\nd');
  expect(goal).toBe('a\n### Detail\nb');
  expect(acceptance).toBe('d');
});

test('code is never a heading', () => {
  const text = '## Goal\n```sh\n## Acceptance\n```\n~~~~\n~~~\n## Acceptance\n~~~~\nend\n';
  expect(sectionsOf(text).acceptance).toBeNull();
  expect(sectionsOf(text).goal).toContain('end');
});

test('front matter is not part of the body', () => {
  expect(bodyOf('\ufeff---\r\na: 1\r\n---\r\n## Goal\r\nx')).toBe('## Goal\nx');
  expect(bodyOf('---\na: 1\n---')).toBe('');
  expect(bodyOf('## Goal')).toBe('## Goal');
});

test('the title is the first own heading, else the first line of the goal', () => {
  expect(titleOf(sectionsOf('# Schedule **schema**\n## Goal\nx'))).toBe('Schedule schema');
  expect(titleOf(sectionsOf('## Goal\n\n- add `PostSchedule`\n- more'))).toBe('add PostSchedule');
  expect(titleOf(sectionsOf('## Acceptance\nx'))).toBeNull();
  expect(titleOf(sectionsOf('## 目标\n新增 `Schedule`：`post_id`、`publish_at`（UTC）、`channel`。'))).toBe(
    '新增 Schedule：post_id、publish_at（UTC）、channel。',
  );
  expect(titleOf(sectionsOf('## Goal\nrename _really_ all of snake_case_names'))).toBe(
    'rename really all of snake_case_names',
  );
  expect(titleOf(sectionsOf(`# ${'长'.repeat(200)}`))).toHaveLength(120);
  expect(titleOf(sectionsOf('# a\u001b[31mb'))).toBe('a [31mb');
});
