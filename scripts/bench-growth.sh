#!/usr/bin/env bash
# What calls cost with a thousand, a million and ten million sessions, on both engines. By hand, on a quiet machine; see docs/performance.md.
#   scripts/bench-growth.sh [--sessions N … --seconds N --rounds N --engine sqlite|postgres]
#   scripts/bench-growth.sh load --sessions N --database FILE|URL    fills a database
#   scripts/bench-growth.sh sweep [--sessions N --expired N …]       checks while expired sessions are swept
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

need_rust
need_postgres wrk
python_environment
if [ "${1:-}" != load ]; then
  say "Release build"
  [ -n "${CLIENT_TESTS_BINARY:-}" ] || cargo build --release --bin doorward
  cargo build --release -p doorward-bench --bin steady
  BENCH_PROGRAMS="$(target_directory)/release"
  export BENCH_PROGRAMS CLIENT_TESTS_BINARY="${CLIENT_TESTS_BINARY:-$BENCH_PROGRAMS/doorward}"
fi
PYTHONPATH=bench:bench/growth:tests/clients:tests/cluster:bench/harness exec .venv/bin/python bench/growth/growth.py "$@"
