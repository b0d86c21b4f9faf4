#!/usr/bin/env bash
# Session checks and sign-ins on Doorward and on servers that one could take instead. By hand, on a quiet machine; see docs/performance.md.
#   scripts/bench-peers.sh [--peer better-auth|glewlwyd|django-allauth|fastapi-users … --seconds N --rounds N]
# What a peer needs comes from npm, PyPI and Debian into target/peers; nothing is installed into the system but wrk.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

need_rust
need_programs wrk
python_environment
say "Release build"
[ -n "${CLIENT_TESTS_BINARY:-}" ] || cargo build --release --bin doorward
cargo build --release -p doorward-bench --bin floor
BENCH_PROGRAMS="$(target_directory)/release"
export BENCH_PROGRAMS CLIENT_TESTS_BINARY="${CLIENT_TESTS_BINARY:-$BENCH_PROGRAMS/doorward}"
say "Session checks and sign-ins"
PYTHONPATH=bench:bench/peers:tests/clients exec .venv/bin/python bench/peers/peers.py "$@"
