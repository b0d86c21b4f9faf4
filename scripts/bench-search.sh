#!/usr/bin/env bash
# Searching among a million users, by the console and by the API. By hand, on a quiet machine.
#   scripts/bench-search.sh [--users N --calls N]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

need_rust
python_environment
if [ -z "${CLIENT_TESTS_BINARY:-}" ]; then
  say "Release build"
  cargo build --release --bin doorward
  export CLIENT_TESTS_BINARY="$(target_directory)/release/doorward"
fi
say "Searches"
PYTHONPATH=tests/clients exec .venv/bin/python bench/search/search.py "$@"
