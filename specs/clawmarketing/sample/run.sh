#!/bin/sh
# One command runs it, one command tests it.
set -eu
cd "$(dirname "$0")"
case "${1:-}" in
  start) exec node backend/server.js ;;
  test) exec node --test ;;
  *) echo "usage: ./run.sh start|test" >&2; exit 2 ;;
esac
