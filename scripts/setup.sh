#!/bin/sh
# Sets up a machine that has Node and nothing of ours: system packages, npm packages, build. Run by `make`.
# Installs system packages only as root, with DISPATCH_YES=1, or after asking on a terminal; otherwise it names the
# exact command and ends with 2. A second run changes nothing and takes no time.
set -eu
cd "$(dirname "$0")/.."

main() {
  check_node
  missing=$(missing_packages)
  if [ "${1:-}" = --check ]; then
    report_check
    exit 0
  fi
  [ -z "$missing" ] || install_packages
  install_modules
  build
}

check_node() {
  command -v node >/dev/null 2>&1 || die "Node is missing: install Node 20.19 or newer (https://nodejs.org), then run make again."
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    die "Node $(node --version) is too old: dispatch needs 20.19 or newer."
}

# Names of the system packages that are missing, in the words of this system's package manager.
missing_packages() {
  list=''
  has git || list="$list git"
  has tmux || list="$list tmux"
  has ssh || list="$list openssh-client"
  { has sshd || [ -x /usr/sbin/sshd ]; } || list="$list openssh-server"
  has ps || list="$list procps"
  # Verify commands run in it; macOS has its own.
  { has bwrap || [ "$(uname)" != Linux ]; } || list="$list bubblewrap"
  if [ ! -f node_modules/better-sqlite3/build/Release/better_sqlite3.node ]; then
    has g++ || list="$list g++"
    has python3 || list="$list python3"
  fi
  echo "${list# }"
}

report_check() {
  if [ -z "$missing" ]; then
    echo "setup: every system package is here."
  else
    echo "setup: missing: $missing"
    echo "       $(install_command)"
  fi
}

install_command() {
  if has apt-get; then
    echo "$(as_root)apt-get install -y --no-install-recommends $missing"
  elif has dnf; then
    echo "$(as_root)dnf install -y $(echo "$missing" | sed 's/openssh-client/openssh-clients/; s/g++/gcc-c++/; s/procps/procps-ng/')"
  elif has brew; then
    echo "brew install $(echo "$missing" | sed 's/openssh-client//; s/openssh-server/openssh/; s/procps//; s/g++//')"
  else
    echo "install with your package manager: $missing"
  fi
}

as_root() { [ "$(id -u)" = 0 ] || echo 'sudo '; }

install_packages() {
  line=$(install_command)
  if [ "$(id -u)" != 0 ] && [ "${DISPATCH_YES:-}" != 1 ]; then
    [ -t 0 ] || die "missing: $missing
Run this, then make again (or set DISPATCH_YES=1 to let make run it):
  $line"
    printf 'missing: %s\n  %s\nRun it now? [y/N] ' "$missing" "$line"
    read -r answer
    case "$answer" in y | Y | yes) ;; *) die 'Nothing was installed.' ;; esac
  fi
  echo "setup: $line"
  if has apt-get; then sh -c "$(as_root)apt-get update -qq"; fi
  log=$(mktemp)
  DEBIAN_FRONTEND=noninteractive sh -c "$line" >"$log" 2>&1 || {
    tail -20 "$log" >&2
    die "The packages could not be installed (whole output in $log)."
  }
  rm -f "$log"
}

install_modules() {
  stamp=$(node -e 'const h = require("node:crypto").createHash("sha256"); h.update(require("node:fs").readFileSync("package-lock.json")); h.update(process.version + process.arch); console.log(h.digest("hex"))')
  if [ "$(cat node_modules/.dispatch-ok 2>/dev/null || true)" = "$stamp" ]; then return; fi
  # npm ci empties the directory first, and through a link that of another checkout.
  if [ -L node_modules ]; then die 'node_modules is a link, and what it leads to is not what package-lock.json says. Remove the link, then try again.'; fi
  echo 'setup: npm ci (about two minutes the first time: SQLite is compiled where there is no prebuilt one)'
  log=$(mktemp)
  npm ci --no-fund --no-audit --loglevel=error >"$log" 2>&1 || {
    tail -30 "$log" >&2
    die "npm ci failed (whole output in $log)."
  }
  rm -f "$log"
  node -e 'new (require("better-sqlite3"))(":memory:")' || die 'better-sqlite3 does not load: npm rebuild better-sqlite3'
  echo "$stamp" >node_modules/.dispatch-ok
}

build() {
  if [ -f dist/task-wrapper.json ] && [ -z "$(find src task-wrapper scripts specs package.json -newer dist/task-wrapper.json -type f 2>/dev/null | head -1)" ]; then return; fi
  node scripts/build.mjs
}

has() { command -v "$1" >/dev/null 2>&1; }

die() {
  printf '%s\n' "$*" >&2
  exit 2
}

main "$@"
