import { expect, test } from 'vitest';
import { parseHome } from '../../src/spec/parse-home.ts';
import { places } from './check.ts';

const read = (text: string) => parseHome(text, 'dispatch.yaml');

test('dispatch.yaml sets when, where and in which language reports are made; all of it may be left out', () => {
  const { config, problems } = read('report: { at: "0 19 * * 1-5", lang: zh, timezone: Asia/Shanghai }');
  expect(problems).toEqual([]);
  expect(config.report).toEqual({ at: '0 19 * * 1-5', lang: 'zh', timezone: 'Asia/Shanghai' });
  const nothing = { config: { report: { at: null, lang: null, timezone: null } }, problems: [] };
  expect(read('')).toMatchObject(nothing);
  expect(read('output: json\nreport: {}\n')).toMatchObject(nothing);
});

test('everything that is wrong with it is told with its place', () => {
  const { config, problems } = read(`report:
  at: "0 25 * * *"
  lang: fr
  timezone: Asia/Shangahi
  hour: 19
reprot: {}
`);
  expect(config.report.at).toBeNull();
  expect(places(problems).toSorted()).toEqual([
    'E_SPEC_UNKNOWN_KEY 5:3',
    'E_SPEC_UNKNOWN_KEY 6:1',
    'E_SPEC_VALUE 2:7',
    'E_SPEC_VALUE 3:9',
    'E_SPEC_VALUE 4:13',
  ]);
  expect(problems.map(({ message }) => message).join('\n')).toContain('Invalid value for hour: 25');
});

test.each(['0 0 19 * * *', '@daily; rm', 'at seven', '* * *'])('%j is no time of a report', (at) => {
  expect(read(`report: { at: ${JSON.stringify(at)} }`).problems).toHaveLength(1);
});

test('serve answers health on a port of this machine, another one, or none', () => {
  const listen = (text: string) => read(`serve: { listen: ${text} }`).config.serve.listen;
  expect(read('').config.serve.listen).toEqual({ host: '127.0.0.1', port: 7070 });
  expect(listen('"127.0.0.1:0"')).toEqual({ host: '127.0.0.1', port: 0 });
  expect(listen('"[::1]:8080"')).toEqual({ host: '::1', port: 8080 });
  expect(listen('"localhost:8080"')).toEqual({ host: '127.0.0.1', port: 8080 });
  expect(listen('off')).toBeNull();
  for (const wrong of ['"0.0.0.0:7070"', '"127.0.0.1"', '"127.0.0.1:70700"', '7070'])
    expect(places(read(`serve: { listen: ${wrong} }`).problems)).toEqual(['E_SPEC_VALUE 1:18']);
});
