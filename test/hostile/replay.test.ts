/**
 * A history is replayed: every commit becomes a task that claims exactly the files of that commit, and its patch is what
 * the agent leaves behind. All of it has to get through import, gates, merge and landing, and in the end the tree must
 * be the original's to the byte, file modes and odd names included. Neighbours that share no file start from the same
 * commit, as two agents at work would.
 */
import { expect, test } from 'vitest';
import { judge } from '../../src/gates/judge.ts';
import type { CommitId } from '../../src/model/ids.ts';
import { ALWAYS_PROTECTED } from '../../src/spec/protected-paths.ts';
import { GATES } from '../gates/build.ts';
import { candidate, landed, world } from '../git/hub-fixture.ts';
import type { Edit } from '../git/repo.ts';
import { Rng } from '../sim/rng.ts';

const COMMITS = 32;
const FIRST = {
  'README.md': '# r\n',
  'src/a.ts': 'export const a = 1;\n',
  'docs/leer.md': 'leer\n',
} as const;

type Content = string | Uint8Array;

/** A history as lists of edits: additions, changes, renames, deletions, binaries, line ends, modes, odd names. */
function history(rng: Rng): Edit[] {
  const files = new Map<string, Content>(Object.entries(FIRST));
  const names = [
    'src/mod',
    'lib/深い/мир',
    'docs/Ünï cödé',
    'pages/[id] (x)',
    'a b/c',
    '-dash',
    'line\nbreak',
  ];
  return Array.from({ length: COMMITS }, (_, at): Edit => {
    const edit: Record<string, Content | null> = {};
    const known = [...files.keys()];
    const path = rng.pick(known);
    const content = files.get(path) ?? '';
    const text = typeof content === 'string' ? content : 'was binary\n';
    switch (at % 8) {
      case 0:
        edit[`${rng.pick(names)}${at}.ts`] = `export const n${at} = ${at};\n`;
        edit[`${rng.pick(names)}-${at}.md`] = `# ${at}\n`;
        break;
      case 1:
        edit[path] = `${text}// ${at}: one more line\n`;
        break;
      case 2:
        edit[path] = null;
        edit[`moved/${at}/${rng.pick(['x', 'ÿ', 'é\u0301'])}.ts`] = content;
        break;
      case 3:
        edit[`bin/${at}.dat`] = Uint8Array.from({ length: 300 }, () => rng.int(256));
        break;
      case 4:
        edit[path] = `${text.replaceAll('\r', '').replaceAll('\n', '\r\n')}last line ${at}\r\n`;
        break;
      case 5:
        edit[path] = text.startsWith('exec:') ? text.slice('exec:'.length) : `exec:${text}`;
        break;
      case 6:
        if (known.length > 4) edit[path] = null;
        else edit[`more/${at}.txt`] = 'no newline at the end';
        break;
      default:
        edit[`links/${at}`] = `link:../README-${at}.md`;
        edit[`case/Name${at}.ts`] = `export const upper = ${at};\n`;
    }
    for (const [name, entry] of Object.entries(edit)) {
      if (entry === null) files.delete(name);
      else files.set(name, entry);
    }
    return edit;
  });
}

test('a history of odd commits comes through whole', async () => {
  const edits = history(new Rng(1));
  const w = await world(FIRST);
  for (const [at, edit] of edits.entries()) await w.person.commit(edit, `commit ${at}`);
  const original = await w.person.git('rev-parse', 'HEAD^{tree}');

  let base: CommitId = w.base;
  for (const [at, edit] of edits.entries()) {
    const tip = await w.hub.integration();
    // Where the files allow it, it starts beside the one before instead of after it.
    if (!(at % 3 === 1 && disjoint(edit, edits[at - 1] ?? {}))) base = tip;
    const branch = await candidate(w, base, edit);
    const facts = await w.hub.facts(base, branch.head, './run.sh test');
    const findings = judge(facts, {
      modifies: Object.keys(edit).map((path) => path.replaceAll(/[\\*?[\]{}()!@+]/g, String.raw`\$&`)),
      expands: [],
      allowedExtras: [],
      protectedPaths: ALWAYS_PROTECTED,
      placeholderAllow: [],
      gates: GATES,
    });
    expect({ at, findings }).toEqual({ at, findings: [] });
    await landed(w.hub, branch, `T${at}`);
  }

  const result = await w.hub.integration();
  await w.person.git('fetch', '-q', w.hub.place.dir, result);
  expect(await w.person.git('rev-parse', `${result}^{tree}`)).toBe(original);
  expect((await w.hub.landedTokens()).size).toBe(COMMITS);
});

/** No file of one, nor a folder on the way to it, is touched by the other. */
function disjoint(a: Edit, b: Edit): boolean {
  const paths = Object.keys(b);
  return Object.keys(a).every((one) =>
    paths.every((other) => one !== other && !one.startsWith(`${other}/`) && !other.startsWith(`${one}/`)),
  );
}
