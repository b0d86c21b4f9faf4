# Short names for what the project does often. Each recipe is one command that works without just, too.

# List the recipes
default:
    @just --list

# Start the server (arguments after the recipe's name go to it)
run *arguments:
    cargo run --release -- serve {{arguments}}

# All tests: the Rust suite and the published clients
test:
    scripts/test.sh

# The Rust suite alone
test-rust *arguments:
    scripts/test.sh rust {{arguments}}

# The client libraries alone
test-clients *arguments:
    scripts/test.sh clients {{arguments}}

# Both suites on a throw-away PostgreSQL server
test-postgres *arguments:
    scripts/test.sh postgres {{arguments}}

# The TypeScript package
test-typescript:
    scripts/test.sh typescript

# The pages in a real browser
test-browser:
    scripts/test.sh browser

# Pictures of every page, into docs/screens
screens:
    scripts/screens.sh

# The systemd unit under a systemd of its own; needs root
test-unit *arguments:
    scripts/test-unit.sh {{arguments}}

# Hashing on x86-64 processors without AVX2 and SSSE3, and with them, under QEMU
test-processors *arguments:
    scripts/test-processors.sh {{arguments}}

# The guides, done as they say, and forward authentication with nginx and Caddy
test-guides *arguments:
    scripts/test.sh guides {{arguments}}

# What is answered against the OpenAPI documents, by schemathesis; `--examples 500 --seed 7` for a longer run
test-contracts *arguments:
    scripts/test.sh contracts {{arguments}}

# How many instructions a session check and a sign-in take; `--write` takes them for the figures
test-instructions *arguments:
    scripts/test.sh instructions {{arguments}}

# Several nodes: failover, revocation, rolling restart, pooler, TLS to the database, the set-up of docs/operations/cluster.md
test-cluster *arguments:
    scripts/test.sh cluster {{arguments}}

# Format and lint
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Format the sources
fmt:
    cargo fmt --all

# The documentation of the code
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# What is built in: licences, sources, banned crates
deny:
    cargo deny check bans licenses sources

# The whole check of a commit
ci:
    .ci/run

# Are known and unknown accounts told apart by time or bytes? By hand, on a quiet machine: see docs/performance.md
bench-timing *arguments:
    cargo build --release
    cargo run --release -p doorward-bench --bin timing -- {{arguments}}

# How many passwords a second could be hashed at most, by implementation. By hand, on a quiet machine
bench-hashes *arguments:
    scripts/bench-hashes.sh {{arguments}}

# Everything that has a bar, beside a bare axum route; `--only checks` for a part. By hand, on a quiet machine: see docs/performance.md
bench *arguments:
    scripts/bench.sh {{arguments}}

# Searches by the beginning of a name among a million users. By hand, on a quiet machine
bench-search *arguments:
    scripts/bench-search.sh {{arguments}}

# What calls cost with a thousand, a million and ten million sessions; `load …` fills a database, `sweep …` checks beside a sweep. By hand, on a quiet machine
bench-growth *arguments:
    scripts/bench-growth.sh {{arguments}}

# The same work on servers that one could take instead, each installed into target/peers. By hand, on a quiet machine
bench-peers *arguments:
    scripts/bench-peers.sh {{arguments}}

# What one call costs a node, the primary and its standby: the figures of docs/operations/scale.md. By hand, on a quiet machine
bench-rates *arguments:
    scripts/rates.sh {{arguments}}
