#!/usr/bin/env bash
# Runs the tests, and first installs whatever they need.
#   scripts/test.sh [all]                        both of the next two
#   scripts/test.sh rust [NEXTEST-ARGUMENT…]     the Rust suite; without arguments also the examples of the documentation
#   scripts/test.sh clients [PYTEST-ARGUMENT…]   the published client libraries against a started server
#   scripts/test.sh postgres [NEXTEST-ARGUMENT…] both on PostgreSQL, or the Rust suite with arguments
#   scripts/test.sh typescript                   the TypeScript client: its types against the server's document, and a run
#   scripts/test.sh browser                      the pages in Chromium: the life of an account, accessibility, sizes
#   scripts/test.sh guides [PYTEST-ARGUMENT…]    docs/guides, done as they say, and forward authentication with nginx and Caddy
#   scripts/test.sh contracts [NAME…] [--seed N] [--examples N]   what is answered against the OpenAPI documents, by schemathesis; more: a longer run
#   scripts/test.sh cluster [PYTEST-ARGUMENT…]   several nodes: failover, revocation, rolling restart, pooler, TLS, the set-up of the docs
#   scripts/test.sh instructions [--write]       how many instructions a session check and a sign-in take, beside what is committed
# Needs Rust, a C compiler and Python 3.10 or newer (contracts: 3.11). CLIENT_TESTS_BINARY=… tests that server instead of building one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

rust_tests() {
  need_rust
  need_cargo_tool cargo-nextest --no-default-features --features default-no-update
  say "Rust tests"
  cargo nextest run --workspace "$@"
  [ $# -eq 0 ] || return 0
  say "Documentation tests"
  # Each example of the client's documentation runs against a server of its own.
  cargo build --workspace --bin doorward
  CLIENT_TESTS_BINARY="$(target_directory)/debug/doorward" cargo test --workspace --doc
}

# What the Python tests need: their packages, and a server to test.
python_tests_need() {
  python_environment
  server_to_test
}

# CLIENT_TESTS_BINARY, built unless it is given.
server_to_test() {
  if [ -z "${CLIENT_TESTS_BINARY:-}" ]; then
    need_rust
    say "Server for the client tests"
    # With the features that the Rust tests have built it with.
    cargo build --workspace --bin doorward
    CLIENT_TESTS_BINARY="$(target_directory)/debug/doorward"
  fi
  CLIENT_TESTS_BINARY=$(realpath "$CLIENT_TESTS_BINARY")
  export CLIENT_TESTS_BINARY
}

client_tests() {
  python_tests_need
  say "Client tests"
  # They wait for mails more than they work, so a few at a time; -n0 for one, with a debugger for instance.
  .venv/bin/python -m pytest tests/clients -n 4 --dist worksteal "$@"
}

# Both suites on one throw-away server; with arguments, the Rust suite alone.
postgres_tests() {
  say "On PostgreSQL"
  if [ -z "${TEST_POSTGRES:-}" ]; then
    scripts/postgres.sh "$0" postgres "$@"
    return
  fi
  rust_tests "$@"
  [ $# -gt 0 ] || CLIENT_TESTS_DATABASE="$TEST_POSTGRES" client_tests
}

guide_tests() {
  need_guides
  python_tests_need
  say "Guides"
  .venv/bin/python -m pytest tests/guides -n 4 --dist worksteal "$@"
}

contract_tests() {
  python_environment contracts
  server_to_test
  say "Contracts"
  .venv-contracts/bin/python tests/contracts/run.py "$@"
}

typescript_tests() {
  need_node
  server_to_test
  say "TypeScript client"
  local document published=typescript/src/api.ts
  document="$(target_directory)/native.json"
  "$CLIENT_TESTS_BINARY" openapi native >"$document"
  (
    cd typescript
    npm ci --no-audit --no-fund --silent
    npx openapi-typescript "$document" --output src/api.ts
  )
  git diff --exit-code --stat -- "$published" || die "$published is made anew from the server's document: commit it"
  (cd typescript && npm test)
}

# What the browser's tests need: Chromium, their packages, and a server to test.
browser_tests_need() {
  need_browser
  server_to_test
  (cd tests/browser && npm ci --no-audit --no-fund --silent)
}

browser_tests() {
  browser_tests_need
  say "Browser tests"
  (cd tests/browser && npm test)
}

screens() {
  browser_tests_need
  say "Pictures of the pages"
  (cd tests/browser && node screens.js ../../docs/screens)
}

cluster_tests() {
  need_postgres haproxy pgbouncer
  need_machines
  python_tests_need
  say "Cluster tests"
  # One at a time: they measure.
  .venv/bin/python -m pytest tests/cluster "$@"
}

instruction_tests() {
  need_rust
  need_programs valgrind
  say "Program whose instructions are counted"
  cargo build --profile counted -p doorward-bench --bin paths
  say "Instructions"
  python3 bench/instructions/count.py "$(target_directory)/counted/paths" "$@"
}

what=${1:-all}
[ $# -eq 0 ] || shift
case $what in
  rust) rust_tests "$@" ;;
  clients) client_tests "$@" ;;
  postgres) postgres_tests "$@" ;;
  typescript) [ $# -eq 0 ] || die "the TypeScript tests take no arguments"; typescript_tests ;;
  browser) [ $# -eq 0 ] || die "the browser tests take no arguments"; browser_tests ;;
  screens) screens ;;
  guides) guide_tests "$@" ;;
  contracts) contract_tests "$@" ;;
  cluster) cluster_tests "$@" ;;
  instructions) instruction_tests "$@" ;;
  all)
    [ $# -eq 0 ] || die "arguments go with one kind of tests: scripts/test.sh rust|clients|postgres|guides|contracts|cluster ARGUMENT…"
    rust_tests
    client_tests
    say "All tests passed"
    ;;
  *) die "unknown kind of tests '$what': rust, clients, postgres, typescript, browser, guides, contracts, cluster, instructions or all" ;;
esac
