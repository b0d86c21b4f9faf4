#!/usr/bin/env bash
# Hashing on processors that this machine has not: the tests of core/argon.rs and core/password.rs under QEMU, once for each kind.
#   scripts/test-processors.sh [MODEL…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

if [ "$(uname -m)" != x86_64 ]; then
  echo "SKIPPED: emulates x86-64 processors on an x86-64 machine only"
  exit 0
fi
# With SSE2 alone; with SSSE3, before AVX2; with AVX2.
[ $# -gt 0 ] || set -- Opteron_G1 Nehalem Haswell
need_rust
need_cargo_tool cargo-nextest --no-default-features --features default-no-update
command -v qemu-x86_64 >/dev/null || as_root "QEMU" apt-get install -y --no-install-recommends qemu-user
for model in "$@"; do
  say "Hashing on $model"
  # Not what a hash leaves in memory: the emulator shows its own. Few random inputs: it takes a hundred times as long.
  PROPTEST_CASES="${PROPTEST_CASES:-32}" CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="qemu-x86_64 -cpu $model" \
    cargo nextest run --workspace --lib -E 'package(doorward) & test(/^core::(argon|password)::/) - test(nothing_of_a_hash_is_left)'
done
