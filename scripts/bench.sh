#!/usr/bin/env bash
# Doorward's release build beside the floor of this machine. By hand, on a quiet machine; see docs/performance.md.
#   scripts/bench.sh [--only small|checks|first|sign-in|isolation|writes] [--engine sqlite|postgres] [--rounds N] [--seconds N] [--force]
# Ends with 0 if all bars are met, 1 if not, 2 if there is no measurement.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

need_rust
need_postgres wrk
python_environment
if [ -z "${CLIENT_TESTS_BINARY:-}" ]; then
  say "Release build"
  cargo build --release --bin doorward
  export CLIENT_TESTS_BINARY="$(target_directory)/release/doorward"
fi
cargo build --release -p doorward-bench
export BENCH_PROGRAMS="${BENCH_PROGRAMS:-$(target_directory)/release}"
PYTHONPATH=tests/clients:tests/cluster exec .venv/bin/python bench/harness/main.py "$@"
