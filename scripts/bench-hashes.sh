#!/usr/bin/env bash
# How many passwords a second could be hashed at most, by Argon2id implementations of the registry. By hand, on a quiet machine; see docs/performance.md.
#   scripts/bench-hashes.sh [--with sodium] [--rounds N --seconds N --threads N --memory-kib N --passes N --only NAME…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

need_rust
peers=reference
if [ "${1:-}" = --with ]; then
  peers=$2
  shift 2
fi
# The bindings to the reference's C code are made by libclang.
[ "$peers" != reference ] || ls /usr/lib/llvm-*/lib/libclang.so* >/dev/null 2>&1 ||
  as_root "libclang" apt-get install -y --no-install-recommends libclang-dev
# The C code chooses nothing at start: it is built for the processor here.
if grep -qw avx512f /proc/cpuinfo; then
  export ARGON2_KDF_C_COMPILER_FLAGS=-mavx512f
elif grep -qw avx2 /proc/cpuinfo; then
  export ARGON2_KDF_C_COMPILER_FLAGS=-mavx2
fi
say "Release build"
cargo build --release -p doorward-bench --features "$peers" --bin hashes
say "Hashes"
exec "$(target_directory)/release/hashes" "$@"
