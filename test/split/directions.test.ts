import { expect, test } from 'vitest';
import { directionsOf } from '../../src/split/directions.ts';

const titles = (text: string) => directionsOf(text).map(({ number, title }) => `${number} ${title}`);

test('each section of the second level is a direction, with what stands in it', () => {
  const text =
    '---\ndate: 1\n---\n# Today\nintro\n\n## Login\n- by mail\n```\n## no heading\n```\n\n## 导出 CSV\nx\r\n';
  expect(titles(text)).toEqual(['1 Login', '2 导出 CSV']);
  expect(directionsOf(text)[0]?.text).toContain('- by mail');
  expect(directionsOf(text)[0]?.text).toContain('## no heading');
});

test('without sections each item of the list is one, and without a list the whole text is', () => {
  expect(titles('# Today\n- login\n  with mail\n- export\n')).toEqual(['1 login', '2 export']);
  expect(titles('1. login\n2) export\n')).toEqual(['1 login', '2 export']);
  expect(titles('let users\nreset it\n')).toEqual(['1 let users']);
});

test('nothing but comments and front matter is no direction', () => {
  expect(directionsOf('---\na: 1\n---\n<!-- - later -->\n\n')).toEqual([]);
});
