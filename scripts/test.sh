#!/usr/bin/env bash
# Runs the tests, and first installs whatever they need.
#   scripts/test.sh [all]                        everything
#   scripts/test.sh rust [NEXTEST-ARGUMENT…]     the Rust suite
#   scripts/test.sh clients [PYTEST-ARGUMENT…]   the published client libraries against a started server
# Needs Rust, a C compiler and Python 3.10 or newer. CLIENT_TESTS_BINARY=… tests that server instead of building one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

rust_tests() {
  need_rust
  need_cargo_tool cargo-nextest --no-default-features --features default-no-update
  say "Rust tests"
  cargo nextest run --workspace "$@"
  if grep -rqE '^[[:space:]]*//[/!] ```(rust|no_run|should_panic|compile_fail)?$' --include='*.rs' ./*/src; then
    say "Documentation tests"
    cargo test --workspace --doc --quiet
  fi
}

# The virtual environment of the client tests: made once, and again when the pins change.
python_environment() {
  local pins=tests/clients/requirements.txt stamp=.venv/.installed
  cmp -s "$pins" "$stamp" && return
  say "Python packages"
  command -v python3 >/dev/null || as_root "Python 3" apt-get install -y --no-install-recommends python3 python3-venv
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || die "the client tests need Python 3.10 or newer, this is $(python3 -V)"
  python3 -c 'import ensurepip, venv' 2>/dev/null || as_root "the venv module of Python" apt-get install -y --no-install-recommends python3-venv
  rm -rf .venv
  python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$pins"
  cp "$pins" "$stamp"
}

client_tests() {
  python_environment
  if [ -z "${CLIENT_TESTS_BINARY:-}" ]; then
    need_rust
    say "Server for the client tests"
    cargo build --bin doorward
    CLIENT_TESTS_BINARY="$(target_directory)/debug/doorward"
  fi
  export CLIENT_TESTS_BINARY
  say "Client tests"
  # They wait for mails more than they work, so a few at a time; -n0 for one, with a debugger for instance.
  .venv/bin/python -m pytest tests/clients -n 4 --dist worksteal "$@"
}

what=${1:-all}
[ $# -eq 0 ] || shift
case $what in
  rust) rust_tests "$@" ;;
  clients) client_tests "$@" ;;
  all)
    [ $# -eq 0 ] || die "arguments go with one kind of tests: scripts/test.sh rust|clients ARGUMENT…"
    rust_tests
    client_tests
    say "All tests passed"
    ;;
  *) die "unknown kind of tests '$what': rust, clients or all" ;;
esac
