#!/usr/bin/env bash
# Makes a machine a node of dispatch: `bash bootstrap.sh --help` tells how.
#
# One file, because it is what travels: copied to a fresh machine, piped into its bash, or pushed over a connection that
# `dispatch nodes bootstrap` has verified. So the units it installs are in here too. All of it is one group of commands
# that ends on the last line: bash reads it whole before it runs any of it, and a script that was cut off anywhere is a
# syntax error that does nothing.
#
# A machine is described by steps. Each step is a function that looks (and says in WHY what is not as it should be)
# and one that changes. Everything follows from that: a first run changes what the looking found and looks again; a
# second one finds nothing; --check and --dry-run only look. Nothing is decided from what an earlier run remembers.
#
# What needs root is single commands through as_root. What belongs to the worker's account is done as that account
# (as_worker), in a clean environment: root never writes into a directory in which an agent could have planted a link.
#
# For bash 3.2 as macOS has it: no associative arrays, no mapfile, no ${x,,}.
[ -n "${BASH_VERSION:-}" ] || { echo 'bootstrap: run it with bash: bash bootstrap.sh --help' >&2; exit 2; }
{
set -eu -o pipefail

usage() {
  cat <<'EOF'
Makes this machine a node of dispatch, so that `dispatch nodes add` finds everything it needs.

  bash bootstrap.sh --name node-3 --slots 8 --mode hybrid     a fresh VM: as root, or as a user with sudo
  bash bootstrap.sh --check                                   later: what has drifted? changes nothing
  bash bootstrap.sh                                           later: mend it; a second run changes nothing

From your laptop, over a connection with a verified host key, this does the same and adds the node:
  dispatch nodes bootstrap root@10.0.0.5 --name node-3 --slots 8

It installs git, tmux, bubblewrap, Python and curl from the system's packages (Debian 12, Ubuntu 22.04 and newer, macOS
with Homebrew), a pinned Node.js with npm, and the pinned coding agents that the mode needs; makes an ordinary account
for the worker (agents refuse root) that keeps running after a logout; installs the tmux server's service so that one
process that runs out of memory does not end all the others; prints node-info.json on stdout, and the one line that
adds the node on stderr.

What the node is
  --name NAME        its name in nodes.json: letters, digits, . _ -
  --slots N          how many attempts it runs at once               (default: half the cores)
  --mode MODE        hybrid, or a comma-separated list of executors  (default: hybrid)
                       hybrid                claude, codex, gemini, qwen, opencode: 1.4 GB
                       claude glm minimax    Claude Code
                       codex gemini qwen opencode    the program of that name
                       shell, or one of your own     nothing: you install what it calls
  --user NAME        the worker's account        (default: dispatch, made here; on macOS: you)
  --root DIR         the worker's directory      (default: ~/agent-worker of that account)
  --authorize FILE   public keys that may log in as the worker  (default: those that may log in as you now)
  --address HOST     under which name or address controllers reach it  (default: the one you came by, or its first)

Keys of providers, into 0600 files below DIR/secrets; never on a command line, because every user can see those
  --key NAME=FILE    copies the file's content; NAME is anthropic, claude-oauth, glm, minimax, or what your executors name
  --key NAME         asks for it without showing it, unless it is already there

How it is done
  --check            changes nothing, lists what has drifted; exit 3 when something has
  --dry-run          changes nothing, says what would be done
  --uninstall        takes back the services, settings, Node.js and agents; keeps packages, the account and the work
  --purge            with --uninstall: also the account that was made here, its home and all work in it
  --tune-sshd        lets sshd accept what many parallel agents need (otherwise sshd is left alone)
  --cache DIR        keeps downloads in DIR (outside of anybody's home), and takes them from there
  --offline          nothing is downloaded: packages are there already, or in --cache DIR filled by a machine like this
  --keep-node        uses the Node.js (20.19 or newer) that is there instead of the pinned one
  --pushed NAME      for whoever adds the node itself: its name if it has none yet, and no word on how to add it
  --registry URL     an npm registry near you (default: https://registry.npmjs.org)
  --help             this text

Exit: 0 done, or nothing to do · 1 something failed; mend it and run again · 2 wrong usage · 3 --check found drift
EOF
}

# What is installed, as data. The registry's tarballs are checked against these SHA-512 sums; npm checks the agents'.
NODE_VERSION=24.21.0
NODE_SHA512_X64=de750bb336795f47dc898a46d2de93add029273027f3e16520d3fa3a2317ed5f07aefa404cf37ddfa5352e545e389ae22d16b87bcc84a900580a72f23cd02ced
NODE_SHA512_ARM64=1692513c4cf63afbd32df8c83a5346158f492cf30a825e66f9de2819804b836e242759a6bcdd5997f1cf2601781c3689e752127afd65d5c459fc333e91e5d6e6
NPM_VERSION=11.21.2
NPM_SHA512=ec73c0a64f807e53146af4ac78bd4f9ba0a762a3081e4e77c7e2a6ba1aa64c3a8f9233cc8312294cf713aac13dd4428dc3880504957d7e75e249d1a6d435eaf4

# program, npm package, version
agents() {
  cat <<'EOF'
claude @anthropic-ai/claude-code 2.1.328
codex @openai/codex 0.169.0
gemini @google/gemini-cli 0.61.0
qwen @qwen-code/qwen-code 0.24.4
opencode opencode-ai 1.18.33
EOF
}

# Programs that an executor runs; nothing for those that are not ours to install.
agents_of() {
  case $1 in
    claude | glm | minimax) echo claude ;;
    codex | gemini | qwen | opencode) echo "$1" ;;
    hybrid) echo 'claude codex gemini qwen opencode' ;;
  esac
}

# The tilde is meant as one: each program that reads this knows whose home it is.
# shellcheck disable=SC2088
DEFAULT_ROOT='~/agent-worker'
APT_PACKAGES='ca-certificates curl git tmux bubblewrap python3 procps openssh-server openssh-client'
BREW_PACKAGES='git tmux python@3.13 node@24'

main() {
  settings
  parse "$@"
  recognise
  remembered
  validate
  prepare
  if [ "$DO" = uninstall ]; then
    uninstall
    return 0
  fi
  step 'packages' look_packages install_packages
  [ "$OS" = macos ] || step "account $WORKER" look_account make_account
  find_home
  [ "$OS" = macos ] || step 'login of controllers' look_login allow_login
  [ "$OS" = macos ] || step 'lingering' look_linger enable_linger
  step 'settings' look_settings write_settings
  step "directories in $ROOT" look_directories make_directories
  step "Node.js" look_node install_node
  for agent in $AGENTS; do step "agent $agent" look_agent install_agent; done
  each_key
  [ "$OS" = macos ] || sandbox
  tmux_service
  [ "$TUNE_SSHD" = no ] || step 'limits of sshd' look_sshd tune_sshd
  finish
}

# ---------------------------------------------------------------------------------------------- what is asked for

settings() {
  DO=apply
  NAME='' SLOTS='' MODE='' WORKER='' ROOT='' AUTHORIZE='' ADDRESS='' CACHE='' REGISTRY=''
  TUNE_SSHD=no OFFLINE=no KEEP_NODE='' PURGE=no PUSHED=''
  MADE_ACCOUNT=no
  KEYS=()
  WHY=''
  STEP=''
  DRIFT=0
  # System files lie below this directory: for tests that only pretend to be another system.
  SYS=${DISPATCH_BOOTSTRAP_SYSTEM:-}
  SETTINGS=$SYS/etc/dispatch-node.conf
  ME=$(id -un)
  WORK=''
  LOCK=''
  # A command that comes over ssh finds few places in its PATH.
  [ -n "$SYS" ] || PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/opt/homebrew/bin:/usr/local/bin
}

parse() {
  while [ $# -gt 0 ]; do
    case $1 in
      --name | --slots | --mode | --user | --root | --authorize | --address | --key | --cache | --registry | --pushed)
        [ $# -ge 2 ] || wrong "$1 needs a value"
        take "$1" "$2"
        shift 2
        ;;
      --*=*)
        case $1 in
          --name=* | --slots=* | --mode=* | --user=* | --root=* | --authorize=* | --address=* | --key=* | --cache=* | --registry=* | --pushed=*) ;;
          *) wrong "there is no option ${1%%=*}" ;;
        esac
        take "${1%%=*}" "${1#*=}"
        shift
        ;;
      --check) DO=check && shift ;;
      --dry-run) DO=dry-run && shift ;;
      --uninstall) DO=uninstall && shift ;;
      --purge) PURGE=yes && shift ;;
      --tune-sshd) TUNE_SSHD=yes && shift ;;
      --offline) OFFLINE=yes && shift ;;
      --keep-node) KEEP_NODE=yes && shift ;;
      -h | --help)
        usage
        exit 0
        ;;
      *) wrong "there is no option $1" ;;
    esac
  done
}

take() {
  case $1 in
    --name) NAME=$2 ;;
    --slots) SLOTS=$2 ;;
    --mode) MODE=$2 ;;
    --user) WORKER=$2 ;;
    --root) ROOT=$2 ;;
    --authorize) AUTHORIZE=$2 ;;
    --address) ADDRESS=$2 ;;
    --cache) CACHE=$2 ;;
    --registry) REGISTRY=$2 ;;
    --pushed) PUSHED=$2 ;;
    --key) KEYS[${#KEYS[@]}]=$2 ;;
  esac
}

recognise() {
  case $(uname -s) in
    Linux) OS=linux ;;
    Darwin) OS=macos ;;
    *) die "$(uname -s) is neither Linux nor macOS" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) ARCH=x64 ;;
    aarch64 | arm64) ARCH=arm64 ;;
    *) die "there is no pinned Node.js for a $(uname -m)" ;;
  esac
  if [ "$OS" = macos ]; then
    SYSTEM="macOS $(sw_vers -productVersion)"
    CORES=$(sysctl -n hw.ncpu)
    MEMORY=$(sysctl -n hw.memsize)
  else
    # shellcheck source=/dev/null
    SYSTEM=$(. "$SYS/etc/os-release" && echo "${PRETTY_NAME:-Linux}")
    CORES=$(getconf _NPROCESSORS_ONLN)
    MEMORY=$(($(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo) * 1024))
  fi
}

# What an earlier run was told, for what this one is not told.
remembered() {
  [ -r "$SETTINGS" ] || return 0
  while IFS='=' read -r key value; do
    case $key in
      name) NAME=${NAME:-$value} ;;
      slots) SLOTS=${SLOTS:-$value} ;;
      mode) MODE=${MODE:-$value} ;;
      user) WORKER=${WORKER:-$value} ;;
      root) ROOT=${ROOT:-$value} ;;
      address) ADDRESS=${ADDRESS:-$value} ;;
      keep_node) KEEP_NODE=${KEEP_NODE:-$value} ;;
      made_account) MADE_ACCOUNT=$value ;;
      tune_sshd) [ "$value" = no ] || TUNE_SSHD=yes ;;
    esac
  done <"$SETTINGS"
}

validate() {
  NAME=${NAME:-$PUSHED}
  if [ -z "$NAME" ]; then
    [ "$DO" != apply ] || wrong '--name is missing: what is the node called in nodes.json?'
    NAME=$(uname -n)
    NAME=${NAME%%.*}
  fi
  like "$NAME" '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' || wrong "--name takes letters, digits, . _ and -, not '$NAME'"
  [ -n "$SLOTS" ] || SLOTS=$((CORES > 1 ? CORES / 2 : 1))
  like "$SLOTS" '^[1-9][0-9]{0,3}$' || wrong "--slots takes a number from 1 to 1024, not '$SLOTS'"
  [ "$SLOTS" -le 1024 ] || wrong "--slots takes a number from 1 to 1024, not '$SLOTS'"
  MODE=${MODE:-hybrid}
  like "$MODE" '^[A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*$' || wrong "--mode takes hybrid or a comma-separated list, not '$MODE'"
  if [ "$OS" = macos ]; then
    [ "$ME" != root ] || die 'on macOS run it as the account that agents will run as, not as root'
    [ "${WORKER:-$ME}" = "$ME" ] || die "on macOS the worker's account is the one that runs this, $ME"
    WORKER=$ME
  fi
  WORKER=${WORKER:-dispatch}
  like "$WORKER" '^[a-z_][a-z0-9_-]{0,31}$' || like "$WORKER" "^$ME\$" || wrong "'$WORKER' is not a name for an account"
  [ "$WORKER" != root ] || wrong 'agents refuse to run as root: give --user an ordinary account'
  ROOT_ASKED=${ROOT:-$DEFAULT_ROOT}
  like "$ROOT_ASKED" '^(~/|/)[A-Za-z0-9._/-]*[A-Za-z0-9._-]$' || wrong "--root takes an absolute path or ~/… of letters, digits, . _ - and /, not '$ROOT_ASKED'"
  ! like "$ROOT_ASKED" '(^|/)\.\.(/|$)' || wrong "--root has no .. in it, not '$ROOT_ASKED'"
  like "${ADDRESS:-x}" '^[A-Za-z0-9][A-Za-z0-9.:_-]*$' || wrong "--address takes a host name or an address, not '$ADDRESS'"
  REGISTRY=${REGISTRY:-https://registry.npmjs.org}
  REGISTRY=${REGISTRY%/}
  like "$REGISTRY" '^https?://[^ ]+$' || wrong "--registry takes an address, not '$REGISTRY'"
  [ -z "$AUTHORIZE" ] || is_readable "$AUTHORIZE" || wrong "--authorize: $AUTHORIZE is not a file that can be read"
  KEEP_NODE=${KEEP_NODE:-no}
  [ "$OS" = linux ] || KEEP_NODE=yes
  for key in ${KEYS[@]+"${KEYS[@]}"}; do
    like "${key%%=*}" '^[a-z0-9][a-z0-9_-]{0,63}$' || wrong '--key takes NAME=FILE, or NAME to be asked: the name is not valid'
    case $key in
      # The value is not repeated: somebody may have written the key itself there.
      *=*) is_readable "${key#*=}" || wrong "--key ${key%%=*}=…: that is not a file that can be read; keys come from files" ;;
    esac
  done
  AGENTS=''
  for executor in ${MODE//,/ }; do
    for agent in $(agents_of "$executor"); do
      case " $AGENTS " in *" $agent "*) ;; *) AGENTS="$AGENTS $agent" ;; esac
    done
  done
}

# Rights, a place for what is only needed now, and the names of things.
prepare() {
  SUDO=none
  if [ "$ME" = root ]; then
    SUDO=''
  elif command -v sudo >/dev/null 2>&1; then
    if sudo -n true 2>/dev/null; then
      SUDO='sudo -n'
    elif [ -t 0 ] && [ "$DO" = apply ]; then
      SUDO=sudo
    fi
  fi
  case $SUDO/$DO/$WORKER in
    none/apply/* | none/uninstall/*) die 'this needs root: a terminal where sudo can ask for your password, a sudo that asks for none, or root itself' ;;
    none/*/"$ME") ;;
    none/*) die "only root can look into the home of $WORKER: sudo bash bootstrap.sh …" ;;
  esac
  # A connection that ends in the middle must not leave a package half installed: the script goes on and ends by itself.
  trap '' HUP PIPE
  trap at_exit EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/dispatch-bootstrap.XXXXXX")
  LOG=$WORK/log
  : >"$LOG"
  # Their names are words, so the list is meant to be split.
  # shellcheck disable=SC2046
  WORKER_FUNCTIONS=$(declare -f $(declare -F | awk '$3 ~ /^w_/ { print $3 }'))
  case $CACHE in '' | /*) ;; *) CACHE=$PWD/$CACHE ;; esac
  find_home
  case $DO in apply | uninstall) [ "$SUDO" = none ] || one_at_a_time ;; esac
}

# A second one waits: it may be the same command again, after a connection was lost in the middle.
one_at_a_time() {
  local other tries=0 lock=$SYS/var/run/dispatch-bootstrap.lock
  as_root mkdir -p "$SYS/var/run"
  while ! as_root mkdir "$lock" 2>/dev/null; do
    other=$(cat "$lock/pid" 2>/dev/null || :)
    if [ -n "$other" ] && ! ps -p "$other" >/dev/null 2>&1; then
      as_root rm -rf "$lock"
      continue
    fi
    [ $tries != 0 ] || note "another bootstrap.sh is at work here (process ${other:-unknown}): waiting for it"
    tries=$((tries + 1))
    [ $tries -le 900 ] || die "the other one does not end; if there is none, remove $lock"
    sleep 2
  done
  # From here on it is this one's, and goes with it.
  LOCK=$lock
  printf '%s\n' $$ | as_root tee "$LOCK/pid" >/dev/null
}

# The worker's home; before the account exists, where it will be.
find_home() {
  if [ "$OS" = macos ]; then
    WORKER_HOME=$HOME
  else
    WORKER_HOME=$(home_of "$WORKER")
    [ -n "$WORKER_HOME" ] || WORKER_HOME=/home/$WORKER
  fi
  case $ROOT_ASKED in
    /*) ROOT=$ROOT_ASKED ;;
    *) ROOT=$WORKER_HOME/${ROOT_ASKED#??} ;;
  esac
  DOT=$WORKER_HOME/.dispatch
  BIN=$DOT/node/bin
  SOCKET=$ROOT/run/tmux.sock
}

# Accounts need not be in the file: a cloud's or a company's directory has them too.
home_of() {
  if [ -n "$SYS" ]; then cat "$SYS/etc/passwd"; else getent passwd "$1" || :; fi | awk -F: -v who="$1" '$1 == who { print $6 }'
}

# ---------------------------------------------------------------------------------------------- steps

# step <what> <looks> <changes>: $1 is kept in STEP for messages.
step() {
  STEP=$1
  WHY=''
  if "$2"; then
    say ok "$1"
  elif [ "$DO" = check ]; then
    DRIFT=$((DRIFT + 1))
    say drift "$1: $WHY"
  elif [ "$DO" = dry-run ]; then
    DRIFT=$((DRIFT + 1))
    say would "$1: $WHY"
  else
    DRIFT=$((DRIFT + 1))
    say change "$1: $WHY"
    "$3"
    WHY=''
    "$2" || die "$1 is still not right: $WHY"
  fi
  STEP=''
}

look_packages() {
  local missing=''
  missing=$(missing_packages) || exit
  [ -z "$missing" ] || because "missing: ${missing# }"
}

missing_packages() {
  local package
  if [ "$OS" = macos ]; then
    command -v brew >/dev/null 2>&1 || die 'there is no Homebrew: install it first (https://brew.sh), then run this again'
    for package in $BREW_PACKAGES; do
      brew list --versions "$package" >/dev/null 2>&1 || printf ' %s' "$package"
    done
  else
    command -v apt-get >/dev/null 2>&1 ||
      die "$SYSTEM has no apt-get: Debian 12, Ubuntu 22.04 or newer, or macOS. Any machine with git, tmux, bubblewrap and Node can be added by hand: dispatch nodes add"
    for package in $APT_PACKAGES; do
      [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf ' %s' "$package"
    done
  fi
}

install_packages() {
  local missing=''
  missing=$(missing_packages)
  # A list of words on purpose, here and below.
  # shellcheck disable=SC2086
  if [ "$OS" = macos ]; then
    [ "$OFFLINE" = no ] || die "without network Homebrew installs nothing: ${missing# }"
    logged env HOMEBREW_NO_AUTO_UPDATE=1 HOMEBREW_NO_INSTALL_UPGRADE=1 brew install $missing
  elif [ "$OFFLINE" = yes ]; then
    ls "${CACHE:-/nowhere}"/apt/*.deb >/dev/null 2>&1 || die "without network, and no packages in --cache DIR: ${missing# }"
    apt install --no-download --no-install-recommends "$CACHE"/apt/*.deb || die 'the packages of --cache DIR cannot be installed'
  else
    # A fresh VM is often still busy with its own first updates.
    apt update || apt update || die 'the lists of packages cannot be read'
    apt install --no-install-recommends $missing || die "cannot be installed: ${missing# }"
  fi
}

apt() {
  local keep=()
  if [ -n "$CACHE" ]; then
    mkdir -p "$CACHE/apt/partial"
    keep=(-o "Dir::Cache::archives=$CACHE/apt" -o APT::Keep-Downloaded-Packages=true)
  fi
  logged_try as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y \
    -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5 ${keep[@]+"${keep[@]}"} "$@"
}

look_account() {
  local id=''
  id=$(id -u "$WORKER" 2>/dev/null) || because "there is no account $WORKER" || return 1
  [ "$id" != 0 ] || die "$WORKER has the rights of root, and agents refuse those: give --user another name"
}

# No password, and not one that is locked either: an sshd without PAM refuses a locked account even with the right key.
make_account() {
  as_root useradd --create-home --shell /bin/bash --comment 'dispatch worker' --password '*' "$WORKER"
  MADE_ACCOUNT=yes
}

# Keys that may log in as whoever runs this may log in as the worker: it is how the controller comes back. Once somebody
# may, who runs this changes nothing; only --authorize adds to it.
look_login() {
  local file
  file=$(login_keys)
  if [ "$WORKER" = "$ME" ] || [ -z "$file" ]; then return 0; fi
  has_account || because 'no account yet' || return 1
  if [ -z "$AUTHORIZE" ] && as_worker test -s "$WORKER_HOME/.ssh/authorized_keys"; then return 0; fi
  as_worker w_has_lines "$WORKER_HOME/.ssh/authorized_keys" <"$file" || because "keys of $file may not log in as $WORKER"
}

login_keys() {
  local file home
  home=${HOME:-/root}
  # With sudo, HOME may be either: whoever called sudo is who logged in.
  [ -z "${SUDO_USER:-}" ] || home=$(home_of "$SUDO_USER")
  file=${AUTHORIZE:-$home/.ssh/authorized_keys}
  [ ! -s "$file" ] || echo "$file"
}

allow_login() {
  as_worker w_add_lines "$WORKER_HOME/.ssh" authorized_keys <"$(login_keys)"
}

look_linger() {
  command -v loginctl >/dev/null 2>&1 || return 0
  [ -e "$SYS/var/lib/systemd/linger/$WORKER" ] || because "logging out would end what $WORKER runs"
}

# Without a running systemd (an image that is being made) the file is what loginctl would have written.
enable_linger() {
  if [ -d "$SYS/run/systemd/system" ]; then
    as_root loginctl enable-linger "$WORKER"
  else
    as_root mkdir -p "$SYS/var/lib/systemd/linger"
    as_root touch "$SYS/var/lib/systemd/linger/$WORKER"
  fi
}

settings_text() {
  cat <<EOF
# Written by bootstrap.sh of dispatch; it reads this when it runs again.
name=$NAME
slots=$SLOTS
mode=$MODE
user=$WORKER
root=$ROOT_ASKED
address=$ADDRESS
keep_node=$KEEP_NODE
made_account=$MADE_ACCOUNT
tune_sshd=$TUNE_SSHD
EOF
}

look_settings() { same_file "$SETTINGS" "$(settings_text)" || because "$SETTINGS is not what was asked for"; }
write_settings() { put_file "$SETTINGS" "$(settings_text)"; }

look_directories() {
  has_account || because 'no account yet' || return 1
  as_worker w_has_directories "$ROOT" || because 'a directory is missing, or not private'
}
make_directories() { as_worker w_make_directories "$ROOT"; }

look_node() {
  local version
  has_account || because 'no account yet' || return 1
  version=$(as_worker w_version "$BIN/node") || because 'not installed' || return 1
  if [ "$KEEP_NODE" = yes ]; then
    w_new_enough "$version" || because "$version is too old" || return 1
  else
    [ "$version" = "v$NODE_VERSION" ] || because "found $version, pinned is v$NODE_VERSION" || return 1
  fi
  version=$(as_worker w_version "$BIN/npm") || because 'npm is not installed' || return 1
  [ "$KEEP_NODE" = yes ] || [ "$version" = $NPM_VERSION ] || because "found npm $version, pinned is $NPM_VERSION"
}

install_node() {
  if [ "$KEEP_NODE" = yes ]; then
    local node
    node=$(as_worker w_find_node "$(node_place)") || die 'there is no Node.js 20.19 or newer with npm beside it; leave out --keep-node'
    as_worker w_link "$BIN" node "$node"
    as_worker w_link "$BIN" npm "${node%/*}/npm"
    as_worker w_link "$BIN" npx "${node%/*}/npx"
    return 0
  fi
  local sum=$NODE_SHA512_X64
  [ "$ARCH" = x64 ] || sum=$NODE_SHA512_ARM64
  fetch "node-linux-$ARCH" "$NODE_VERSION" "$sum"
  as_worker w_unpack "$DOT/versions/node-$NODE_VERSION" <"$FETCHED"
  fetch npm "$NPM_VERSION" "$NPM_SHA512"
  as_worker w_unpack "$DOT/versions/npm-$NPM_VERSION" <"$FETCHED"
  as_worker w_link "$BIN" node "$DOT/versions/node-$NODE_VERSION/bin/node"
  as_worker w_link "$BIN" npm "$DOT/versions/npm-$NPM_VERSION/bin/npm-cli.js"
  as_worker w_link "$BIN" npx "$DOT/versions/npm-$NPM_VERSION/bin/npx-cli.js"
}

# Where Homebrew keeps a version that it does not link; empty elsewhere.
node_place() { [ "$OS" != macos ] || echo "$(brew --prefix node@24)/bin"; }

# fetch <package> <version> <sha512>: FETCHED is a file with exactly that content.
fetch() {
  local file=$1-$2.tgz
  FETCHED=${CACHE:-$WORK}/$file
  [ -z "$CACHE" ] || mkdir -p "$CACHE"
  if [ "$(digest "$FETCHED")" = "$3" ]; then return 0; fi
  [ "$OFFLINE" = no ] || die "without network, and $file is not in --cache DIR"
  logged curl -fsSL --retry 5 --connect-timeout 30 -o "$FETCHED.part" "$REGISTRY/$1/-/$file"
  [ "$(digest "$FETCHED.part")" = "$3" ] || die "$REGISTRY/$1/-/$file is not the file that is pinned: its SHA-512 differs"
  mv -f "$FETCHED.part" "$FETCHED"
}

digest() {
  [ -f "$1" ] || return 0
  if command -v sha512sum >/dev/null 2>&1; then sha512sum <"$1"; else shasum -a 512 <"$1"; fi | cut -d ' ' -f 1
}

agent_field() { agents | awk -v who="$1" -v field="$2" '$1 == who { print $field }'; }

look_agent() {
  local version
  has_account || because 'no account yet' || return 1
  version=$(agent_field "$agent" 3)
  as_worker w_linked "$BIN/$agent" "$DOT/versions/$agent-$version/node_modules/.bin/$agent" || because "version $version is not installed"
}

install_agent() {
  local version package cache='' offline=''
  version=$(agent_field "$agent" 3)
  package=$(agent_field "$agent" 2)
  if [ -n "$CACHE" ]; then
    cache=$CACHE/npm
    mkdir -p "$cache"
    as_root chown -R "$WORKER" "$cache"
    as_worker test -w "$cache" || die "$WORKER cannot get to $CACHE: choose a --cache DIR outside of anybody's home"
  fi
  [ "$OFFLINE" = no ] || offline=--offline
  logged as_worker w_install_agent "$DOT/versions" "$agent" "$package" "$version" "$REGISTRY" "$cache" "$offline"
  as_worker w_link "$BIN" "$agent" "$DOT/versions/$agent-$version/node_modules/.bin/$agent"
}

each_key() {
  for key in ${KEYS[@]+"${KEYS[@]}"}; do step "key ${key%%=*}" look_key put_key; done
  step 'keys are private' look_secrets hide_secrets
}

look_key() {
  has_account || because 'no account yet' || return 1
  case $key in
    *=*) as_worker w_has_secret "$ROOT/secrets/${key%%=*}" <"${key#*=}" || because 'not there, or another one' ;;
    *) as_worker w_private "$ROOT/secrets/$key" || because 'not there' ;;
  esac
}

put_key() {
  case $key in
    *=*) as_worker w_put_secret "$ROOT/secrets" "${key%%=*}" <"${key#*=}" ;;
    *)
      local value=''
      { : </dev/tty; } 2>/dev/null || die "there is no terminal to ask for the key $key: give it as --key $key=FILE"
      IFS= read -r -s -p "key $key (not shown): " value </dev/tty
      echo >&2
      [ -n "$value" ] || die "no key was given for $key"
      # printf is a builtin: the value is in no argument list.
      printf '%s\n' "$value" | as_worker w_put_secret "$ROOT/secrets" "$key"
      ;;
  esac
}

look_secrets() {
  has_account || because 'no account yet' || return 1
  as_worker w_secrets_private "$ROOT/secrets" || because "others can read files in $ROOT/secrets"
}
hide_secrets() { as_worker find "$ROOT/secrets" -type f -exec chmod 600 '{}' +; }

# ---------------------------------------------------------------------------------------------- the system's services

# Whether bubblewrap works can only be tried. What keeps it from working here is mended where that is possible.
sandbox() {
  if ! command -v bwrap >/dev/null 2>&1 || ! has_account; then
    [ "$DO" = apply ] || note 'whether the sandbox works will be seen when its package and the account are there'
    return 0
  fi
  if restricted; then
    step 'AppArmor lets bubblewrap work' look_apparmor allow_bubblewrap
  elif ! as_worker w_sandbox_works; then
    note 'bubblewrap does not work here (a container, or user namespaces are off): verify commands of projects that are not trusted would be refused'
  else
    say ok 'sandbox of verify commands'
  fi
}

restricted() { [ "$(cat "$SYS/proc/sys/kernel/apparmor_restrict_unprivileged_userns" 2>/dev/null)" = 1 ]; }

apparmor_profile() {
  cat <<'EOF'
# Written by bootstrap.sh of dispatch: verify commands run in bubblewrap, which needs user namespaces.
abi <abi/4.0>,
include <tunables/global>
profile bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
}
EOF
}

# A profile that a newer release brings, or that somebody wrote, is as good when bubblewrap works with it.
look_apparmor() { as_worker w_sandbox_works || because 'it forbids bubblewrap the namespaces that the sandbox needs'; }

allow_bubblewrap() {
  put_file "$SYS/etc/apparmor.d/bwrap" "$(apparmor_profile)"
  logged as_root apparmor_parser -r "$SYS/etc/apparmor.d/bwrap"
}

tmux_service() {
  if [ ${#SOCKET} -gt 103 ]; then
    note "$ROOT is too long for a socket's path, so the tmux service is left out; --root /srv/agent-worker would be short enough"
  elif [ "$OS" = macos ]; then
    step 'tmux service' look_daemon install_daemon
  elif command -v systemctl >/dev/null 2>&1; then
    step 'tmux service' look_unit install_unit
    [ ! -d "$SYS/etc/needrestart/conf.d" ] || step 'updates leave the tmux service alone' look_needrestart spare_service
  else
    note 'there is no systemd: the worker starts its tmux server itself, without protection when memory runs out'
  fi
}

# OOMPolicy and ManagedOOM: one process that is ended for want of memory ends nothing else of the unit. OOMScoreAdjust is
# for the server (and what it starts, which launch.sh puts back in line): the kernel takes an agent before it takes tmux.
# LD_LIBRARY_PATH: where the worker keeps its copy of a library of tmux's (task-wrapper/login-records.ts), once it has one.
# KillMode=process: when the server does die, what it started is found by the next supervisor instead of being killed.
tmux_unit() {
  cat <<EOF
# Written by bootstrap.sh of dispatch.
[Unit]
Description=tmux server of the dispatch worker
After=network.target

[Service]
User=$WORKER
WorkingDirectory=$WORKER_HOME
Environment=PATH=$BIN:$WORKER_HOME/.local/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
Environment=LANG=C.UTF-8 TERM=screen LD_LIBRARY_PATH=$ROOT/run/lib
ExecStart=/usr/bin/tmux -D -S $SOCKET -f /dev/null
Restart=always
RestartSec=15
KillMode=process
OOMPolicy=continue
OOMScoreAdjust=-500
ManagedOOMPreference=omit
TasksMax=infinity
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
EOF
}

UNIT=dispatch-tmux.service

look_unit() {
  same_file "$SYS/etc/systemd/system/$UNIT" "$(tmux_unit)" || because "$UNIT is not installed, or another version" || return 1
  systemctl is-enabled --quiet $UNIT 2>/dev/null || because "$UNIT is not enabled" || return 1
  [ -d "$SYS/run/systemd/system" ] || return 0
  systemctl is-active --quiet $UNIT || other_server || because "$UNIT does not run"
}

# A server that was there before the unit keeps its sessions; the unit takes over when it has ended.
other_server() { as_worker w_sessions "$SOCKET" >/dev/null; }

install_unit() {
  put_file "$SYS/etc/systemd/system/$UNIT" "$(tmux_unit)"
  if [ ! -d "$SYS/run/systemd/system" ]; then
    logged as_root systemctl enable $UNIT
    return 0
  fi
  # Not a restart: that would end the sessions. A changed unit counts from its next start on.
  as_root systemctl daemon-reload
  logged as_root systemctl enable --now $UNIT
}

needrestart_text() {
  cat <<'EOF'
# Written by bootstrap.sh of dispatch: a restart would end every agent.
$nrconf{override_rc}{qr(^dispatch-tmux)} = 0;
1;
EOF
}

NEEDRESTART=/etc/needrestart/conf.d/dispatch.conf
look_needrestart() { same_file "$SYS$NEEDRESTART" "$(needrestart_text)" || because 'an upgrade of a library would restart it, and end every agent'; }
spare_service() { put_file "$SYS$NEEDRESTART" "$(needrestart_text)"; }

LABEL=dispatch.tmux
DAEMON=/Library/LaunchDaemons/$LABEL.plist

tmux_daemon() {
  cat <<EOF
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by bootstrap.sh of dispatch. A daemon and not an agent: agents of launchd only run while somebody is logged in at the screen. -->
<plist version="1.0">
<dict>
  <key>Label</key><string>$LABEL</string>
  <key>UserName</key><string>$WORKER</string>
  <key>ProgramArguments</key>
  <array>
    <string>$(brew --prefix)/bin/tmux</string>
    <string>-D</string>
    <string>-S</string><string>$SOCKET</string>
    <string>-f</string><string>/dev/null</string>
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key><string>$BIN:$WORKER_HOME/.local/bin:$(brew --prefix)/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin</string>
    <key>HOME</key><string>$WORKER_HOME</string>
    <key>LANG</key><string>en_US.UTF-8</string>
    <key>TERM</key><string>screen</string>
  </dict>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><true/>
  <key>ThrottleInterval</key><integer>15</integer>
  <key>AbandonProcessGroup</key><true/>
  <key>SoftResourceLimits</key><dict><key>NumberOfFiles</key><integer>65536</integer></dict>
</dict>
</plist>
EOF
}

look_daemon() {
  command -v brew >/dev/null 2>&1 || because 'there is no Homebrew' || return 1
  same_file "$SYS$DAEMON" "$(tmux_daemon)" || because "$DAEMON is not installed, or another version" || return 1
  launchctl print "system/$LABEL" >/dev/null 2>&1 || because "$LABEL is not loaded"
}

install_daemon() {
  local loaded=no
  launchctl print "system/$LABEL" >/dev/null 2>&1 && loaded=yes
  put_file "$SYS$DAEMON" "$(tmux_daemon)"
  # A changed one counts from the next start of the machine on: loading it anew would end the sessions.
  [ "$loaded" = yes ] || logged as_root launchctl bootstrap system "$SYS$DAEMON"
}

# One connection per controller carries a few sessions; a scan, a probe and a person at the same time must not be refused.
sshd_text() {
  cat <<'EOF'
# Written by bootstrap.sh --tune-sshd of dispatch.
MaxSessions 64
MaxStartups 64:30:256
ClientAliveInterval 30
ClientAliveCountMax 6
EOF
}

SSHD=/etc/ssh/sshd_config.d/10-dispatch.conf

look_sshd() { same_file "$SYS$SSHD" "$(sshd_text)" || because "$SSHD is not there, or another version"; }

tune_sshd() {
  grep -Eq '^[[:space:]]*Include[[:space:]]+/(private/)?etc/ssh/sshd_config\.d/' "$SYS/etc/ssh/sshd_config" ||
    die "/etc/ssh/sshd_config does not include sshd_config.d, so nothing was changed: add its Include line yourself"
  put_file "$SYS$SSHD" "$(sshd_text)"
  as_root mkdir -p "$SYS/run/sshd"
  if ! logged_try as_root "$(sshd_program)" -t; then
    as_root rm -f "$SYS$SSHD"
    die "sshd does not accept the new settings, so they were taken back: $(tail -n 1 "$LOG")"
  fi
  reload_sshd
}

sshd_program() { command -v sshd || echo /usr/sbin/sshd; }

# macOS starts one sshd per connection: the next one reads the new settings by itself.
reload_sshd() {
  if [ "$OS" = macos ] || [ ! -d "$SYS/run/systemd/system" ]; then return 0; fi
  logged as_root systemctl try-reload-or-restart ssh.service
}

# ---------------------------------------------------------------------------------------------- at the end

finish() {
  case $DO in
    check | dry-run)
      if [ "$DRIFT" = 0 ]; then
        note 'nothing to do: this machine is as it should be'
      elif [ "$DO" = check ]; then
        note "$DRIFT of these drifted; bash bootstrap.sh mends them"
        exit 3
      else
        note "$DRIFT to do; nothing was changed"
      fi
      return 0
      ;;
  esac
  [ "$DRIFT" != 0 ] || note 'nothing was changed: this machine is as it should be'
  hints
  node_info >"$WORK/node-info.json"
  as_worker w_put "$ROOT/node-info.json" <"$WORK/node-info.json"
  cat "$WORK/node-info.json"
  [ -z "$PUSHED" ] || return 0
  note ''
  note "On the machine that runs dispatch:  $(register_line)"
  note "or, with that file:                 dispatch nodes add --from node-info.json"
}

hints() {
  local executor key
  for executor in ${MODE//,/ }; do
    case $executor in
      glm | minimax) key=$executor ;;
      aider) note 'aider is not installed by this script: pipx install aider-chat, as the worker' && continue ;;
      *) continue ;;
    esac
    as_worker w_private "$ROOT/secrets/$key" || note "executor $executor has no key yet: bash bootstrap.sh --key $key"
  done
  if [ "$WORKER" != "$ME" ] && ! as_worker test -s "$WORKER_HOME/.ssh/authorized_keys"; then
    note "nobody may log in as $WORKER yet, and so no controller: bash bootstrap.sh --authorize FILE, with its public key"
  fi
  [ "$OS" = linux ] || note 'over ssh the login keychain is locked: give agents their keys with --key NAME'
  if [ "$OS" = linux ] && id -nG "$WORKER" | grep -Eqw 'sudo|wheel|admin|docker|google-sudoers|lxd'; then
    note "$WORKER may become root by its groups ($(id -nG "$WORKER")), and so may every agent: --user dispatch would make an account of its own"
  fi
}

node_info() {
  local first=yes file type print mode
  mode=$(json "$MODE")
  [ "$MODE" = hybrid ] || mode="[$(json "$MODE" | sed 's/,/", "/g')]"
  cat <<EOF
{
  "kind": "NodeInfo",
  "version": 1,
  "name": $(json "$NAME"),
  "slots": $SLOTS,
  "mode": $mode,
  "user": $(json "$WORKER"),
  "root": $(json "$ROOT_ASKED"),
  "address": $(json "$(address)"),
  "port": $(port),
  "hostKeys": [
EOF
  while read -r type print; do
    [ "$first" = yes ] || echo ','
    first=no
    printf '    { "type": %s, "fingerprint": %s }' "$(json "$type")" "$(json "$print")"
  done <<EOF
$(host_keys)
EOF
  cat <<EOF

  ],
  "system": $(json "$SYSTEM"),
  "arch": "$ARCH",
  "cores": $CORES,
  "memory": $MEMORY,
  "versions": {
$(versions)
  }
}
EOF
}

# type and fingerprint of each host key, the one to compare first on top
host_keys() {
  local type file
  for type in ed25519 ecdsa rsa; do
    file=$SYS/etc/ssh/ssh_host_${type}_key.pub
    [ -r "$file" ] || continue
    printf '%s %s\n' "$(cut -d ' ' -f 1 "$file")" "$(ssh-keygen -lf "$file" | cut -d ' ' -f 2)"
  done
}

versions() {
  local program lines=''
  for program in git tmux bwrap python3; do
    lines="$lines    $(json "$program"): $(json "$(version_of "$program")"),
"
  done
  for program in $AGENTS; do lines="$lines    $(json "$program"): $(json "$(agent_field "$program" 3)"),
"; done
  printf '%s    "node": %s\n' "$lines" "$(json "$(as_worker w_version "$BIN/node")")"
}

version_of() {
  local flag=--version
  [ "$1" != tmux ] || flag=-V
  "$1" $flag 2>/dev/null | sed -n '1s/^[^0-9]*//p' || :
}

# SSH_CONNECTION is "client port server port" when somebody came by ssh; sudo may have dropped it.
address() {
  local found=${ADDRESS:-}
  [ -n "$found" ] || found=$(printf '%s' "${SSH_CONNECTION:-}" | cut -d ' ' -f 3)
  [ -n "$found" ] || [ "$OS" = macos ] || found=$(hostname -I 2>/dev/null | cut -d ' ' -f 1)
  [ -n "$found" ] || found=$(uname -n)
  echo "$found"
}

port() {
  local found
  found=$(printf '%s' "${SSH_CONNECTION:-}" | cut -d ' ' -f 4)
  [ -z "${ADDRESS:-}" ] || found=
  echo "${found:-22}"
}

register_line() {
  local target
  target=$WORKER@$(address)
  [ "$(port)" = 22 ] || target=ssh://$target:$(port)
  printf 'dispatch nodes add %s --target %s --slots %s --mode %s' "$NAME" "$target" "$SLOTS" "$MODE"
  [ "$ROOT_ASKED" = "$DEFAULT_ROOT" ] || printf " --root '%s'" "$ROOT_ASKED"
  printf ' --fingerprint %s\n' "$(host_keys | awk 'NR == 1 { print $2 }')"
}

json() { printf '%s' "$1" | tr -d '\000-\037' | sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$/"/' | grep . || printf '""'; }

# ---------------------------------------------------------------------------------------------- taking it back

uninstall() {
  local live=''
  if has_account; then
    live=$(as_worker w_sessions "$SOCKET" | grep -cv '^supervisor$' || :)
    [ "${live:-0}" = 0 ] || [ "$PURGE" = yes ] ||
      die "agents run here (tmux sessions: $live): dispatch nodes drain $NAME, and run this when they have ended"
  fi
  if [ "$OS" = macos ]; then
    if [ -e "$SYS$DAEMON" ]; then
      launchctl print "system/$LABEL" >/dev/null 2>&1 && logged as_root launchctl bootout "system/$LABEL"
      take_away 'tmux service' "$SYS$DAEMON"
    fi
  else
    if [ -e "$SYS/etc/systemd/system/$UNIT" ]; then
      if [ -d "$SYS/run/systemd/system" ]; then logged as_root systemctl disable --now $UNIT; else logged as_root systemctl disable $UNIT; fi
      take_away 'tmux service' "$SYS/etc/systemd/system/$UNIT"
      [ ! -d "$SYS/run/systemd/system" ] || as_root systemctl daemon-reload
    fi
    take_away 'setting of needrestart' "$SYS$NEEDRESTART"
    if grep -qs 'bootstrap.sh of dispatch' "$SYS/etc/apparmor.d/bwrap"; then
      logged_try as_root apparmor_parser -R "$SYS/etc/apparmor.d/bwrap" || :
      take_away 'AppArmor profile' "$SYS/etc/apparmor.d/bwrap"
    fi
    [ ! -e "$SYS/var/lib/systemd/linger/$WORKER" ] || {
      [ ! -d "$SYS/run/systemd/system" ] || as_root loginctl disable-linger "$WORKER"
      take_away lingering "$SYS/var/lib/systemd/linger/$WORKER"
    }
  fi
  if [ -e "$SYS$SSHD" ]; then
    take_away 'limits of sshd' "$SYS$SSHD"
    reload_sshd
  fi
  if has_account && as_worker test -e "$DOT"; then
    as_worker rm -rf "$DOT"
    said_gone 'Node.js and agents' "$DOT"
  fi
  if [ "$PURGE" = yes ] && has_account; then purge; fi
  take_away settings "$SETTINGS"
  if [ "$DRIFT" = 0 ]; then
    note 'nothing was changed: nothing of this script is here'
  elif [ "$PURGE" = no ]; then
    note "kept: packages, the account $WORKER and its work in $ROOT (--uninstall --purge removes an account that was made here, with its home)"
  fi
}

purge() {
  if [ "$MADE_ACCOUNT" = yes ]; then
    logged_try as_root pkill -KILL -u "$WORKER" || :
    logged as_root userdel --remove "$WORKER"
    said_gone "account $WORKER" "$WORKER_HOME"
  elif as_worker test -e "$ROOT"; then
    as_worker rm -rf "$ROOT"
    said_gone "the worker's directory" "$ROOT"
  fi
}

take_away() {
  [ -e "$2" ] || [ -L "$2" ] || return 0
  as_root rm -f "$2"
  said_gone "$1" "$2"
}

said_gone() {
  DRIFT=$((DRIFT + 1))
  say gone "$1: $2"
}

# ---------------------------------------------------------------------------------------------- done as the worker
# These run in a bash of their own (see as_worker) that knows each other and nothing else of this script.

w_has_lines() {
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in '' | '#'*) continue ;; esac
    grep -qsxF -e "$line" "$1" || return 1
  done
}

w_add_lines() {
  local line
  mkdir -p "$1"
  chmod 700 "$1"
  touch "$1/$2"
  chmod 600 "$1/$2"
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in '' | '#'*) continue ;; esac
    grep -qxF -e "$line" "$1/$2" || printf '%s\n' "$line" >>"$1/$2"
  done
}

w_has_directories() {
  local dir
  for dir in "$1" "$1/bin" "$1/run" "$1/secrets"; do
    if [ ! -d "$dir" ] || [ "$(w_mode_of "$dir")" != 700 ]; then return 1; fi
  done
}

w_make_directories() {
  local dir
  for dir in "$1" "$1/bin" "$1/run" "$1/secrets"; do
    mkdir -p "$dir"
    chmod 700 "$dir"
  done
}

w_mode_of() { stat -c %a "$1" 2>/dev/null || stat -f %Lp "$1"; }

w_version() { [ -x "$1" ] && "$1" --version; }

# The first in PATH that is new enough and has its npm beside it; ours does not count.
w_find_node() {
  local dir IFS=:
  for dir in $1 $PATH; do
    case $dir in "$HOME"/.dispatch/*) continue ;; esac
    if [ -x "$dir/node" ] && [ -e "$dir/npm" ] && w_new_enough "$("$dir/node" --version)"; then
      echo "$dir/node"
      return 0
    fi
  done
  return 1
}

# v20.19.0 and newer
w_new_enough() {
  local major minor
  major=${1#v}
  minor=${major#*.}
  major=${major%%.*}
  minor=${minor%%.*}
  [ "$major" -gt 20 ] || { [ "$major" -eq 20 ] && [ "$minor" -ge 19 ]; }
}

w_linked() { [ "$(readlink "$1")" = "$2" ] && [ -x "$1" ]; }

# -n: never into the directory that a link of that name leads to
w_link() {
  mkdir -p "$1"
  ln -sfn "$3" "$1/$2"
}

# Beside, then into place: what is in place is whole.
w_unpack() {
  rm -rf "$1.new"
  mkdir -p "$1.new"
  tar -xzf - -C "$1.new" --strip-components=1 --no-same-owner
  rm -rf "$1"
  mv "$1.new" "$1"
}

w_install_agent() { # versions program package version registry cache offline
  local dir=$1/$2-$4
  rm -rf "$dir.new"
  mkdir -p "$dir.new"
  # A company's own authority is in the system's store, if anywhere.
  export NODE_USE_SYSTEM_CA=1
  npm install --prefix "$dir.new" --registry "$5" --cache "${6:-$dir.new/.cache}" ${7:+"$7"} --no-fund --no-audit --no-save --no-update-notifier "$3@$4"
  "$dir.new/node_modules/.bin/$2" --version
  rm -rf "$dir.new/.cache" "$dir"
  mv "$dir.new" "$dir"
}

w_private() { [ -s "$1" ] && [ "$(w_mode_of "$1")" = 600 ]; }

w_has_secret() { w_private "$1" && cmp -s "$1" -; }

w_put_secret() {
  umask 077
  cat >"$1/.$2.new"
  mv -f "$1/.$2.new" "$1/$2"
}

w_secrets_private() {
  local file
  for file in "$1"/*; do
    [ ! -e "$file" ] || [ "$(w_mode_of "$file")" = 600 ] || return 1
  done
}

w_put() {
  cat >"$1.new"
  if cmp -s "$1.new" "$1"; then rm -f "$1.new"; else mv -f "$1.new" "$1"; fi
}

w_sandbox_works() { bwrap --unshare-user --unshare-pid --unshare-net --ro-bind / / --proc /proc --dev /dev true 2>/dev/null; }

w_sessions() { tmux -S "$1" list-sessions -F '#{session_name}' 2>/dev/null; }

# ---------------------------------------------------------------------------------------------- as whom

as_root() {
  if [ "$SUDO" = none ]; then
    case $DO in apply | uninstall) die "root is needed for: $1" ;; esac
    "$@"
  else
    $SUDO "$@"
  fi
}

# Runs a command or one of the functions w_… as the worker, with stdin passed on.
as_worker() {
  local prefix='' variable value
  local variables=()
  if [ "$ME" != "$WORKER" ]; then
    if [ "$ME" = root ]; then prefix="runuser -u $WORKER --"; else prefix="$SUDO -u $WORKER --"; fi
  fi
  # Ways to the network that a company's machines need.
  for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY NODE_EXTRA_CA_CERTS SSL_CERT_FILE; do
    value=${!variable:-}
    [ -z "$value" ] || variables[${#variables[@]}]=$variable=$value
  done
  (
    cd /
    exec $prefix /usr/bin/env -i HOME="$WORKER_HOME" USER="$WORKER" LOGNAME="$WORKER" LANG=C.UTF-8 \
      PATH="$BIN:$PATH" ${variables[@]+"${variables[@]}"} \
      "$BASH" -c "set -e -o pipefail
$WORKER_FUNCTIONS
\"\$@\"" bootstrap "$@"
  )
}

has_account() { [ "$OS" = macos ] || id -u "$WORKER" >/dev/null 2>&1; }

same_file() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }

put_file() {
  as_root mkdir -p "${1%/*}"
  printf '%s\n' "$2" | as_root tee "$1.new" >/dev/null
  as_root chmod 644 "$1.new"
  as_root mv -f "$1.new" "$1"
}

# ---------------------------------------------------------------------------------------------- words

is_readable() { [ -f "$1" ] && [ -r "$1" ]; }

# like <text> <extended regular expression>: letters are ASCII, and a line break is no end of the text.
like() {
  local LC_ALL=C
  [[ $1 =~ $2 ]]
}

because() {
  WHY=$1
  return 1
}

# A lost connection is no reason to stop half way, so nothing that is said can fail.
say() { printf '  %-7s %s\n' "$1" "$2" >&2 || :; }
note() { printf '%s\n' "$1" >&2 || :; }

logged() { logged_try "$@" || die "$* failed"; }

logged_try() { "$@" >>"$LOG" 2>&1 </dev/null; }

wrong() {
  note "bootstrap: $1"
  note 'bash bootstrap.sh --help tells what it takes'
  exit 2
}

die() {
  note "bootstrap: ${STEP:+$STEP: }$*"
  if [ -n "$WORK" ] && [ -s "$WORK/log" ]; then tail -n 15 "$WORK/log" | sed 's/^/    /' >&2 || :; fi
  exit 1
}

at_exit() {
  local code=$?
  [ -z "$WORK" ] || rm -rf "$WORK"
  [ -z "$LOCK" ] || as_root rm -rf "$LOCK"
  case $code in
    0 | 2 | 3) ;;
    *) note "bootstrap: stopped${STEP:+ in: $STEP}; what was done stays, and running it again goes on from there" ;;
  esac
}

main "$@"; }
