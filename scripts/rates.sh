#!/usr/bin/env bash
# What one call costs a node, the primary and its standby: the figures of docs/operations/scale.md. By hand, on a quiet machine.
#   scripts/rates.sh [SECONDS]    of each kind of call, 20 by default
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

need_rust
need_postgres
python_environment
say "Release build"
[ -n "${CLIENT_TESTS_BINARY:-}" ] || cargo build --release --bin doorward
export CLIENT_TESTS_BINARY="${CLIENT_TESTS_BINARY:-$(target_directory)/release/doorward}"
say "Rates"
PYTHONPATH=tests/clients exec .venv/bin/python tests/cluster/rates.py "$@"
