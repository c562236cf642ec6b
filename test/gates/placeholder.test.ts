import { describe, expect, test } from 'vitest';
import { placeholderFindings } from '../../src/gates/placeholder.ts';
import { lines } from './build.ts';

/** Numbers of the lines that alarm. */
const alarms = (path: string, text: string): (number | null)[] =>
  placeholderFindings(lines(path, text), []).map((one) => one.line);

describe('remarks that something is not done alarm', () => {
  test.each([
    ['src/a.ts', '// TODO: handle errors'],
    ['src/a.ts', 'const x = 1; // TODO'],
    ['src/a.ts', '/* FIXME later */'],
    ['src/a.ts', ' * TODO(me): describe'],
    ['src/a.ts', '// XXX this is wrong'],
    ['src/a.ts', '// HACK: works for now'],
    ['src/a.ts', '// todo: handle errors'],
    ['src/a.ts', '// todo implement paging'],
    ['src/a.ts', '/** @todo paging */'],
    ['src/a.ts', '// this works, but TODO check the bounds'],
    ['src/a.ts', '// not implemented yet'],
    ['src/a.ts', '// Not implemented.'],
    ['src/a.ts', '// implement me'],
    ['src/a.ts', '// placeholder'],
    ['src/a.ts', '// placeholder for now'],
    ['src/a.ts', '// This is a placeholder implementation that returns nothing useful'],
    ['src/a.ts', '// your code goes here'],
    ['src/a.ts', '// hardcoded for now'],
    ['src/a.ts', '// stub'],
    ['src/a.ts', '// 待实现'],
    ['src/a.ts', "throw new Error('Not implemented');"],
    ['src/a.ts', "throw new Error('TODO');"],
    ['src/a.ts', "return Promise.reject(new Error('not yet implemented'));"],
    ['src/a.ts', 'throw new NotImplementedError();'],
    ['src/a.ts', "  return 'placeholder';"],
    ['src/a.ts', '  return `placeholder`;'],
    ['src/a.ts', "it.todo('handles paging');"],
    ['src/a.ts', "const note = 'TODO: fill this in';"],
    ['src/a.py', '# TODO: x'],
    ['src/a.py', '#TODO x'],
    ['src/a.py', '    raise NotImplementedError'],
    ['src/a.py', '    raise NotImplementedError("coming soon")'],
    ['src/a.py', '    raise Exception("not implemented")'],
    ['src/a.py', '    """TODO: describe"""'],
    ['src/a.go', '\tpanic("not implemented")'],
    ['src/a.go', '\treturn nil, errors.New("not implemented")'],
    ['src/a.go', '\tpanic("TODO")'],
    ['src/a.rs', '    todo!()'],
    ['src/a.rs', '    unimplemented!("later")'],
    ['src/A.java', 'throw new UnsupportedOperationException("Not supported yet.");'],
    ['src/A.java', 'throw new UnsupportedOperationException();'],
    ['src/A.cs', 'throw new NotImplementedException();'],
    ['src/A.kt', '    TODO("write it")'],
    ['src/A.kt', 'fun f() = TODO()'],
    ['src/A.scala', 'def f(x: Int): Int = ???'],
    ['src/a.swift', 'fatalError("not implemented")'],
    ['src/a.dart', 'throw UnimplementedError();'],
    ['src/a.rb', 'raise NotImplementedError'],
    ['src/a.php', "throw new \\Exception('Not implemented');"],
    ['src/a.sql', '-- TODO: index'],
    ['src/a.sh', 'exit 0 # FIXME'],
    ['config/a.yml', 'key: 1 # TODO tune'],
    ['src/a.html', '<!-- TODO: footer -->'],
    ['src/a.css', 'color: red; /* TODO brand colour */'],
    ['src/a.vue', '<p><!-- FIXME --></p>'],
    ['Makefile', '# TODO: real target'],
    ['docs/a.md', 'TODO: write this section'],
    ['docs/a.md', 'See [TODO].'],
    ['docs/a.md', '<!-- TODO add the figure -->'],
    ['data/a.json', '{ "text": "TODO: write this" }'],
    ['noextension', 'TODO something'],
    ['src/a.xyz', '%% FIXME: later'],
    // Disguises.
    ['src/a.ts', '// T\u041eDO: with a Cyrillic O'],
    ['src/a.ts', '// ＴＯＤＯ: full width'],
    ['src/a.ts', '// TO\u200bDO: with an invisible space'],
    ['src/a.py', '# T\u039fD\u039f: with Greek letters'],
    ['src/a.js', `${'x'.repeat(3000)} TODO fix ${'y'.repeat(3000)}`],
  ])('%s: %s', (path, text) => {
    expect(alarms(path, text)).toEqual([1]);
  });
});

describe('words that belong to the program or to its texts do not alarm', () => {
  test.each([
    ['src/a.ts', 'const todoList: Todo[] = [];'],
    ['src/a.ts', 'export function addTodo(todo: Todo) {'],
    ['src/a.ts', "import { mastodon } from './mastodon.ts';"],
    ['src/a.ts', 'enum Status { TODO, DOING, DONE }'],
    ['src/a.ts', "if (task.status === 'TODO') {"],
    ['src/a.ts', "const columns = { TODO: 'To do', DONE: 'Done' };"],
    ['src/a.ts', "  TODO: 'todo',"],
    ['src/a.ts', '  TODO = 1,'],
    ['src/a.ts', '// Returns the todo items of a user.'],
    ['src/a.ts', '// Moves a TODO item to the next column.'],
    ['src/a.ts', "// A line with 'TODO' in it is refused."],
    ['src/a.ts', '// A `FIXME` comment counts as well.'],
    ['src/a.ts', '// The number is masked as XXX-XX-1234.'],
    ['src/a.ts', "const mask = 'XXX-XX-XXXX';"],
    ['src/a.ts', "const id = '0xXXXDEADBEEF';"],
    ['src/a.ts', "const dir = mkdtempSync('/tmp/x-XXXXXX');"],
    ['src/a.ts', 'fetch("https://api.example.com/todo/1"); // see https://example.com/TODO.html'],
    ['src/a.ts', "url: 'https://jsonplaceholder.typicode.com/todos',"],
    ['src/a.ts', 'input.placeholder = t("form.placeholder");'],
    ['src/a.tsx', '<input placeholder="Search" />'],
    ['src/a.tsx', '<input placeholder={t("todo.placeholder")} />'],
    ['src/a.ts', '// Replaces each placeholder in the template by its value.'],
    ['src/a.ts', '// Features that the browser has not implemented are skipped.'],
    ['src/a.ts', "501: 'Not Implemented',"],
    ['src/a.ts', 'return HttpStatus.NOT_IMPLEMENTED;'],
    ['src/a.ts', "return emit('todo', item);"],
    ['src/a.ts', "throw new Error('placeholder too large for the width');"],
    ['src/a.ts', 'expect(() => f()).toThrow(NotImplementedError);'],
    ['src/a.ts', 'const re = /TODO|FIXME/;'],
    ['src/a.ts', "const s = 'a\\'// TODO: no';"],
    ['src/a.ts', '// Stubs are created by the test runner.'],
    ['src/a.ts', '// hack around a bug of Safari 15'],
    ['src/a.ts', 'class NotImplementedError extends Error {'],
    ['src/a.py', 'except NotImplementedError:'],
    ['src/a.py', 'with pytest.raises(NotImplementedError):'],
    ['src/a.py', 'raise NotImplementedError("not supported on this platform")'],
    ['src/a.py', 'raise NotImplementedError("subclasses must implement run()")'],
    ['src/a.py', 'url = "http://host/#todo"'],
    ['src/a.rs', 'let todo = Todo::new();'],
    ['src/a.rs', "fn f<'a>(todo: &'a str) -> &'a str {"],
    ['src/A.java', 'List<Todo> todos = repository.findAll();'],
    ['src/a.css', 'input::placeholder { color: grey; }'],
    ['src/a.scss', '%placeholder { color: grey; }'],
    ['src/a.html', '<input placeholder="TODO title">'],
    ['src/a.sh', 'echo "${#todo}"'],
    ['config/a.yml', 'name: todo-app#TODO'],
    ['docs/a.md', 'A todo application. The TODO list is shown first.'],
    ['docs/a.md', 'Lines with `TODO:` are refused.'],
    ['docs/a.md', '# TODO app'],
    ['locales/es.json', '{ "all": "TODO" }'],
    ['locales/en.json', '{ "todo": "To do", "placeholder": "Type here" }'],
    ['package-lock.json', '"TODO: x": 1'],
    ['src/icon.svg', '<!-- TODO: x -->'],
    ['src/a.xyz', 'mastodon todo Todo TODOs "TODO" TODO_LIST'],
    ['src/a.ru.md', 'ХХХ век: это не пометка'],
  ])('%s: %s', (path, text) => {
    expect(alarms(path, text)).toEqual([]);
  });
});

describe('comments are told from code over several lines', () => {
  test('in a block that began before the added lines, if it ends among them', () => {
    expect(alarms('a.ts', 'first words\nTODO more words\n*/\nconst TODO = 1;')).toEqual([2]);
  });
  test('in a block that begins among them', () => {
    expect(alarms('a.ts', '/*\n some words, TODO check\n*/\nexport { TODO };')).toEqual([2]);
  });
  test('not before a block that begins among them', () => {
    expect(alarms('a.ts', 'const TODO = 1; /* a\n b */')).toEqual([]);
  });
  test('in a Python docstring', () => {
    expect(alarms('a.py', 'x = 1\n"""\nTODO: say more\n"""\nTODO = 2')).toEqual([3]);
  });
  test('not inside a template literal, where everything is text', () => {
    expect(alarms('a.ts', 'const page = `\n  // TODO list\n`;')).toEqual([]);
  });
  test('an apostrophe does not begin a string', () => {
    expect(alarms('a.rs', "let a: &'static str = b; // TODO")).toEqual([1]);
    expect(alarms('a.tsx', "<p>don't</p> // TODO")).toEqual([1]);
  });
  test('prose at the start of a line is a remark although its comment began out of sight', () => {
    expect(alarms('a.ts', 'TODO handle the empty case')).toEqual([1]);
  });
  test('a gap between added lines begins anew', () => {
    const added = [
      { path: 'a.ts', line: 1, text: '/*' },
      { path: 'a.ts', line: 9, text: 'const a = TODO;' },
    ];
    expect(placeholderFindings(added, [])).toEqual([]);
  });
});

describe('functions without a body alarm', () => {
  test.each([
    ['a.py', 'def load(path):\n    pass', [1]],
    ['a.py', 'def load(path): ...', [1]],
    ['a.py', 'async def load(\n    path: str,\n) -> None:\n    """Loads it."""\n    ...', [1]],
    ['a.py', 'class A:\n    def load(self):\n        pass\n\n    def save(self):\n        return 1', [2]],
    ['tests/test_a.py', 'def test_load():\n    pass', [1]],
    ['a.py', '@abstractmethod\ndef load(self):\n    # TODO: say more\n    ...', [3]],
    ['a.py', 'def forward(a, b):\n    return NotImplemented', [2]],
    ['a.ts', 'export function load(path: string): void {}', [1]],
    ['a.ts', 'function load() {\n}', [1]],
    ['a.js', 'async function load() { }', [1]],
    ['a.js', 'function load() {\n\n}', [1]],
    ['a.ts', 'export const load = async (path: string): Promise<void> => {};', [1]],
    ['a.ts', 'class A {\n  load(path: string): void {}\n}', [2]],
    ['a.ts', 'class A {\n  private async load() {\n  }\n}', [2]],
    ['a.js', 'function Card() {}\nfunction Panel() {}\nPanel.prototype.show = function () { draw(); };', [1]],
    ['a.js', '/** Loads what is abstract. */\nfunction load() {}', [2]],
    ['a.test.ts', "it('loads', () => {});", [1]],
    ['a.test.ts', "test('loads', async () => {\n});", [1]],
    ['a.go', 'func Load(path string) {}', [1]],
    ['a.go', 'func (s *Store) Load(path string) {\n}', [1]],
    ['a.rs', 'pub fn load(path: &str) {}'.replace('&', ''), [1]],
    ['A.java', '    public void load(String path) {}', [1]],
    ['A.cs', '    public async Task Load(string path)  { }', [1]],
    ['a.kt', 'fun load(path: String) {}', [1]],
    ['a.swift', 'func load() {\n}', [1]],
    ['a.c', 'void load(const char *path) {}', [1]],
    ['a.rb', 'def load(path)\nend', [1]],
    ['a.rb', 'def load; end', [1]],
    ['a.sh', 'load() { :; }', [1]],
    ['a.sh', 'load() {\n  :\n}', [1]],
    ['a.php', 'public function load() {}', [1]],
  ])('%s: %j', (path, text, expected) => {
    expect(alarms(path, text)).toEqual(expected);
  });

  test.each([
    ['a.py', 'class LoadError(Exception):\n    pass'],
    ['a.py', 'try:\n    f()\nexcept OSError:\n    pass'],
    ['a.py', '@abstractmethod\ndef load(self):\n    ...'],
    ['a.py', '@abc.abstractmethod\ndef load(self):\n    raise NotImplementedError'],
    ['a.py', '@overload\ndef load(a: int) -> int: ...'],
    ['a.py', 'class Loader(Protocol):\n    def load(self) -> None: ...'],
    ['a.py', 'def close(self):\n    pass  # nothing is held open'],
    ['a.py', 'def close(self):\n    # the caller closes it\n    pass'],
    ['a.py', 'def __exit__(self, *exc):\n    pass'],
    ['a.py', 'def __eq__(self, other):\n    return NotImplemented'],
    ['a.py', 'def before(self):\n    """Hook; does nothing by default."""\n    pass'],
    ['a.py', 'def load(self):\n    """Loads."""\n    return 1'],
    ['a.py', 'def load(self):\n    pass\n    return 1'],
    ['a.pyi', 'def load(path: str) -> None: ...'],
    ['tests/test_a.py', 'class Fake:\n    def close(self):\n        pass'],
    ['a.ts', 'constructor(private readonly a: string) {}'],
    ['a.ts', 'class A {\n  private constructor() {}\n}'],
    ['a.ts', 'promise.catch(() => {});'],
    ['a.ts', 'let resolve: () => void = () => {};'],
    ['a.ts', 'const noop = () => {};'],
    ['a.ts', 'export const onExit = () => () => {};'],
    ['a.ts', 'function use(callback = () => {}) {\n  callback();\n}'],
    ['a.ts', 'function close(): void {\n  // Nothing is held open.\n}'],
    ['a.ts', 'function close(): void { /* nothing is held open */ }'],
    ['a.ts', 'function accept(_value: string): void {}'],
    ['a.ts', 'const options = {};'],
    ['a.ts', 'class A {\n  load() { return 1; }\n}'],
    ['a.ts', 'function close() {\n} // nothing is held open'],
    ['a.js', 'function Diff() {}\n\nDiff.prototype = {\n  run: function () { return 1; },\n};'],
    ['a.js', 'function Diff() {\n}\nDiff.prototype.run = function () { return 1; };'],
    ['a.js', 'function Bus() {}\nutil.inherits(Bus, EventEmitter);'],
    ['a.js', '/**\n * Writes it.\n * @abstract\n */\nfunction writeVersion() {}'],
    ['a.js', '/** @abstract */\nP.prototype.write = function write() {};'],
    ['a.ts', 'if (ready) {}'],
    ['a.ts', 'for (;;) {}'],
    ['a.ts', 'interface A {}'],
    ['a.ts', '} catch (error) {}'],
    ['a.tsx', '<Button onClick={() => {}} />'],
    ['a.test.ts', "const server = { close() {} };\nvi.spyOn(console, 'log').mockImplementation(() => {});"],
    ['a.d.ts', 'export function load(): {}'],
    ['a.go', 'func (literal) isExpression() {}'],
    ['a.go', 'type T struct {}'],
    ['a.rs', 'impl Log for Quiet {\n    fn flush(&self) {}\n}'],
    ['A.java', 'public Loader() {}'],
    ['A.java', 'Map<String, String> map = new HashMap<>() {};'],
    ['a.cc', 'Loader::~Loader() {}'],
    ['a.rb', 'def initialize\nend'],
    ['a.sh', 'load() {\n  echo hi\n}'],
  ])('but not %s: %j', (path, text) => {
    expect(alarms(path, text)).toEqual([]);
  });
});

describe('the allow-list', () => {
  const added = lines('src/gates/words.ts', '// TODO: one\n// FIXME: two');
  const allow = (path: string, text: string) => [{ path, text, reason: 'the words themselves' }];

  test('frees a line that matches the path and holds the text', () => {
    expect(placeholderFindings(added, allow('src/gates/**', 'TODO')).map((one) => one.line)).toEqual([2]);
  });
  test('frees nothing elsewhere, and nothing for an empty text', () => {
    expect(placeholderFindings(added, allow('src/*.ts', 'TODO'))).toHaveLength(2);
    expect(placeholderFindings(added, allow('**', ''))).toHaveLength(2);
  });
});

test('a finding names the place, quotes the words and says what to do', () => {
  const [finding] = placeholderFindings(lines('src/a.ts', '\n// TODO: x'), []);
  expect(finding).toEqual({
    gate: 'placeholder',
    path: 'src/a.ts',
    line: 2,
    message: 'src/a.ts:2 says that something is not done: "TODO"',
    fix: 'Do what the remark leaves open, then remove it. Do not only reword it.',
  });
});
