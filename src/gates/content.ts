/**
 * The content gate: what must not be in a tree at all, because it would do harm when the tree is checked out, or would
 * hide a change from the other gates. Not even a spec can allow it.
 */
import type { Finding } from '../model/attempt.ts';
import type { BranchFacts, ChangedPath } from './facts.ts';
import { foldPath } from './fold.ts';
import { languageOf } from './language.ts';
import { showPath } from './show-path.ts';

/** Findings about new modes, links, names and unreadable sources; deletions are never refused. */
export function contentFindings(facts: BranchFacts): Finding[] {
  const present = facts.changed.filter((change) => change.newMode !== ABSENT && change.status !== 'D');
  const targets = new Map(facts.links.map((link) => [link.path, link.target]));
  return [
    ...present.flatMap((change) => modeFindings(change, targets.get(change.path))),
    ...present.flatMap((change) => nameFindings(change.path)),
    ...twinFindings(present),
    ...facts.binary.flatMap(binaryFindings),
  ];
}

const ABSENT = '000000';
const LINK = '120000';
const SUBMODULE = '160000';
const PLAIN = new Set(['100644', '100755']);

function modeFindings(change: ChangedPath, target: string | undefined): Finding[] {
  const { path, newMode } = change;
  if (PLAIN.has(newMode)) return [];
  if (newMode === SUBMODULE) {
    return [
      finding(path, 'is a submodule: its content comes from another repository', 'Remove the submodule.'),
    ];
  }
  if (newMode !== LINK) {
    return [
      finding(path, `has the mode ${newMode}`, 'Use an ordinary file: mode 100644, or 100755 for a program.'),
    ];
  }
  const why = target === undefined ? 'whose target cannot be read' : leavesTree(path, target);
  return why === null
    ? []
    : [finding(path, `is a symbolic link ${why}`, 'Link to a file inside the repository, or copy it.')];
}

/**
 * Why a link's target is outside the tree, or null when it is inside. `..` is only safe at the start of a target, where
 * it climbs from the link's own folder: after a name it climbs from wherever that name leads, which may be a link.
 */
function leavesTree(path: string, target: string): string | null {
  const where = `to ${showPath(target)}`;
  if (target === '' || target.includes('\0')) return 'without a target';
  if (/^(?:[/\\]|[A-Za-z]:)/.test(target)) return `${where}, an absolute path`;
  const parts = target.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  const climbs = parts.findIndex((part) => part !== '..');
  const up = climbs === -1 ? parts.length : climbs;
  if (parts.slice(up).includes('..'))
    return `${where}, which climbs out of a folder that may be a link itself`;
  if (up > path.split('/').length - 1) return `${where}, outside the repository`;
  return parts.some(isGitName) ? `${where}, into git's own files` : null;
}

function nameFindings(path: string): Finding[] {
  const parts = path.split('/');
  if (parts.some(isGitName)) {
    return [
      finding(path, 'has a name that git takes for its own files on some systems', 'Use another name.'),
    ];
  }
  if (parts.some((part) => /^(?:\.gitmodules|gitmod~\d+)$/.test(systemName(part)))) {
    return [finding(path, 'declares submodules', 'Remove the file: submodules are not supported.')];
  }
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    return [finding(path, 'is not a plain relative path', 'Use another name.')];
  }
  if (parts.some((part) => new TextEncoder().encode(part).length > NAME_BYTES)) {
    return [
      finding(
        path,
        `has a name of more than ${NAME_BYTES} bytes, which cannot be checked out`,
        'Use a shorter name.',
      ),
    ];
  }
  return [];
}

/** Longest name on the common file systems. */
const NAME_BYTES = 255;

function isGitName(part: string): boolean {
  return /^(?:\.git|git~\d+)$/.test(systemName(part));
}

/** A name as Windows and macOS see it: without stream suffix, trailing dots and spaces, case and invisible characters. */
function systemName(part: string): string {
  return foldPath(part)
    .replace(/:.*$/s, '')
    .replace(/[. ]+$/, '');
}

/** Two of the new paths that are one file where case does not count: the second would overwrite the first. */
function twinFindings(present: readonly ChangedPath[]): Finding[] {
  const seen = new Map<string, string>();
  const findings: Finding[] = [];
  for (const { path } of present) {
    const folded = foldPath(path);
    const twin = seen.get(folded);
    if (twin === undefined) seen.set(folded, path);
    else if (twin !== path) {
      findings.push(
        finding(
          path,
          `is the same file as ${showPath(twin)} where case does not count`,
          'Rename one of the two.',
        ),
      );
    }
  }
  return findings;
}

/** A source file that is not text is one that no gate and no reviewer can read; an image is as it should be. */
function binaryFindings(path: string): Finding[] {
  const language = languageOf(path);
  if (language.kind !== 'code') return [];
  return [
    finding(
      path,
      'is a source file whose content is not text, or too large to be read',
      'Save it as UTF-8 without NUL characters, and in files of a size that a person can read.',
    ),
  ];
}

function finding(path: string, message: string, fix: string): Finding {
  return { gate: 'content', path, line: null, message: `${showPath(path)} ${message}`, fix };
}
