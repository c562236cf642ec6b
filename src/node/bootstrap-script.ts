/**
 * The one script that a fresh stream is given. It is a function called on its last line, so the shell has read all of
 * it before anything runs, and nothing more is written until the far end answers; so the shell's read-ahead can never
 * swallow what is meant for the program.
 *
 * Answers are lines that begin with a random nonce: whatever a login shell prints before is skipped.
 *   `<nonce> need`                     send the program's two files, one after the other, without anything between
 *   `<nonce> have <version> <path>`    the next byte from here on belongs to the program
 *   `<nonce> fail <kind> <detail>`     and the shell ends
 */
import { createHash } from 'node:crypto';
import { DispatchError } from '../model/error.ts';
import type { NodeProgram } from './program.ts';

/** What a machine must have. Ubuntu 22.04, Debian 12 and macOS with Homebrew do. */
export const REQUIRED = { node: 20, tmux: [3, 2], git: [2, 30] } as const;

const DEFAULT_ROOT = '~/agent-worker';

const ROOT = /^(?:~\/|\/)[A-Za-z0-9._/-]*[A-Za-z0-9._-]$/;
const HEX = /^[0-9a-f]{16,64}$/;

/**
 * @param root directory of the worker as in nodes.json; null is the default one.
 * @param nonce random hexadecimal digits that nothing else prints.
 * @throws DispatchError E_NODE_ROOT when the directory cannot be written into a script as it is.
 */
export function bootstrapScript(program: NodeProgram, root: string | null, nonce: string): string {
  if (!HEX.test(nonce) || !HEX.test(program.hash)) throw new RangeError('nonce and hash are hexadecimal');
  const total = program.wrapper.length + program.launch.length;
  return `dispatch_boot() {
say() { printf '\\n%s %s\\n' ${nonce} "$*"; }
ship=
drop() { [ -z "$ship" ] || rm -f "$ship" "$ship.w" "$ship.l"; }
fail() { drop; say fail "$1" "$(printf '%s' "$2" | tr '\\n' ' ')"; exit 1; }
${PATHS}
${findNode()}
${requirement('tmux', 'tmux -V', REQUIRED.tmux)}
${requirement('git', 'git --version', REQUIRED.git)}
root=${shellRoot(root ?? DEFAULT_ROOT)}
${DISK}
wrapper="$root/bin/task-wrapper-${program.hash}.mjs"
launch="$root/bin/launch-${program.hash}.sh"
good() { [ "$(digest "$1")" = ${sha256(program.wrapper)} ] && [ "$(digest "$2")" = ${sha256(program.launch)} ]; }
umask 077
said=$(mkdir -p "$root/bin" 2>&1) || refuse "$said"
if ! good "$wrapper" "$launch"; then
${receive(total, program.wrapper.length)}
fi
cd /
say have "$version" "$node"
exec "$node" "$wrapper" rpc --root "$root"
}
dispatch_boot
`;
}

/** A login over ssh without a terminal reads few start-up files, so the places where tools usually are come first. */
const PATHS = `nvm=
if [ -d "$HOME/.nvm/versions/node" ]; then
nvm=$(ls "$HOME/.nvm/versions/node" | sed -n 's/^v\\([0-9.]*\\)$/\\1/p' | sort -t. -k1,1n -k2,2n -k3,3n | tail -n 1)
nvm=\${nvm:+"$HOME/.nvm/versions/node/v$nvm/bin:"}
fi
PATH="$HOME/.dispatch/node/bin:$nvm$HOME/.local/bin:/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin\${PATH:+:$PATH}"
export PATH`;

/** Why a write failed, in one of two words; and a digest by whatever program the machine has. */
const DISK = `refuse() {
case $1 in
*[Nn]o\\ space*|*[Qq]uota*) fail no-space "$1" ;;
*) fail not-writable "$1" ;;
esac
}
sum=
for tool in sha256sum 'shasum -a 256' 'openssl dgst -sha256 -r'; do
command -v "\${tool%% *}" >/dev/null 2>&1 && { sum=$tool; break; }
done
[ -n "$sum" ] || fail no-tool sha256sum
digest() {
[ -f "$1" ] || return 0
text=$($sum <"$1")
printf '%s' "\${text%% *}"
}`;

/** The first node in the PATH that is new enough: an old one of the system must not hide the user's. */
function findNode(): string {
  return `node=
version=
seen=none
set -f
IFS=:
for dir in $PATH; do
[ -x "$dir/node" ] || continue
version=$("$dir/node" --version 2>/dev/null) || continue
major=\${version#v}
major=\${major%%.*}
case $major in ''|*[!0-9]*) continue ;; esac
if [ "$major" -ge ${REQUIRED.node} ]; then node=$dir/node; break; fi
seen="$version at $dir/node"
done
unset IFS
set +f
[ -n "$node" ] || fail no-node "$seen"`;
}

/** A version without any digit (`tmux master`) is taken to be new. */
function requirement(name: string, command: string, [major, minor]: readonly [number, number]): string {
  return `text=$(${command} 2>/dev/null) || fail no-${name} none
number=\${text#"\${text%%[0-9]*}"}
if [ -n "$number" ]; then
first=\${number%%[!0-9]*}
second=\${number#"$first"}
second=\${second#.}
second=\${second%%[!0-9]*}
[ "$first" -gt ${major} ] || { [ "$first" -eq ${major} ] && [ "\${second:-0}" -ge ${minor} ]; } || fail no-${name} "$text"
fi`;
}

/** Exact byte counts, a check of what arrived, and a rename into place: a half-written program is never started. */
function receive(total: number, wrapper: number): string {
  return `for tool in head tail; do command -v $tool >/dev/null 2>&1 || fail no-tool $tool; done
find "$root/bin" -name '.ship-*' -mmin +60 -exec rm -f '{}' + 2>/dev/null
ship="$root/bin/.ship-$$"
trap 'drop; exit 1' HUP TERM INT PIPE
said=$({ : >"$ship"; } 2>&1) || refuse "$said"
say need
said=$({ head -c ${total} >"$ship" && head -c ${wrapper} <"$ship" >"$ship.w" && tail -c +${wrapper + 1} <"$ship" >"$ship.l"; } 2>&1) || refuse "$said"
good "$ship.w" "$ship.l" || fail ship "$(wc -c <"$ship")"
said=$({ chmod 700 "$ship.l" && mv -f "$ship.l" "$launch" && mv -f "$ship.w" "$wrapper"; } 2>&1) || refuse "$said"
drop
trap - HUP TERM INT PIPE`;
}

function shellRoot(root: string): string {
  if (!ROOT.test(root) || root.split('/').includes('..'))
    throw new DispatchError('E_NODE_ROOT', `${JSON.stringify(root)} cannot be the worker's directory`, {
      fix: 'give "root" in nodes.json as an absolute path or with ~/ in front, of letters, digits and . _ - /',
    });
  return root.startsWith('~/') ? `"$HOME/${root.slice(2)}"` : `"${root}"`;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
