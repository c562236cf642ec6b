/**
 * Where tmux is built with libutempter (Debian, Ubuntu, Fedora), it records every pane as a login: at its start and at its
 * end it runs a setgid helper and waits for it. Nobody logs in to an attempt, `who` and `last` would fill with hundreds of
 * them, and the two helpers cost as much as all the rest of a session (measured: 3.5 ms of CPU a session with them, 1.5
 * without; under load the waiting server makes everybody queue). tmux has no option for it.
 *
 * So this worker's own tmux server is started with a copy of that library in which the two names lead to a third function
 * of the same library, `utempter_set_helper`, which remembers a pointer and does nothing else. No code is changed or added:
 * two entries of the copy's symbol table point elsewhere. Where anything looks different from that (another kind of ELF
 * file, no such library, a copy that does not load) there is no copy, and tmux does what it always did.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Root } from './root.ts';

const NAME = 'libutempter.so.0';
const SILENCED = ['utempter_add_record', 'utempter_remove_record'];
const INNOCUOUS = 'utempter_set_helper';

const TRIPLETS: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** What the tmux server's environment needs; tmux's configuration takes it away again from what runs inside. */
export function withoutLoginRecords(root: Root): Record<string, string> {
  return existsSync(`${libraries(root)}/${NAME}`) ? { LD_LIBRARY_PATH: libraries(root) } : {};
}

/**
 * Makes the copy where one is of use. To be called before the server is started; never throws. It is made aside and
 * moved into place whole and tried: with half of one, left by a full disk or a kill, no tmux would ever start here again.
 */
export function silenceLoginRecords(root: Root): void {
  const dir = libraries(root);
  if (process.platform !== 'linux' || existsSync(dir)) return;
  const aside = `${dir}-${process.pid}`;
  try {
    mkdirSync(aside, { mode: 0o700 });
    const copy = silenced(readFileSync(systemLibrary()));
    if (copy !== null) {
      writeFileSync(`${aside}/${NAME}`, copy, { mode: 0o600 });
      const env = { PATH: process.env.PATH, LD_LIBRARY_PATH: aside };
      const { status, stderr } = spawnSync('tmux', ['-V'], { env, encoding: 'utf8', timeout: 5000 });
      if (status !== 0 || stderr !== '') rmSync(`${aside}/${NAME}`);
    }
    renameSync(aside, dir);
  } catch {
    // No library, no right to write, or another one was faster: the records are a cost and no fault.
    forget(aside);
  }
}

function forget(aside: string): void {
  try {
    rmSync(aside, { recursive: true, force: true });
  } catch {
    // What is left there does no harm: nobody looks there.
  }
}

function libraries(root: Root): string {
  return `${root.run}/lib`;
}

/** @throws when there is none. */
function systemLibrary(): string {
  const triplet = TRIPLETS[process.arch] ?? '';
  const found = [`/usr/lib/${triplet}`, `/lib/${triplet}`, '/usr/lib64', '/usr/lib', '/lib64', '/lib']
    .map((dir) => `${dir}/${NAME}`)
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`no ${NAME}`);
  return found;
}

/** Offsets in an ELF64 file: its header, a section header and a symbol (elf(5)). */
const HEADER = { sections: 0x28, sectionSize: 0x3a, sectionCount: 0x3c };
const SECTION = { type: 0x04, offset: 0x18, size: 0x20, link: 0x28 };
const SYMBOL = { bytes: 24, name: 0, info: 4, section: 6, value: 8 };
const DYNAMIC_SYMBOLS = 11;

/**
 * @returns the library with the two names leading to the third; null when it is not a little-endian ELF64 file that has
 * all three. @throws RangeError when the file ends too early.
 */
export function silenced(library: Buffer): Buffer | null {
  // Magic, 64 bit, little-endian.
  if (library.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return null;
  const copy = Buffer.from(library);
  const symbols = dynamicSymbols(copy);
  const innocuous = symbols.get(INNOCUOUS);
  const entries = SILENCED.map((name) => symbols.get(name));
  if (innocuous === undefined) return null;
  for (const entry of entries) {
    if (entry === undefined) return null;
    // Where the function is and how long; its name, version and binding stay.
    copy.copy(copy, entry + SYMBOL.section, innocuous + SYMBOL.section, innocuous + SYMBOL.bytes);
  }
  return copy;
}

/** Offset of each defined dynamic symbol, by name. */
function dynamicSymbols(file: Buffer): Map<string, number> {
  const sectionsAt = Number(file.readBigUInt64LE(HEADER.sections));
  const size = file.readUInt16LE(HEADER.sectionSize);
  const headers = Array.from(
    { length: file.readUInt16LE(HEADER.sectionCount) },
    (_, i) => sectionsAt + i * size,
  );
  const place = (header: number): { at: number; bytes: number } => ({
    at: Number(file.readBigUInt64LE(header + SECTION.offset)),
    bytes: Number(file.readBigUInt64LE(header + SECTION.size)),
  });
  const found = new Map<string, number>();
  const table = headers.find((header) => file.readUInt32LE(header + SECTION.type) === DYNAMIC_SYMBOLS);
  const strings = table === undefined ? undefined : headers[file.readUInt32LE(table + SECTION.link)];
  if (table === undefined || strings === undefined) return found;
  const names = place(strings);
  const { at, bytes } = place(table);
  for (let entry = at; entry < at + bytes; entry += SYMBOL.bytes) {
    if (file.readUInt16LE(entry + SYMBOL.section) === 0) continue;
    const start = names.at + file.readUInt32LE(entry + SYMBOL.name);
    found.set(file.toString('latin1', start, file.indexOf(0, start)), entry);
  }
  return found;
}
