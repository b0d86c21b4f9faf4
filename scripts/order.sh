#!/usr/bin/env bash
# Which functions lie side by side in the program: writes server/often.ld anew. By hand, when `scripts/bench.sh --only small` says that an
# idle server has become larger; see docs/decisions/0053-size.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

need_rust
need_programs valgrind
say "Release build with the names of its functions"
CARGO_PROFILE_RELEASE_STRIP=none cargo build --release --bin doorward --target-dir target/named
say "Functions in use"
python3 bench/order/order.py target/named/release/doorward
