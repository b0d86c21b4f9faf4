#!/usr/bin/env bash
# Session checks beside a bare axum route, on both engines. By hand, on a quiet machine; see docs/performance.md.
#   scripts/bench-check.sh [--sessions N --seconds N --rounds N --engine sqlite|postgres]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

need_rust
need_postgres wrk
python_environment
say "Release build"
cargo build --release
export CLIENT_TESTS_BINARY="${CLIENT_TESTS_BINARY:-$(target_directory)/release/doorward}"
say "Session checks"
PYTHONPATH=tests/clients:tests/cluster exec .venv/bin/python bench/check/check.py "$@"
