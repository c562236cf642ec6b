/**
 * One repository, and branches of it that no honest git would make. Objects are written as git stores them, so that a
 * tree may hold names that git itself refuses to add; from there on everything is real: git bundles the branch as a node
 * does, the hub takes it in, reads the facts, and the gates judge.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { type GateRules, judge } from '../../src/gates/judge.ts';
import { type Hub, openHub } from '../../src/git/hub.ts';
import { git } from '../../src/git/run.ts';
import { DispatchError } from '../../src/model/error.ts';
import { type CommitId, commitId, projectName } from '../../src/model/ids.ts';
import { ALWAYS_PROTECTED } from '../../src/spec/protected-paths.ts';
import { GATES } from '../gates/build.ts';
import { newToken } from '../git/hub-fixture.ts';

/** A file of a tree: its text, or what else may stand there; null: it is gone. */
export type Entry =
  | string
  | Uint8Array
  | null
  | { readonly link: string }
  | { readonly submodule: true }
  | { readonly mode: string; readonly text: string };

/** Paths are split at `/`; what lies between may be any name. */
export type Files = Readonly<Record<string, Entry>>;

export interface Verdict {
  readonly is: 'refused' | 'parked' | 'passes';
  /** All messages, one a line. */
  readonly why: string;
}

export class Fixture {
  readonly root = mkdtempSync(join(tmpdir(), 'dispatch-hostile-'));
  readonly #node = join(this.root, 'node.git');
  readonly #files: Files;
  #hub: Hub | null = null;
  #base: CommitId | null = null;
  readonly #canaries: string[] = [];

  private constructor(files: Files) {
    this.#files = files;
  }

  static async create(files: Files): Promise<Fixture> {
    const fixture = new Fixture(files);
    await git(['init', '-q', '--bare', '--template=', '-b', 'main', fixture.#node]);
    const base = fixture.#commit(fixture.#tree(files), [], 'first');
    await git(['update-ref', 'refs/heads/main', base], { gitDir: fixture.#node });
    const place = { dir: join(fixture.root, 'hub.git'), project: projectName('p'), target: 'main' };
    fixture.#hub = await openHub({ ...place, repo: fixture.#node });
    fixture.#base = await fixture.#hub.base();
    return fixture;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  get base(): CommitId {
    if (this.#base === null) throw new Error('no base');
    return this.#base;
  }

  /** A file outside of every repository that nothing may touch; its path. */
  canary(): string {
    const path = join(this.root, `canary-${this.#canaries.length}`);
    writeFileSync(path, 'alive');
    this.#canaries.push(path);
    return path;
  }

  /** Canaries that are not as they were. */
  touched(): string[] {
    return this.#canaries.filter((path) => !existsSync(path) || readFileSync(path, 'utf8') !== 'alive');
  }

  /** The branch of a few commits: each entry of `steps` lies over the one before. */
  branch(steps: readonly Files[], orphan = false): CommitId {
    let files = orphan ? {} : this.#files;
    let parents = orphan ? [] : [this.base];
    let head = this.base;
    for (const step of steps) {
      files = { ...files, ...step };
      head = this.#commit(this.#tree(files), parents, 'work');
      parents = [head];
    }
    return head;
  }

  /** Brings the branch into the hub and judges it there. */
  async judge(head: CommitId, rules: Partial<GateRules>, verify: string | null): Promise<Verdict> {
    const hub = this.#hub;
    if (hub === null) throw new Error('no hub');
    const token = newToken();
    const file = join(this.root, `${token}.bundle`);
    try {
      await git(['update-ref', 'refs/heads/work', head], { gitDir: this.#node });
      await git(['bundle', 'create', '-q', file, 'refs/heads/work', `^${this.base}`], { gitDir: this.#node });
      await hub.importBundle(file, token, head, this.base);
    } catch (error) {
      if (!(error instanceof DispatchError) || error.code !== 'E_BUNDLE_MISMATCH') throw error;
      return { is: 'refused', why: `${error.message}: ${error.why ?? ''}` };
    } finally {
      rmSync(file, { force: true });
    }
    const all: GateRules = {
      modifies: ['**'],
      expands: [],
      allowedExtras: ['CHANGELOG.md'],
      protectedPaths: ALWAYS_PROTECTED,
      placeholderAllow: [],
      gates: GATES,
      ...rules,
    };
    const findings = judge(await hub.facts(this.base, head, verify), all);
    const why = findings.map(({ message }) => message).join('\n');
    if (findings.length === 0) return { is: 'passes', why };
    return { is: findings.every(({ approval }) => approval === true) ? 'parked' : 'refused', why };
  }

  /** A clean checkout of a commit, as a gate gets it. */
  async checkout(head: CommitId): Promise<string> {
    const folder = mkdtempSync(join(this.root, 'tree-'));
    const place = { gitDir: this.#node, workTree: folder, indexFile: join(this.root, `${newToken()}.index`) };
    await git(['read-tree', head], place);
    await git(['checkout-index', '-a', '-q', `--prefix=${folder}/`], place);
    return folder;
  }

  #commit(tree: Buffer, parents: readonly CommitId[], message: string): CommitId {
    const who = 'Ada <ada@example.org> 1700000000 +0000';
    const lines = [
      `tree ${tree.toString('hex')}`,
      ...parents.map((parent) => `parent ${parent}`),
      `author ${who}`,
      `committer ${who}`,
    ];
    return commitId(
      this.#object('commit', Buffer.from(`${lines.join('\n')}\n\n${message}\n`)).toString('hex'),
    );
  }

  #tree(files: Files): Buffer {
    const folders = new Map<string, Record<string, Entry>>();
    const entries: { name: Buffer; order: Buffer; mode: string; id: Buffer }[] = [];
    const add = (name: string, mode: string, id: Buffer): void => {
      const bytes = Buffer.from(name);
      const order = mode === '40000' ? Buffer.concat([bytes, Buffer.from('/')]) : bytes;
      entries.push({ name: bytes, order, mode, id });
    };
    for (const [path, entry] of Object.entries(files)) {
      if (entry === null) continue;
      const slash = path.indexOf('/');
      if (slash < 0) add(path, ...this.#blob(entry));
      else {
        const folder = path.slice(0, slash);
        const inner = folders.get(folder) ?? {};
        folders.set(folder, inner);
        inner[path.slice(slash + 1)] = entry;
      }
    }
    for (const [folder, inner] of folders) add(folder, '40000', this.#tree(inner));
    entries.sort((a, b) => Buffer.compare(a.order, b.order));
    return this.#object(
      'tree',
      Buffer.concat(
        entries.flatMap(({ name, mode, id }) => [Buffer.from(`${mode} `), name, Buffer.from([0]), id]),
      ),
    );
  }

  #blob(entry: Exclude<Entry, null>): [mode: string, id: Buffer] {
    if (typeof entry === 'string' || entry instanceof Uint8Array)
      return ['100644', this.#object('blob', Buffer.from(entry))];
    if ('link' in entry) return ['120000', this.#object('blob', Buffer.from(entry.link))];
    if ('submodule' in entry) return ['160000', Buffer.from(this.base, 'hex')];
    return [entry.mode, this.#object('blob', Buffer.from(entry.text))];
  }

  #object(type: string, content: Buffer): Buffer {
    const data = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
    const id = createHash('sha1').update(data).digest();
    const hex = id.toString('hex');
    const folder = join(this.#node, 'objects', hex.slice(0, 2));
    const file = join(folder, hex.slice(2));
    if (!existsSync(file)) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, deflateSync(data, { level: 1 }));
    }
    return id;
  }
}
